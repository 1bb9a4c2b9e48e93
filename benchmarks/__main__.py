"""Measures everything that docs/performance.md tells, and prints one table.

    python -m benchmarks
    python -m benchmarks gpu cold_start --json out/benchmarks.json

Each figure stands beside a floor or a peer that was measured in the same run: machines differ and are
noisy, so the ratio is what counts.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import iter_modules

import click
from rich.console import Console
from rich.table import Table

from benchmarks import measures
from benchmarks.figures import Figure

MEASURES = tuple(sorted(module.name for module in iter_modules(measures.__path__)))


def measured(names: Sequence[str], console: Console) -> list[Figure]:
    """Return the figures of each measure, and say meanwhile what is being measured."""
    figures: list[Figure] = []
    for name in names:
        with console.status(f"measuring {name} ..."):
            figures += import_module(f"benchmarks.measures.{name}").figures()
    return figures


def table(figures: Sequence[Figure]) -> Table:
    shown = Table(title="Measured in one run")
    for column in ("what", "measured", "beside", "ratio", "goal", ""):
        shown.add_column(column, justify="left" if column in ("what", "beside", "") else "right")
    for group, members in groupby(
        sorted(figures, key=lambda each: each.group), lambda each: each.group
    ):
        shown.add_row(f"[bold]{group}[/]")
        for each in members:
            shown.add_row(*_row(each))
        shown.add_section()
    return shown


def _row(each: Figure) -> tuple[str, ...]:
    beside = f"{each.beside}: {each.beside_value:,.4g}" if each.beside_value is not None else ""
    ratio = "" if each.ratio is None else f"{each.ratio:,.3g}"
    goal = [f"≤ {each.most:,.4g}"] if each.most is not None else []
    goal += [f"≥ {each.least:,.4g}"] if each.least is not None else []
    verdict = {None: "", True: "met", False: "missed"}[each.is_met]
    return (
        f"  {each.name}",
        f"{each.value:,.4g} {each.unit}",
        beside,
        ratio,
        ", ".join(goal),
        verdict,
    )


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(MEASURES))
@click.option("--json", "file", type=click.Path(path_type=Path), help="where to write the figures")
def main(names: Sequence[str], file: Path | None) -> None:
    """Print the table; NAMES are some of the measures, else all are taken."""
    console = Console()
    figures = measured(names or MEASURES, console)
    console.print(table(figures))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
