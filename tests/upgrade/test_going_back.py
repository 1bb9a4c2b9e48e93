"""A release that is taken back leaves its jobs to the one before it, which goes on with them.

The release before is run as it was, from the history of this repository; in a clone without it the
tests are skipped.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.faults.scenario_runner import scenario_runner
from tests.upgrade.moments import RELEASES, write
from tests.upgrade.record import record
from tests.upgrade.situations import SITUATIONS

_ROOT = Path(__file__).parents[2]
_PREVIOUS = max(RELEASES.iterdir(), key=lambda folder: [int(n) for n in folder.name.split(".")])
_COMMIT = (_PREVIOUS / "commit").read_text(encoding="ascii").strip()
_RECORDED = {
    "retried",
    "submitter died publishing the summary",
    "prompts too long for the endpoint",
    "pulled and retried",
}


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Return the previous release's tree, with what resumes a recording."""
    packed, tree = tmp_path / "previous.tar", tmp_path / "previous"
    archive = ["git", "-C", str(_ROOT), "archive", "--output", str(packed), _COMMIT]
    if shutil.which("git") is None or subprocess.call(archive, stderr=subprocess.DEVNULL):
        pytest.skip(f"this clone has no history back to {_COMMIT[:12]}")
    with tarfile.open(packed) as files:
        files.extractall(tree, filter="data")
    for name in ("upgrade", "faults"):
        shutil.copytree(_ROOT / "tests" / name, tree / "tests" / name, dirs_exist_ok=True)
    added = _PREVIOUS / "added"  # what these tests import by names that it had not yet
    if added.is_dir():
        shutil.copytree(added, tree, dirs_exist_ok=True)
    return tree


def test_the_release_before_goes_on_with_the_jobs_of_this_one(
    previous: Path, tmp_path: Path
) -> None:
    recorded, known = tmp_path / "recorded", set[str]()
    with scenario_runner() as runner:
        for situation in SITUATIONS:
            if situation.scenario.name in _RECORDED:
                write(record(runner, situation, known), recorded)

    resumed = subprocess.run(
        [sys.executable, "-m", "tests.upgrade.resume", str(recorded)],
        cwd=previous,
        env={**os.environ, "PYTHONPATH": str(previous)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "0 lost" in resumed.stdout
