"""No answer of a model can hold up what reads it, or bring it down."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.summaries.hostile import READERS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_answer_is_read_in_linear_time(reader: str) -> None:
    """In a process of its own: a regex that has begun can't be stopped from within."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.summaries.hostile", reader],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, f"{ended.stdout[-200:]}\n{ended.stderr[-2000:]}"
