"""Command line of the soak: `python -m tests.soak --help`."""

from pathlib import Path

import click

from local.options import check_nothing_is_missing
from local.stack import needs
from local.terminal import end_on_signals, errors_as_messages, fail, open_console
from tests.soak.run import Soak, SoakFailedError

_PERCENT = click.FloatRange(0, 100)


@click.command(context_settings={"show_default": True})
@click.option("--jobs", type=click.IntRange(6), default=300, help="Files to upload.")
@click.option("--seed", type=int, default=1, help="Decides the texts and RunPod's faults.")
@click.option(
    "--throttled", type=_PERCENT, default=5.0, help="Percent of the functions' AWS calls."
)
@click.option("--lost", type=_PERCENT, default=30.0, help="Percent of the callbacks.")
@click.option(
    "--longest-minutes", type=float, default=30.0, help="When to stop waiting for the jobs."
)
@click.option("--emulator-python", type=click.Path(path_type=Path))
def main(
    *,
    jobs: int,
    seed: int,
    throttled: float,
    lost: float,
    longest_minutes: float,
    emulator_python: Path | None,
) -> None:
    """Hundreds of transcripts, with faults everywhere; fails if anything is lost or done twice."""
    end_on_signals()
    console = open_console()
    with errors_as_messages(console):
        python = needs.emulator_python(emulator_python)
        check_nothing_is_missing(needs.missing(python))
        soak = Soak(
            jobs=jobs,
            seed=seed,
            throttled_share=throttled / 100,
            lost_share=lost / 100,
            longest_minutes=longest_minutes,
        )
        try:
            soak.run(console, emulator_python=python)
        except SoakFailedError as exc:
            fail(console, f"The soak failed:\n{exc}")


if __name__ == "__main__":
    main()
