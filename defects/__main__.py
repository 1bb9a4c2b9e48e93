"""Command line: `python -m defects --help`."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from defects.page import PAGE, page
from defects.plant import Plant
from defects.plants import PLANTS
from defects.trial import Outcome, Verdict, try_plant, try_sound

_AT_ONCE = 2
_BY_NAME = {plant.name: plant for plant in PLANTS}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="NAME",
    type=click.Choice(sorted(_BY_NAME)),
    help="Try this defect; may be given more than once. By default all.",
)
@click.option("--write", is_flag=True, help="Write docs/planted-defects.md if all are caught.")
def main(names: tuple[str, ...], write: bool) -> None:
    """Plant known defects in copies of the tree and see whether the tests notice each one.

    Exits with 1 unless all are caught.
    """
    if write and names:
        raise click.UsageError("the page lists all defects: --write goes without --only")
    plants = [_BY_NAME[name] for name in names] or list(PLANTS)
    console = Console(highlight=False)
    began = time.monotonic()
    outcomes = _tried(plants, console, named_only=bool(names))
    caught = [outcome for outcome in outcomes if outcome.verdict is Verdict.CAUGHT]
    minutes = (time.monotonic() - began) / 60
    console.print(f"{len(caught)} of {len(plants)} caught in {minutes:.1f} minutes")
    if len(caught) < len(plants):
        sys.exit(1)
    if write:
        PAGE.write_text(page(caught, minutes=minutes), encoding="utf-8")


def _tried(plants: Sequence[Plant], console: Console, *, named_only: bool) -> list[Outcome]:
    """Try the tests without a defect, then each plant; return the outcomes in the plants' order."""
    stop = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    outcomes: list[Outcome] = []
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("without a defect", total=len(plants))
        tests = sorted({plant.file for plant in plants}) if named_only else []
        trouble = try_sound(tests, stop=stop)
        if trouble:
            raise click.ClickException(f"the tests do not pass without a defect: {trouble}")
        progress.update(task, description="planted")
        for outcome in _outcomes(plants, stop):
            outcomes.append(outcome)
            _tell(outcome, console)
            progress.advance(task)
    return sorted(outcomes, key=lambda outcome: plants.index(outcome.plant))


def _outcomes(plants: Sequence[Plant], stop: threading.Event) -> Iterator[Outcome]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            trials = [pool.submit(try_plant, plant, stop=stop) for plant in plants]
            for trial in as_completed(trials):
                yield trial.result()
        finally:  # also on Ctrl-C: what is under way ends, what waits is left
            stop.set()
            pool.shutdown(cancel_futures=True)


def _tell(outcome: Outcome, console: Console) -> None:
    colour = "green" if outcome.verdict is Verdict.CAUGHT else "red"
    by = f" by {outcome.caught_by}" if outcome.caught_by else ""
    console.print(
        f"[{colour}]{outcome.verdict}[/] {outcome.plant.name}{by} ({outcome.seconds:.0f} s)",
        soft_wrap=True,
    )
    if outcome.told:
        console.print(outcome.told, markup=False, style="dim", soft_wrap=True)


if __name__ == "__main__":
    main()
