"""Nothing of a long transcript is left out: real sentences from every part of it reach the summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.jobs.job import JobState
from runpod_simulator.workers import vllm
from runpod_simulator.workers.model import WritingModel
from tests.builders import completed_body
from tests.fakes.model import FakeModel
from tests.functions.pipeline import Pipeline

MEETING = Path(__file__).parents[2] / "samples" / "product-planning-meeting.txt"
WEEKS = ("one", "two", "three", "four", "five")


@dataclass
class Extractive(FakeModel):
    """Chooses sentences of what it has read, as the simulator's default worker does."""

    def answer(self, request: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        asked = vllm.parse_input(dict(request["input"]))
        return completed_body(id=runpod_id, output=[WritingModel().complete(asked)])


def test_every_part_of_a_long_transcript_reaches_the_summary_in_order() -> None:
    meeting = MEETING.read_text(encoding="utf-8")
    text = "\n".join(meeting.replace(". ", f" in week {week}. ") for week in WEEKS)
    pipeline = Pipeline(model=Extractive())
    job = pipeline.upload(text)

    pipeline.run()

    job, calls, _ = pipeline.history(job)
    notes = [
        pipeline.s3.objects["out", f"work/{job.id}/{call.id}.txt"].body.decode()
        for call in calls
        if call.ask.startswith("notes")
    ]
    assert job.state is JobState.SUCCEEDED
    assert all(any(f"in week {week}" in each for each in notes) for week in WEEKS)
    _, _, topics = pipeline.summary(job).partition("\n## Topics\n")
    first_told = [topics.find(f"in week {week}") for week in WEEKS]
    assert -1 not in first_told
    assert first_told == sorted(first_told)
