"""Measures everything that docs/performance.md tells, and prints one table.

    python -m benchmarks
    python -m benchmarks gpu cold_start --json out/benchmarks.json
    python -m benchmarks --keep

Each figure stands beside a floor or a peer that was measured in the same run: machines differ and are
noisy, so the ratio is what counts. With --keep the page's table is made of them.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from itertools import chain
from pathlib import Path
from pkgutil import iter_modules

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from benchmarks import measures, page, results
from benchmarks.figures import Figure

MEASURES = tuple(sorted(module.name for module in iter_modules(measures.__path__)))
_WIDEST = 110
_VERDICTS = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}


def of_every_run() -> list[str]:
    """Return the measures that are taken without being named: not those that take minutes."""
    return [
        name
        for name in MEASURES
        if not getattr(import_module(f"benchmarks.measures.{name}"), "ONLY_WHEN_NAMED", False)
    ]


def measured(names: Sequence[str], console: Console) -> dict[str, Sequence[Figure]]:
    """Return the figures of each measure, and say meanwhile what is being measured."""
    figures: dict[str, Sequence[Figure]] = {}
    for name in names:
        with console.status(f"measuring {name} ..."):
            figures[name] = import_module(f"benchmarks.measures.{name}").figures()
    return figures


def table(figures: Sequence[Figure]) -> Table:
    """Return the figures by group, each with what it is measured against on a line below."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="dim")
    shown.add_column("what, and beside what", ratio=1)
    for column in ("measured", "ratio", "goal"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for group, members in page.by_group(figures):
        shown.add_row(f"[bold]{group}[/]")
        for each in members:
            verdict = _VERDICTS[each.is_met]
            shown.add_row(
                escape(each.name), each.value_text, each.ratio_text, each.goal_text, verdict
            )
            if each.beside:
                beside = Padding(escape(each.beside), (0, 0, 0, 2), style="dim")
                shown.add_row(beside, f"[dim]{each.beside_value_text}[/]")
        shown.add_section()
    return shown


def summed(figures: Sequence[Figure]) -> str:
    """Say how many goals are met, and why others are missed, as far as that is known."""
    goals = [each for each in figures if each.is_met is not None]
    missed = [each for each in goals if not each.is_met]
    told = [f"{len(goals) - len(missed)} of {len(goals)} goals are met."]
    for why in dict.fromkeys(each.note for each in missed):
        names = "; ".join(each.name for each in missed if each.note == why)
        told.append(
            f"[red]missed[/] {escape(names)}\n  [dim]{escape(why or 'no reason is known')}[/]"
        )
    return "\n".join(told)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(MEASURES))
@click.option("--json", "file", type=click.Path(path_type=Path), help="where to write the figures")
@click.option(
    "--keep", is_flag=True, help="for docs/performance.md: benchmarks/results.json and its table"
)
def main(names: Sequence[str], file: Path | None, keep: bool) -> None:
    """Print the table; NAMES are some of the measures, else all but `setup` and `stack` are taken."""
    console = Console()
    console.width = min(console.width, _WIDEST)
    found = measured(names or of_every_run(), console)
    figures = list(chain.from_iterable(found.values()))
    console.print(table(figures))
    console.print(summed(figures), highlight=False)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n")
    if keep:
        results.keep(found)
        page.rewrite()


if __name__ == "__main__":
    main()
