"""The pictures of docs/performance.md: GPU seconds by load, dollars by deployment, what breaks first."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from benchmarks.costs.deployments import Outcome
from benchmarks.costs.gpu import taken
from benchmarks.costs.limits import PEAK, Reached
from benchmarks.costs.measured import LOADS, PRECISIONS, as_shipped
from benchmarks.costs.work import rounds_of, sample
from benchmarks.dashboard.charts import FAINT
from benchmarks.figures import TIMES
from cli.endpoint.catalogue import catalogue
from core.summaries.options import Strategy

_INK, _GRID = "#16191f", "#eaeded"
_BLUE, _GREEN, _AMBER, _RED, _GREY = "#2d72b8", "#1d8102", "#b7791f", "#c0392b", "#aab7b8"
_WHOSE = {"parameter": _GREEN, "quota": _AMBER, "fixed": _RED}
_WHOSE_TEXT = {
    "parameter": "ours: a parameter",
    "quota": "a quota: raised on request",
    "fixed": "fixed: can only be gone round",
}
_DASHES = (0, (4, 2))
_LINES = {  # strategy, precision: colour, dashes, how far its label is moved, so that none lies on another
    (Strategy.SINGLE, "bf16"): (_BLUE, _DASHES, 0),
    (Strategy.SINGLE, "fp8"): (_RED, _DASHES, 5),
    (Strategy.AUTO, "bf16"): (_BLUE, "-", -5),
    (Strategy.AUTO, "fp8"): (_RED, "-", 0),
}


def draw(folder: Path, *, outcomes: Sequence[Outcome], limits: Sequence[Reached]) -> None:
    mpl.rcParams.update(
        {
            "font.family": "DejaVu Sans",
            "font.size": 8.5,
            "svg.hashsalt": "performance",
            "svg.fonttype": "none",
        }
    )
    for name, figure in (
        ("gpu", _gpu()),
        ("deployments", _deployments(outcomes)),
        ("limits", _limits(limits)),
    ):
        path = folder / f"performance-{name}.svg"
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", pad_inches=0.12)
        plt.close(figure)


def _gpu() -> Figure:
    figure, axes = plt.subplots(figsize=(7.6, 3.9))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    for (strategy, precision), (colour, dashes, up) in _LINES.items():
        how = "one answer" if strategy is Strategy.SINGLE else "in sections"
        seconds = [
            taken(rounds_of(sample(), strategy), as_shipped(precision), jobs=jobs).gpu_seconds
            for jobs in LOADS
        ]
        axes.plot(LOADS, seconds, color=colour, linestyle=dashes, marker="o", markersize=3.2)
        axes.annotate(
            f"{how}, {PRECISIONS[precision]}",
            (LOADS[-1], seconds[-1]),
            xytext=(7, up),
            textcoords="offset points",
            va="center",
            color=colour,
        )
        axes.annotate(
            f"{seconds[0]:.0f}",
            (LOADS[0], seconds[0]),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
        )
    _dress(axes, "GPU seconds for one summary of 4,000 words, by jobs at once on one H100")
    axes.set_xlabel("jobs at once", color=FAINT)
    axes.set_xlim(0.75, 34)
    axes.set_ylim(4, 150)
    axes.xaxis.set_major_locator(FixedLocator(LOADS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda jobs, _: f"{jobs:.0f}"))
    axes.yaxis.set_major_locator(FixedLocator([5, 10, 20, 50, 100]))
    price = catalogue().pools["ADA_80_PRO"].dollars_per_second * 1_000
    axes.yaxis.set_major_formatter(FuncFormatter(lambda s, _: f"{s:.0f} s   ${s * price:.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("seconds;  $ for 1,000 on a card that is up", color=FAINT)
    return figure


def _deployments(outcomes: Sequence[Outcome]) -> Figure:
    figure, axes = plt.subplots(figsize=(7.6, 4.0))
    labels, at = [], []
    place = 0.0
    for each, before in zip(outcomes, [None, *outcomes], strict=False):
        place += 1.7 if before and before.deployment.a_day != each.deployment.a_day else 1
        busy = each.dollars * each.busy_share
        axes.barh(place, busy, color=_BLUE, height=0.72)
        axes.barh(place, each.dollars - busy, left=busy, color=_GREY, height=0.72)
        axes.annotate(
            f"${each.dollars:,.0f}   half within {each.median_wait:.0f} s, 95 % {each.p95_wait:.0f} s",
            (each.dollars, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.4,
            color=_INK,
            fontweight="bold" if each.deployment.is_chosen else "normal",
        )
        labels.append(f"{each.deployment.a_day:,} a day: {each.deployment.how}")
        at.append(place)
    _dress(axes, "GPU dollars for 1,000 summaries, by deployment (FP8 on H100)", grid="x")
    axes.set_yticks(at, labels)
    for label, each in zip(axes.get_yticklabels(), outcomes, strict=True):
        label.set_fontweight("bold" if each.deployment.is_chosen else "normal")
    axes.invert_yaxis()
    axes.set_xlim(0, max(each.dollars for each in outcomes) * 1.42)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda dollars, _: f"${dollars:.0f}"))
    axes.legend(
        handles=[mpl.patches.Patch(color=_BLUE, label="reading and writing"),
                 mpl.patches.Patch(color=_GREY, label="starting and idle")],
        loc="lower right", frameon=False,
    )  # fmt: skip
    return figure


def _limits(limits: Sequence[Reached]) -> Figure:
    shown = [each for each in limits if each.a_day_in_busy_hours < 1e8]
    figure, axes = plt.subplots(figsize=(7.6, 4.3))
    axes.set_xscale("log")
    for place, each in enumerate(shown):
        a_day = each.a_day_in_busy_hours
        axes.barh(place, a_day, left=0, color=_WHOSE[each.whose], height=0.72)
        axes.annotate(
            f"{float(f'{a_day:.2g}'):,.0f}",
            (a_day, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.6,
        )
    _dress(
        axes,
        f"What is reached first, in transcripts a day (all within {24 // PEAK} hours)",
        grid="x",
    )
    axes.set_yticks(range(len(shown)), [each.name.replace("`", "") for each in shown])
    axes.set_xlim(10, 2e8)
    for times in (10, 1_000, 100_000):
        axes.axvline(times * 10, color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=4)
        axes.annotate(
            f"10 a day {TIMES} {times:,}",
            (times * 10, -0.75),
            ha="center",
            va="bottom",
            fontsize=7,
            color=FAINT,
        )
    axes.set_ylim(len(shown) - 0.4, -1.4)
    axes.xaxis.set_major_locator(FixedLocator([10**power for power in range(1, 9)]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(
            lambda number, _: f"{number:,.0f}" if number < 1e6 else f"{number / 1e6:,.0f} M"
        )
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend(
        handles=[mpl.patches.Patch(color=_WHOSE[whose], label=text) for whose, text in _WHOSE_TEXT.items()],
        loc="lower left", bbox_to_anchor=(0.0, -0.22), ncols=3, frameon=False,
    )  # fmt: skip
    return figure


def _dress(axes: Axes, title: str, grid: str = "both") -> None:
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=_INK, pad=10)
    axes.grid(axis=grid, color=_GRID, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GREY)
