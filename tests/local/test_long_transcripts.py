"""Transcripts that take many requests, and lengths that take a repair, through the deployed stack."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.jobs import JobState
from local.stack.needs import ROOT
from tests.local.conftest import Local

MEETING = (ROOT / "samples/product-planning-meeting.txt").read_text(encoding="utf-8")


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "transcript.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_transcript_longer_than_the_context_becomes_one_summary(
    local: Local, marker: str, file_of: Callable[[str], Path]
) -> None:
    # Three meetings that say the same would be one to a worker that repeats no sentence.
    meetings = [MEETING.replace(". ", f" in week {week}. ") for week in ("one", "two", "three")]
    upload = local.stack.upload(file_of("\n".join(meetings)), f"{marker}.txt")

    history = local.stack.wait_for_job(upload)

    stages = [event.what for event in history.events if event.what.startswith("stage")]
    assert history.job.state is JobState.SUCCEEDED, history.job.reason
    assert stages[:2] == ["stage 1: notes", "stage 2: compose"]
    assert len([call for call in history.calls if call.task.kind == "notes"]) >= 2
    words = len(local.stack.summary(history.job).text.split())
    assert 3_000 <= words <= 5_000  # within what is not repaired


@pytest.fixture
def terse_model(local: Local) -> Iterator[None]:
    local.simulator.use("too-short=0.4")
    yield
    local.simulator.clear()


@pytest.mark.usefixtures("terse_model")
def test_a_model_that_returns_two_fifths_of_what_it_was_asked_still_fills_the_length(
    local: Local, marker: str, file_of: Callable[[str], Path]
) -> None:
    upload = local.stack.upload(file_of(MEETING), f"{marker}.txt")

    history = local.stack.wait_for_job(upload)

    words = len(local.stack.summary(history.job).text.split())
    assert history.job.repairs >= 1
    assert words == pytest.approx(history.job.target_words, rel=0.1)


def test_a_choice_in_the_folder_is_followed(
    local: Local, marker: str, transcript: Callable[[str], str]
) -> None:
    upload = local.stack.upload(transcript(marker), f"summary-language=Welsh/{marker}.txt")

    history = local.stack.wait_for_job(upload)

    [request] = local.runpod_jobs(marker)
    assert history.job.request.language == "Welsh"
    assert "Write in Welsh" in request.input["openai_input"]["messages"][1]["content"]


def test_gzipped_captions_are_read_with_their_speakers(
    local: Local, marker: str, tmp_path: Path
) -> None:
    captions = (
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n"
        f"<v Ada Okafor>The {marker} flood wall needs nineteen thousand euros.</v>\n\n"
        "00:00:05.000 --> 00:00:09.000\n<v Bruno Keller>We agreed to ask the county.</v>\n"
    )
    path = tmp_path / "captions.vtt.gz"
    path.write_bytes(gzip.compress(captions.encode()))
    upload = local.stack.upload(path, f"{marker}.vtt.gz")

    history = local.stack.wait_for_job(upload)

    [request] = local.runpod_jobs(marker)
    prompt = request.input["openai_input"]["messages"][1]["content"]
    assert history.job.state is JobState.SUCCEEDED, history.job.reason
    assert "Bruno Keller: We agreed to ask the county." in prompt
    assert history.job.summary_key == f"summaries/{marker}.vtt.gz.txt"
