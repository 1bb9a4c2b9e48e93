"""The widgets as matplotlib draws them: where CloudWatch has them, with its colours and labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.dashboard.charts import FAINT, cut, dress, line, stack
from benchmarks.dashboard.figures import Figures, name_of
from benchmarks.dashboard.sums import Buckets, Values, expression, has_rung, statistic

_COLUMNS = 24
_COLUMN_INCHES, _ROW_INCHES = 0.6, 0.42
_MOST_ROWS = 6  # of the table of failed jobs
_BUCKETS = 30  # in the whole run, for a period of five minutes; fewer for longer ones
_INK, _PAPER, _CARD = "#16191f", "#f2f3f3", "#ffffff"
_GREEN, _AMBER, _RED = "#1d8102", "#b7791f", "#d13212"


def draw(figures: Figures, path: Path) -> None:
    """Write the dashboard as a picture; its ending says which kind."""
    mpl.rcParams.update(
        {"font.family": "DejaVu Sans", "font.size": 7.5, "svg.hashsalt": "dashboard"}
    )
    widgets = figures.body["widgets"]
    rows = max(widget["y"] + widget["height"] for widget in widgets)
    figure = plt.figure(
        figsize=(_COLUMNS * _COLUMN_INCHES, rows * _ROW_INCHES), dpi=110, facecolor=_PAPER
    )
    for widget in widgets:
        _Widget(figures, figure, widget, rows).draw()
    figure.savefig(path, facecolor=_PAPER, metadata={} if path.suffix == ".png" else {"Date": None})
    plt.close(figure)


class _Widget:
    def __init__(
        self, figures: Figures, figure: Figure, widget: Mapping[str, Any], rows: int
    ) -> None:
        self._figures = figures
        self._figure = figure
        self._properties = widget["properties"]
        self._kind = widget["type"]
        self._left = widget["x"] / _COLUMNS
        self._bottom = 1 - (widget["y"] + widget["height"]) / rows
        self._width, self._height = widget["width"] / _COLUMNS, widget["height"] / rows
        self._row = 1 / rows

    def draw(self) -> None:
        if self._kind == "text":
            self._text()
            return
        self._card()
        match self._kind, self._properties.get("view"):
            case "alarm", _:
                self._alarms()
            case "log", _:
                self._table()
            case _, "singleValue":
                self._numbers()
            case _:
                self._chart()

    def _text(self) -> None:
        text = self._properties["markdown"].removeprefix("## ").replace("`", "")
        self._figure.text(
            self._left + 0.006,
            self._bottom + self._height / 2,
            text,
            fontsize=14,
            fontweight="bold",
            color=_INK,
            va="center",
        )

    def _card(self) -> None:
        gap_x, gap_y = 0.08 / _COLUMNS, 0.08 * self._row
        self._figure.add_artist(
            mpl.patches.FancyBboxPatch(
                (self._left + gap_x, self._bottom + gap_y),
                self._width - 2 * gap_x,
                self._height - 2 * gap_y,
                boxstyle="round,pad=0,rounding_size=0.002",
                facecolor=_CARD,
                edgecolor="#d5dbdb",
                linewidth=0.7,
                zorder=-1,
            )
        )
        self._figure.text(
            self._left + 0.2 / _COLUMNS,
            self._bottom + self._height - 0.28 * self._row,
            self._properties["title"].replace("`", ""),
            fontsize=9,
            fontweight="bold",
            color=_INK,
            va="top",
        )

    def _axes(self, *, left: float = 0.7, below: float = 1.85, above: float = 0.95) -> Axes:
        axes = self._figure.add_axes(
            (
                self._left + left / _COLUMNS,
                self._bottom + below * self._row,
                self._width - (left + 0.35) / _COLUMNS,
                self._height - (below + above) * self._row,
            )
        )
        axes.set_facecolor(_CARD)
        return axes

    def _chart(self) -> None:
        axes = self._axes()
        buckets = self._buckets()
        drawn = self._series(buckets)
        if self._properties.get("stacked"):
            stack(axes, buckets, drawn)
        else:
            for number, (values, options) in enumerate(drawn):
                line(axes, buckets, values, options, on_top=number)
        self._notes(axes, drawn)
        dress(axes, self._properties, buckets)
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(-0.02, -0.13),
            ncols=2 if len(axes.get_legend_handles_labels()[0]) > 1 else 1,
            frameon=False,
            fontsize=6.8,
            handlelength=1.1,
            columnspacing=1.2,
            labelspacing=0.25,
            labelcolor=_INK,
        )

    def _notes(self, axes: Axes, drawn: Sequence[tuple[Values, Mapping[str, Any]]]) -> None:
        """Draw an alarm's threshold, where the run came anywhere near it; else say where it is."""
        held = [values[~np.isnan(values)] for values, _ in drawn]
        top = max((float(each.max()) for each in held if each.size), default=0)
        away = []
        for note in self._properties.get("annotations", {}).get("horizontal", []):
            if note["value"] > 3 * max(top, 1e-9):
                away.append(f"{note['label']} at {note['value']:g}")
                continue
            axes.axhline(note["value"], color=note["color"], linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(
                note["label"],
                (0.995, note["value"]),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                fontsize=6.3,
                color=note["color"],
            )
        if away:
            axes.annotate(
                "; ".join(away),
                (0.995, 1.03),
                xycoords="axes fraction",
                ha="right",
                va="bottom",
                fontsize=6.3,
                color=FAINT,
            )

    def _numbers(self) -> None:
        buckets = Buckets(
            self._figures.began_at, self._figures.ended_at - self._figures.began_at, 1
        )
        drawn = self._series(buckets)
        for number, (values, options) in enumerate(drawn):
            x = self._left + self._width * (number + 0.5) / len(drawn)
            middle = self._bottom + self._height * 0.45
            value = values[0]
            told = "none" if np.isnan(value) else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            self._figure.text(x, middle, told, fontsize=22, color=_INK, ha="center", va="center")
            self._figure.text(
                x, middle - 1.1 * self._row, options["label"], color=FAINT, ha="center", fontsize=8
            )

    def _alarms(self) -> None:
        by_arn = {alarm["AlarmArn"]: alarm for alarm in self._figures.alarms}
        alarms = [by_arn[arn] for arn in self._properties["alarms"]]
        across = -(-len(alarms) // 2)  # in two rows
        for number, alarm in enumerate(alarms):
            x = self._left + (0.25 + (number % across) * (_COLUMNS - 0.4) / across) / _COLUMNS
            y = self._bottom + self._height - (1.25 + 0.95 * (number // across)) * self._row
            has, does = self._rings(alarm)
            colour = _RED if does else _AMBER if has else _GREEN
            state = "in alarm" if does else "rang in this run" if has else "OK"
            self._figure.text(x, y, "●", color=colour, fontsize=11, va="center")
            name = alarm["AlarmName"].split("-")[-2].removesuffix("Alarm")
            self._figure.text(
                x + 0.4 / _COLUMNS,
                y + 0.16 * self._row,
                name,
                fontsize=7.5,
                va="center",
                color=_INK,
            )
            self._figure.text(
                x + 0.4 / _COLUMNS,
                y - 0.22 * self._row,
                state,
                fontsize=6.5,
                va="center",
                color=colour,
            )

    def _rings(self, alarm: Mapping[str, Any]) -> tuple[bool, bool]:
        buckets = self._buckets(alarm["Period"])
        (dimension,) = alarm["Dimensions"]
        name = name_of(alarm["Namespace"], alarm["MetricName"], dimension["Value"])
        stat = alarm.get("ExtendedStatistic") or alarm["Statistic"]
        return has_rung(alarm, statistic(self._samples(name), stat, buckets))

    def _table(self) -> None:
        columns = ((0.25, "after"), (1.6, "job_id"), (4.0, "key"), (9.2, "code"), (12.4, "reason"))
        top = self._bottom + self._height - 1.15 * self._row
        failed = sorted(self._figures.failed_jobs, key=lambda each: -each["at"])[:_MOST_ROWS]
        for number, job in enumerate([None, *failed]):
            y = top - number * 0.66 * self._row
            for x, name in columns:
                told = name
                if job:
                    after = job["at"] - self._figures.began_at
                    told = f"{after // 60:.0f}:{after % 60:02.0f}" if name == "after" else job[name]
                width = {"reason": 100, "key": 36, "job_id": 12}.get(name, 24)
                self._figure.text(
                    self._left + x / _COLUMNS,
                    y,
                    cut(str(told), width),
                    fontsize=7.2,
                    color=_INK if job else FAINT,
                    va="center",
                )

    def _buckets(self, period: int | None = None) -> Buckets:
        period = period or self._properties["period"]
        whole = self._figures.ended_at - self._figures.began_at
        number = _BUCKETS if period <= 300 else _BUCKETS // 2 if period <= 900 else _BUCKETS // 5
        return Buckets(self._figures.began_at, whole / number, number)

    def _series(self, buckets: Buckets) -> list[tuple[Values, Mapping[str, Any]]]:
        named: dict[str, Values] = {}
        drawn = []
        for *names, options in self._properties["metrics"]:
            if names:
                namespace, metric, _, dimension = names
                samples = self._samples(name_of(namespace, metric, dimension))
                values = statistic(samples, options["stat"], buckets)
                named[options.get("id", "")] = values
            else:
                values = expression(options["expression"], named)
            if options.get("visible", True):
                drawn.append((values, options))
        return drawn

    def _samples(self, name: str) -> list[tuple[float, float]]:
        return [(each.at, each.value) for each in self._figures.samples if each.name == name]
