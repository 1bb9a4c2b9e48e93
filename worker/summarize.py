"""The engine driven beside the model: a round's calls at once, until the summary is finished.

The pipeline drives the same engine by RunPod requests: the same transcript, settings and answers make the
same summary. vLLM makes batches of the calls of a round.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from core.jobs.decide import CUT
from core.runpod.reports import RunPodReport
from core.summaries.asks import CONTEXT_LENGTH, Answer, Ask, answer_of
from core.summaries.engine import next_round
from core.summaries.facts import Facts
from core.summaries.goals import Goal, WritingLimits
from core.summaries.messages import chat_request
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from core.summaries.rounds import Finished, GivenUp, PastRound, Round, in_words
from worker.errors import WorkerError
from worker.model import TooLongForModel

Progress = Callable[[dict[str, int | str]], None]


class Model(Protocol):
    def complete(self, request: dict[str, Any]) -> RunPodReport:
        """Return the answer to a chat request. Raises TooLongForModel and WorkerError."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A transcript, and what is asked for with it."""

    passages: Passages
    goal: Goal
    options: SummaryOptions


@dataclass(frozen=True, kw_only=True)
class Result:
    text: str = field(repr=False)
    facts: Facts
    finish_reason: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Summarizer:
    model: Model
    parallel_calls: int
    progress: Progress = lambda _: None
    stop: Event = field(default_factory=Event)  # set by whoever wants the summary no more

    def summarize(self, material: Material, limits: WritingLimits) -> Result:
        """Return the summary. Raises WorkerError."""
        history: list[PastRound] = []
        models: set[str] = set()
        pool = ThreadPoolExecutor(self.parallel_calls)
        try:
            while True:
                match next_round(material.passages, material.goal, limits, history):
                    case Finished(text=text, facts=facts):
                        model = min(models, default=material.options.model)
                        return Result(text=text, facts=facts, finish_reason="stop", model=model)
                    case GivenUp(code=code, message=message):
                        raise WorkerError(code, message)
                    case Round() as plan:
                        answers = self._answers(plan, material, len(history) + 1, pool, models)
                        history.append(PastRound(round=plan, answers=answers))
        finally:
            pool.shutdown(cancel_futures=True)  # what has not begun is not paid for

    def _answers(
        self,
        plan: Round,
        material: Material,
        stage: int,
        pool: ThreadPoolExecutor,
        models: set[str],
    ) -> dict[str, Answer]:
        """Make the calls of a round, all at once."""
        doing = in_words(ask.name for ask in plan.asks)
        counts: dict[str, int | str] = {"stage": stage, "doing": doing, "calls": len(plan.asks)}
        self.progress({**counts, "done": 0})
        asked = {pool.submit(self._answer, ask, material, models): ask.name for ask in plan.asks}
        answers: dict[str, Answer] = {}
        for done, future in enumerate(as_completed(asked), 1):
            answers[asked[future]] = future.result()
            self.progress({**counts, "done": done})
        return answers

    def _answer(self, ask: Ask, material: Material, models: set[str]) -> Answer:
        if self.stop.is_set():
            raise WorkerError("model-unavailable", "the order was called off")
        try:
            report = self.model.complete(chat_request(ask, material.passages, material.options))
        except TooLongForModel:
            return Answer(failure=CONTEXT_LENGTH)
        models |= {report.model} - {""}
        return answer_of(
            report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
        )
