"""`make mutants`: undo each decision in a copy of the code and run the tests that must notice.

Ends with 1 unless all are noticed. First the copy as it is must pass every one of those tests.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant, NoLongerApplies

ROOT = Path(__file__).parents[2]
_AT_ONCE = 2
_LONGEST_SECONDS = 600
_PASSED, _FAILED = 0, 1  # pytest's exit codes; others mean that tests could not be run


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Try the mutants of these NAMES, or all."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        raise click.UsageError(f"no such mutant: {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    tests = sorted({file for mutant in mutants for file in mutant.tests})
    click.echo(f"{len(tests)} test files on the code as it is ...")
    code, output = _run(None, tests)
    if code != _PASSED:
        raise click.ClickException(f"they do not pass without a mutant:\n{output}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        noticed = list(pool.map(_is_noticed, mutants))
    click.echo(f"{sum(noticed)} of {len(noticed)} noticed")
    sys.exit(not all(noticed))


def _is_noticed(mutant: Mutant) -> bool:
    try:
        code, output = _run(mutant, mutant.tests)
    except NoLongerApplies as exc:
        click.secho(str(exc), fg="red")
        return False
    if code == _FAILED:
        click.secho(f"noticed   {mutant.name}", fg="green")
        return True
    verdict = "SURVIVED " if code == _PASSED else "UNCLEAR  "
    click.secho(
        f"{verdict} {mutant.name}: {mutant.why}\n{'' if code == _PASSED else output}", fg="red"
    )
    return False


def _run(mutant: Mutant | None, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests in a copy, and return pytest's exit code and the end of what it says."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder) / "tree"
        _copy(tree)
        if mutant:
            (tree / mutant.file).write_text(mutant.changed(ROOT), encoding="utf-8")
        stop_early = ["-x"] if mutant else []
        quiet = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:randomly"]
        command = [
            sys.executable,
            "-m",
            "pytest",
            *quiet,
            f"--basetemp={folder}/pytest",
            *stop_early,
        ]
        try:
            ended = subprocess.run(
                [*command, *tests],
                cwd=tree,
                env=_environment(),
                capture_output=True,
                text=True,
                timeout=_LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return -1, f"the tests did not end in {_LONGEST_SECONDS} seconds"
        return ended.returncode, (ended.stdout + ended.stderr)[-2_000:]


def _copy(tree: Path) -> None:
    """Copy what git tracks or would track; a link stays a link, or it would be another file."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if file.is_file() or file.is_symlink():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, tree / name, follow_symlinks=False)


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return ours | {"PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    main()
