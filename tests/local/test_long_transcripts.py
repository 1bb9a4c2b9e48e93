"""Transcripts that take many requests, and lengths that take further tries, through the deployed stack."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.jobs.job import JobState
from core.summaries.options import Mode
from local.stack.needs import ROOT
from runpod_simulator import Rule
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
    local: Local, marker: str, file_of: Callable[[str], Path], mode: Mode
) -> None:
    # Three meetings that say the same would be one to a worker that repeats no sentence.
    meetings = [MEETING.replace(". ", f" in week {week}. ") for week in ("one", "two", "three")]
    upload = local.upload(file_of("\n".join(meetings)), f"{marker}.txt", mode=mode)

    history = local.stack.wait_for_job(upload, timeout_seconds=180)

    assert history.job.state is JobState.SUCCEEDED, history.job.reason
    if mode is Mode.PUSH:
        stages = [event.what for event in history.events if event.what.startswith("stage")]
        assert stages[:2] == ["stage 1: notes", "stage 2: outline"]
        assert len([call for call in history.calls if call.ask.startswith("notes")]) >= 2
    else:
        [request] = local.runpod_jobs(marker)
        assert request.output["manifest"]["calls"] >= 3
    words = len(local.stack.summary(history.job).text.split())
    assert words == pytest.approx(4_000, rel=0.1)


@pytest.fixture
def terse_model(local: Local) -> Iterator[None]:
    local.model.model.rules.add(Rule(scenarios=("too-short=0.4",)))
    yield
    local.model.model.rules.clear()


@pytest.mark.usefixtures("terse_model")
def test_a_model_that_writes_two_fifths_of_the_requested_words_still_reaches_the_length(
    local: Local, marker: str, file_of: Callable[[str], Path], mode: Mode
) -> None:
    upload = local.upload(file_of(MEETING), f"{marker}.txt", mode=mode)

    history = local.stack.wait_for_job(upload, timeout_seconds=180)

    summary = local.stack.summary(history.job)
    assert summary.facts["writing"]["tries"]
    assert len(summary.text.split()) == pytest.approx(history.job.target_words, rel=0.1)


def test_an_override_in_the_folder_is_followed(
    local: Local, marker: str, transcript: Callable[[str], str], mode: Mode
) -> None:
    folders = f"summary-language=Welsh/summary-mode={mode}"
    upload = local.stack.upload(transcript(marker), f"{folders}/{marker}.txt")

    history = local.stack.wait_for_job(upload)

    [prompt] = local.model.prompts(marker)
    [request] = local.runpod_jobs(marker)
    assert history.job.options.language == "Welsh"
    assert "Write in Welsh" in prompt
    assert ("work_order" in request.input) is (mode is Mode.PULL)


def test_gzipped_captions_are_read_with_their_speakers(
    local: Local, marker: str, tmp_path: Path, mode: Mode
) -> None:
    captions = (
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n"
        f"<v Ada Okafor>The {marker} flood wall needs nineteen thousand euros.</v>\n\n"
        "00:00:05.000 --> 00:00:09.000\n<v Bruno Keller>We agreed to ask the county.</v>\n"
    )
    path = tmp_path / "captions.vtt.gz"
    path.write_bytes(gzip.compress(captions.encode()))
    upload = local.upload(path, f"{marker}.vtt.gz", mode=mode)

    history = local.stack.wait_for_job(upload)

    [prompt] = local.model.prompts(marker)
    assert history.job.state is JobState.SUCCEEDED, history.job.reason
    assert "Bruno Keller: We agreed to ask the county." in prompt
    assert history.job.summary_key == f"summaries/{marker}.vtt.gz.txt"
