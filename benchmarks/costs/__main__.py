"""Computes the cost model, the deployments and the limits of docs/performance.md, and prints them.

    python -m benchmarks.costs
    python -m benchmarks.costs --words 10000 --keep

Takes a few minutes: each job is made over moto, and each deployment is simulated. With --keep the page's
tables are made of it, and its pictures are drawn.
"""

from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import page
from benchmarks.costs import charts, kept, paper
from benchmarks.costs.limits import per_job, reached
from benchmarks.costs.usage import usage_of

_DOCS = Path(__file__).parents[2] / "docs"
_SAMPLE_WORDS = 10_000
_ON_THE_PAGE = ("what an operator turns", "whose", "a day, evenly", "$ each", "$ a second", "other")


@click.command()
@click.option(
    "--words", type=int, multiple=True, default=paper.WORDS, show_default=True,
    help="Lengths of transcripts; 10,000 has to be among them.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Write docs/performance.md's tables and pictures anew.")
def main(words: Sequence[int], keep: bool) -> None:
    """Print the tables."""
    console = Console()
    with console.status("making jobs over moto ..."):
        usages = [usage_of(each) for each in sorted({*words, _SAMPLE_WORDS})]
    with console.status("simulating deployments ..."):
        outcomes = paper.outcomes()
    with console.status("reading and writing on a modelled card ..."):
        tables = paper.computed(usages, outcomes)
    for name, (head, rows, numbers) in tables.items():
        _show(console, name, head, rows, numbers)
    if keep:
        kept.keep(tables)
        page.rewrite()
        limits = reached(per_job(usage_of(_SAMPLE_WORDS)))
        charts.draw(_DOCS, outcomes=outcomes, limits=limits)


def _show(
    console: Console,
    name: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Sequence[int],
) -> None:
    """Print a table; what a reader of the page is told in sentences is left to the page."""
    shown = Table(title=name, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    columns = [at for at, column in enumerate(head) if column not in _ON_THE_PAGE]
    for at in columns:
        shown.add_column(head[at], justify="right" if at in numbers else "left")
    for row in rows:
        shown.add_row(*(escape(row[at].strip("*")) for at in columns))
    console.print(shown)


if __name__ == "__main__":
    main()
