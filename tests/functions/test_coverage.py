"""Nothing of a long transcript is left out: real sentences from every part of it reach the summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runpod_simulator.workers.summary import summarise

from core.jobs.job import JobState
from tests.builders import completed_body, user_prompt
from tests.fakes.model import BLOCK, REQUESTED_WORDS, FakeModel
from tests.functions.pipeline import Pipeline

MEETING = Path(__file__).parents[2] / "samples" / "product-planning-meeting.txt"
WEEKS = ("one", "two", "three", "four", "five")


@dataclass
class Extractive(FakeModel):
    """Chooses sentences of what it has read, as the simulator's default worker does."""

    def answer(self, request: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        prompt = user_prompt(request)
        read = BLOCK.search(prompt)
        assert read is not None
        words = int(REQUESTED_WORDS.findall(prompt)[-1].replace(",", ""))
        return completed_body(summarise(read[2], words), id=runpod_id)


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
        if call.task.kind == "notes"
    ]
    assert job.state is JobState.SUCCEEDED
    assert len(notes) >= len(WEEKS)
    assert all(any(f"in week {week}" in each for week in WEEKS) for each in notes)
    summary = pipeline.summary(job)
    assert [week for week in WEEKS if f"in week {week}" in summary] == list(WEEKS)
