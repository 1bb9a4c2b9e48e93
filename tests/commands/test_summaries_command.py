"""`summaries` is installed with the environment, and works from any folder and through a link."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INSTALLED = Path(sys.prefix) / "bin/summaries"


def run(command: Path, *arguments: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_it_works_through_a_link_from_a_folder_that_has_modules_of_the_same_names(
    tmp_path: Path,
) -> None:
    (tmp_path / "cli.py").write_text("raise SystemExit(9)")
    (tmp_path / "linked").symlink_to(INSTALLED)

    told = run(tmp_path / "linked", "--help", folder=tmp_path)

    assert told.startswith("Usage: summaries ")
    assert "watch" in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_it(tmp_path: Path, shell: str) -> None:
    told = run(
        INSTALLED,
        folder=tmp_path,
        _SUMMARIES_COMPLETE=f"{shell}_complete",
        COMP_WORDS="summaries stat",
        COMP_CWORD="stat" if shell == "fish" else "1",
    )

    assert "status" in told
