"""A release that is taken back leaves its jobs to the one before it, which goes on with them.

The release before is run as it was, from the history of this repository; in a clone without it the
tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.scenario_runner import scenario_runner
from tests.upgrade.moments import write
from tests.upgrade.previous import PREVIOUS, ROOT, previous_release
from tests.upgrade.record import record
from tests.upgrade.situations import SITUATIONS

_RECORDED = {
    "retried",
    "submitter died publishing the summary",
    "prompts too long for the endpoint",
    "pulled and retried",
}


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Return the previous release's tree, with what resumes a recording."""
    tree = previous_release(tmp_path)
    for name in ("upgrade", "faults"):
        shutil.copytree(ROOT / "tests" / name, tree / "tests" / name, dirs_exist_ok=True)
    added = PREVIOUS / "added"  # what these tests import by names that it had not yet
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
