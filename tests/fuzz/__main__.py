"""`make fuzz`: hostile callbacks against the receiver, on every core, until so many were answered.

python -m tests.fuzz --requests 100000 --seed 7
python -m tests.fuzz --seed 7 --episode 1234      one episode of it again
"""

import os
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

# Powertools reads these when the receiver is first imported.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "fuzz")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Fuzz")

from tests.fuzz.checks import CODES
from tests.fuzz.run import REQUESTS_PER_EPISODE, Tally, run_episodes

_EPISODES_AT_ONCE = 10
_FEWEST_TO_COVER_ALL = 20_000


@click.command()
@click.option("--requests", default=100_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", type=int, help="Makes the same requests again. Default: a new one.")
@click.option("--episode", type=int, help="Only this episode.")
@click.option("--processes", default=os.cpu_count(), show_default=True, type=click.IntRange(min=1))
def fuzz(requests: int, seed: int | None, episode: int | None, processes: int) -> None:
    """Send hostile callbacks to the receiver and judge every answer."""
    console = Console()
    seed = secrets.randbelow(10**6) if seed is None else seed
    console.print(f"seed {seed}", highlight=False)
    started = time.monotonic()
    if episode is not None:
        tally = run_episodes(seed, episode, episode + 1)
    else:
        tally = _run_all(console, seed, -(-requests // REQUESTS_PER_EPISODE), processes)
    seconds = time.monotonic() - started

    console.print(_table(tally))
    moves = ", ".join(f"{move} {count:,}" for move, count in tally.steps.most_common())
    console.print(f"calls moved: {moves}\n", highlight=False)
    for fault in tally.faults:
        again = f"python -m tests.fuzz --seed {seed} --episode {fault.episode}"
        console.print(
            f"FAULT {fault.what}\n  request {fault.number}: {'; '.join(fault.kinds)}\n  {again}\n",
            highlight=False,
            markup=False,
        )
    covers_all = tally.requests >= _FEWEST_TO_COVER_ALL
    lacking = tally.lacking if covers_all else []
    for each in lacking:
        console.print(f"PROVES TOO LITTLE {each}", highlight=False, markup=False)
    console.print(
        f"{tally.requests:,} requests in {seconds:.0f} s, {tally.requests / seconds:,.0f} a second on"
        f" {processes} processes; {tally.genuine:,} genuine; {len(tally.faults)} faults; seed {seed}",
        highlight=False,
    )
    sys.exit(bool(tally.faults or lacking))


def _run_all(console: Console, seed: int, episodes: int, processes: int) -> Tally:
    total = Tally()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    started = time.monotonic()
    # Every process begins afresh: none has the threads and the logger of this one.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    with pool, Progress(*columns, console=console) as progress:
        count = episodes * REQUESTS_PER_EPISODE
        task = progress.add_task("requests", total=count, rate="")
        for tally in _in_batches(pool, seed, episodes, processes * 3):
            total.add(tally)
            rate = total.requests / (time.monotonic() - started)
            progress.update(task, completed=total.requests, rate=f"{rate:,.0f}/s")
    return total


def _in_batches(
    pool: ProcessPoolExecutor, seed: int, episodes: int, most_waiting: int
) -> Iterator[Tally]:
    waiting: set[Future[Tally]] = set()
    for first in range(0, episodes, _EPISODES_AT_ONCE):
        last = min(first + _EPISODES_AT_ONCE, episodes)
        waiting.add(pool.submit(run_episodes, seed, first, last))
        if len(waiting) >= most_waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in waiting)


def _table(tally: Tally) -> Table:
    by_kind: dict[str, dict[int, int]] = defaultdict(dict)
    for (kind, code), count in tally.answers.items():
        by_kind[kind][code] = count
    codes = sorted({*CODES, *tally.codes})
    table = Table("what was sent", *(str(code) for code in codes))
    for kind in sorted(by_kind):
        table.add_row(kind, *(f"{by_kind[kind].get(code, 0):,}" for code in codes))
    table.add_section()
    table.add_row("all", *(f"{tally.codes[code]:,}" for code in codes))
    return table


if __name__ == "__main__":
    fuzz()
