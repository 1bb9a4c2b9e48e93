"""Small slips in the pure modules, one at a time, by mutmut: which do no tests notice?

    python -m tests.mutants.slips [MODULE ...]      core.words core.runpod.reports ...

`[tool.mutmut]` in pyproject.toml names the modules and the tests. Results stay in mutants/, so that a run that was
interrupted goes on where it stopped; delete the folder after a change. What survives is a test to write, a
condition that no input reaches, or a message's wording: `mutmut show NAME` says which.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click
from mutmut.__main__ import status_by_exit_code

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "mutants"
_AT_ONCE = "2"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("modules", nargs=-1)
def main(modules: tuple[str, ...]) -> None:
    """Try the slips of these MODULES, or all, and print each module's score."""
    patterns = [f"{module}.*" for module in modules]
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", _AT_ONCE]
    ended = subprocess.run([*command, *patterns], cwd=ROOT, check=False)
    for line in scores(RESULTS):
        click.echo(line)
    sys.exit(ended.returncode)


def scores(results: Path) -> list[str]:
    """Return a line for each module: how many of its slips were noticed, and which were not."""
    lines = []
    for file in sorted(results.rglob("*.py.meta")):
        exit_codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        found = Counter(status_by_exit_code[code] for code in exit_codes.values())
        tried = found.total() - found["not checked"] - found["no tests"]
        if not tried:
            continue
        noticed = found["killed"] + found["timeout"] + found["segfault"]
        module = str(file.relative_to(results)).removesuffix(".meta")
        lines.append(f"{module}: {noticed} of {tried} noticed ({noticed / tried:.0%})")
        lines += [
            f"  survived {name}"
            for name, code in exit_codes.items()
            if status_by_exit_code[code] == "survived"
        ]
    return lines


if __name__ == "__main__":
    main()
