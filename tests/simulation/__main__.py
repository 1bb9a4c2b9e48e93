"""Many runs over every core, or the history of one.

python -m tests.simulation --seeds 10000
python -m tests.simulation --seed 42
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

_SEEDS_PER_CHUNK = 20
_MOST_SHOWN = 3  # histories of broken runs
_ENOUGH_SEEDS = 1_000  # to expect every kind of fault to have happened


@dataclass
class Sum:
    """The results of many runs."""

    seeds: int = 0
    effects: int = 0
    gpu_runs: int = 0
    jobs: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Sum") -> None:
        self.seeds += other.seeds
        self.effects += other.effects
        self.gpu_runs += other.gpu_runs
        self.jobs += other.jobs
        self.tally += other.tally
        self.broken |= other.broken


@click.command()
@click.option("--seeds", type=click.IntRange(min=1), default=1_000, help="How many runs.")
@click.option("--first", type=int, default=0, help="The first seed.")
@click.option("--seed", type=int, help="Print one run's history instead.")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count() or 1)
def main(seeds: int, first: int, seed: int | None, workers: int) -> None:
    """Let everything go wrong that can, and check every invariant."""
    console = Console(highlight=False)
    if seed is not None:
        sys.exit(_show(seed, console))
    began = time.monotonic()
    total = Sum()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} a minute"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("Runs", total=seeds, rate=0.0)
        for chunk in _chunks(first, seeds, workers):
            total.add(chunk)
            rate = total.seeds / (time.monotonic() - began) * 60
            progress.update(task, completed=total.seeds, rate=rate)
            for number, what in chunk.broken.items():
                progress.console.print(f"[red]seed {number}[/]: {what}", soft_wrap=True)
    console.print(_table("How the jobs ended", total.jobs))
    console.print(_table("What went wrong on the way", total.tally))
    seconds = time.monotonic() - began
    console.print(
        f"{total.seeds:,} runs, {total.jobs.total():,} jobs, {total.gpu_runs:,} GPU runs,"
        f" {total.effects:,} effects in {seconds:,.0f} s on {workers} cores"
        f" ({total.seeds / seconds * 60:,.0f} runs a minute)"
    )
    sys.exit(_verdict(total, console))


def _verdict(total: Sum, console: Console) -> int:
    for number in sorted(total.broken)[:_MOST_SHOWN]:
        _show(number, console)
    if total.broken:
        console.print(
            f"[red]{len(total.broken)} runs broke an invariant.[/] Again:"
            f" python -m tests.simulation --seed {min(total.broken)}"
        )
        return 1
    never = [name for name in _must_happen() if not total.tally[name]]
    if never and total.seeds >= _ENOUGH_SEEDS:
        console.print(
            f"[red]Never happened, so nothing was tried against it:[/] {', '.join(never)}"
        )
        return 1
    console.print("[green]Every invariant held.[/]")
    return 0


def _show(seed: int, console: Console) -> int:
    """Print the history of one run, and say whether it broke an invariant."""
    from tests.simulation.functions import simulated
    from tests.simulation.run import run_seed

    with simulated() as output:
        outcome = run_seed(seed, output, keeps_history=True)
    for line in outcome.history:
        console.print(str(line), markup=False, soft_wrap=True)
    console.print(f"seed {seed}, {outcome.profile}", soft_wrap=True)
    console.print(
        f"[red]{outcome.broken}[/]" if outcome.broken else "[green]Every invariant held.[/]"
    )
    return 1 if outcome.broken else 0


def _chunks(first: int, seeds: int, workers: int) -> Iterator[Sum]:
    last = first + seeds
    with ProcessPoolExecutor(workers, initializer=prepare) as pool:
        running = [
            pool.submit(_run_chunk, start, min(start + _SEEDS_PER_CHUNK, last))
            for start in range(first, last, _SEEDS_PER_CHUNK)
        ]
        for future in as_completed(running):
            yield future.result()


def _run_chunk(first: int, last: int) -> Sum:
    from tests.simulation.functions import simulated
    from tests.simulation.run import run_seed

    total = Sum()
    with simulated() as output:
        for seed in range(first, last):
            outcome = run_seed(seed, output)
            total.add(
                Sum(
                    seeds=1,
                    effects=outcome.effects,
                    gpu_runs=outcome.gpu_runs,
                    jobs=outcome.jobs,
                    tally=outcome.tally,
                    broken={seed: outcome.broken} if outcome.broken else {},
                )
            )
    return total


def _must_happen() -> list[str]:
    from tests.simulation.fault_profile import FAULTS
    from tests.simulation.habits import MUST_HAPPEN
    from tests.simulation.pull_worker import FAULTS as WORKER_FAULTS

    return [
        *FAULTS,
        *(f"worker: {fault}" for fault in WORKER_FAULTS),
        *MUST_HAPPEN,
        "callbacks given up",
        "callbacks repeated",
        "callbacks forged",
        "DynamoDB: another transaction in the way",
        "S3: 409",
        "S3: refused for long",
        "RunPod: away for long",
        "deployments",
        "messages dead",
    ]


def prepare() -> None:
    """Set what Powertools reads when the functions' modules are first imported."""
    os.environ["POWERTOOLS_SERVICE_NAME"] = "simulation"
    os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Simulation"
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


def _table(title: str, counted: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    for name, number in counted.most_common():
        table.add_row(name, f"{number:,}")
    return table


if __name__ == "__main__":
    prepare()
    main()
