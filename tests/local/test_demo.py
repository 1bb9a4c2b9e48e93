"""What the demo shows and writes, on the stack that is there."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from local.demo import Demo, JobFailedError
from tests.local.conftest import Local


def test_the_demo_shows_the_audit_and_the_reason_of_a_job_that_failed(
    local: Local, tmp_path: Path, marker: str
) -> None:
    empty, out = tmp_path / f"{marker}.txt", tmp_path / "out"
    empty.touch()
    console = Console(file=io.StringIO(), width=200)

    with pytest.raises(JobFailedError, match=r"the file holds no words.*\(empty\)"):
        Demo(transcript=empty, output_folder=out, console=console).run_on(local.stack)

    assert isinstance(console.file, io.StringIO)
    assert "active -> failed" in console.file.getvalue()
    assert not out.exists()


def test_the_demo_takes_a_transcript_whatever_its_file_is_called(
    local: Local, transcript: Callable[[str], str], tmp_path: Path, marker: str
) -> None:
    talk = tmp_path / f"{marker}.vtt"
    talk.write_text(transcript(marker), encoding="utf-8")
    console = Console(file=io.StringIO(), width=200)

    Demo(transcript=talk, output_folder=tmp_path, console=console).run_on(local.stack)

    assert (tmp_path / f"{marker}.vtt-summary.md").exists()
