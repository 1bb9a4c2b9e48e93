"""The worker's summarizer beside the model of the tests, without a server."""

from typing import Any

from core.runpod.reports import RunPodReport, parse_report
from core.summaries.goals import WritingLimits, goal_of
from core.summaries.options import SummaryOptions
from core.summaries.passages import numbered
from core.transcripts.reader import read_transcript
from tests.builders import JOB_ID
from tests.fakes.model import FakeModel
from worker.model import TooLongForModel
from worker.summarize import Material, Result, Summarizer


class InProcess:
    def __init__(self, model: FakeModel) -> None:
        self.model = model

    def complete(self, request: Any) -> RunPodReport:
        report = parse_report(self.model.answer({"input": {"openai_input": request}}, "rp-1"))
        if report.failure and report.failure.code == "context-length":
            raise TooLongForModel
        return report


def pulled(text: str, model: FakeModel, options: SummaryOptions, limits: WritingLimits) -> Result:
    """Return what the worker makes of a transcript."""
    passages = numbered(read_transcript(text.encode(), max_bytes=10**9).turns)
    goal = goal_of(options, passages.words, boundary=JOB_ID)
    material = Material(passages=passages, goal=goal, options=options)
    return Summarizer(model=InProcess(model), parallel_calls=1).summarize(material, limits)
