"""Lines and bars over the periods of a run, and the axes that they stand on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from benchmarks.dashboard.sums import Buckets, Values

FAINT = "#687078"


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 2].rstrip()} …"


def line(
    axes: Axes, buckets: Buckets, values: Values, options: Mapping[str, Any], *, on_top: int
) -> None:
    there = ~np.isnan(values)
    axes.plot(
        buckets.minutes[there],
        values[there],
        color=options.get("color"),
        label=options["label"],
        linewidth=1.3,
        marker="o",
        markersize=2.2,
        zorder=3 + on_top / 10,
        clip_on=False,
    )


def stack(axes: Axes, buckets: Buckets, drawn: Sequence[tuple[Values, Mapping[str, Any]]]) -> None:
    floor = np.zeros(buckets.number)
    for values, options in drawn:
        heights = np.nan_to_num(values)
        axes.bar(
            buckets.minutes - buckets.seconds / 120,
            heights,
            bottom=floor,
            width=buckets.seconds / 60 * 0.86,
            color=options.get("color"),
            label=options["label"],
            zorder=3,
        )
        floor = floor + heights


def dress(axes: Axes, properties: Mapping[str, Any], buckets: Buckets) -> None:
    left = properties.get("yAxis", {}).get("left", {})
    axes.set_xlim(0, buckets.seconds * buckets.number / 60)
    top = left.get("max") or max(axes.get_ylim()[1], 1)
    axes.set_ylim(left.get("min", 0), top)
    axes.set_ylabel(left.get("label", ""), color=FAINT, fontsize=6.8, labelpad=2)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", color="#eaeded", linewidth=0.7, zorder=0)
    axes.tick_params(length=0, labelsize=6.5, labelcolor=FAINT, pad=2)
    axes.xaxis.set_major_formatter(
        lambda minute, _: f"{minute * 60 // 60:.0f}:{minute * 60 % 60:02.0f}"
    )
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#aab7b8")
