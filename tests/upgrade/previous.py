"""The release before this one, as it was: its tree from the history of this repository."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.upgrade.moments import RELEASES

ROOT = Path(__file__).parents[2]
PREVIOUS = max(RELEASES.iterdir(), key=lambda folder: [int(n) for n in folder.name.split(".")])
_COMMIT = (PREVIOUS / "commit").read_text(encoding="ascii").strip()


def previous_release(folder: Path) -> Path:
    """Put the release before this one into a folder. Skips the test where the clone has no history."""
    packed, tree = folder / "previous.tar", folder / "previous"
    archive = ["git", "-C", str(ROOT), "archive", "--output", str(packed), _COMMIT]
    if shutil.which("git") is None or subprocess.call(archive, stderr=subprocess.DEVNULL):
        pytest.skip(f"this clone has no history back to {_COMMIT[:12]}")
    with tarfile.open(packed) as files:
        files.extractall(tree, filter="data")
    return tree
