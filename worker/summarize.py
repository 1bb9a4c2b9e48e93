"""Stages, repairs and joining, as the pipeline does them, in memory and beside the model.

What is asked for and what follows is decided by core, for both alike: the same transcript, settings and
answers make the same summary. A stage's calls are made at once, and vLLM makes batches of them.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from core.jobs.decide import CUT
from core.runpod.reports import RunPodReport
from core.summaries.chat import chat_request
from core.summaries.join import joined
from core.summaries.levels import Level, cut, limits_of
from core.summaries.options import SummaryOptions
from core.summaries.plans import Kind, PlanImpossibleError, Task, Written, plan_stage
from core.summaries.stages import Slot, filled, redo, too_long, written
from worker.errors import WorkerError
from worker.model import TooLongForModel

Progress = Callable[[dict[str, int | str]], None]


class Model(Protocol):
    def complete(self, options: dict[str, Any]) -> RunPodReport:
        """Return the answer to a chat request. Raises TooLongForModel and WorkerError."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A transcript, and what is asked for with it."""

    text: str  # as the model is shown it
    words: int
    boundary: str
    options: SummaryOptions
    target: int  # the summary's words


@dataclass(frozen=True, kw_only=True)
class Result:
    text: str = field(repr=False)
    calls: int  # requests to the model that were answered or refused as too long
    repairs: int
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    model: str


@dataclass(frozen=True)
class _Answer:
    """The outcome of a call; no report is a prompt that was too long for the model."""

    task: Task
    report: RunPodReport | None = None

    @property
    def written(self) -> Written:
        if self.report is None:
            return too_long(self.task)
        was_cut = self.report.finish_reason == CUT
        return written(self.task, self.report.text, was_cut=was_cut)


@dataclass(frozen=True, kw_only=True)
class Summarizer:
    model: Model
    parallel_calls: int
    progress: Progress = lambda _: None
    stop: Event = field(default_factory=Event)  # set by whoever wants the summary no more

    def summarize(self, material: Material, *, context_tokens: int) -> Result:
        """Return the summary, made in calls of so many tokens at most. Raises WorkerError."""
        pool = ThreadPoolExecutor(self.parallel_calls)
        try:
            return _Run(self, material, context_tokens, pool).result()
        except PlanImpossibleError as exc:
            raise WorkerError("impossible", str(exc)) from exc
        finally:
            pool.shutdown(
                cancel_futures=True
            )  # after a failure: what has not begun is not paid for


class _Run:
    """One summary on its way."""

    def __init__(
        self,
        summarizer: Summarizer,
        material: Material,
        context_tokens: int,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._summarizer = summarizer
        self._material = material
        self._pool = pool
        self._limits = limits_of(
            context_tokens=context_tokens, max_tokens=material.options.max_tokens
        )
        self._answers: dict[str, _Answer] = {}
        self._stage = 0
        self._repairs = 0

    def result(self) -> Result:
        level = cut(0, self._material.text, self._limits)
        while True:
            tasks = self._planned(level)
            answers = self._answered([tasks], level)
            texts = [each.report.text for each in answers if each.report]
            if tasks[0].kind is Kind.COMPOSE:
                return self._result(answers, joined(texts))
            level = cut(level.number + 1, "\n\n".join(texts), self._limits)

    def _planned(self, level: Level) -> list[Task]:
        return plan_stage(
            level.number,
            level.tokens,
            level.words,
            target=self._material.target,
            limits=self._limits,
            strategy=self._material.options.strategy,
        )

    def _answered(self, slots: Sequence[Slot], level: Level) -> list[_Answer]:
        """Return the answers to a stage's calls, asked for again until they are good enough."""
        repairs = 0
        while True:
            ids = self._ask(slots, level, is_repair=repairs > 0)
            answers = [self._answers[call_id] for call_id in ids]
            if any(each.report is None and each.task.chunks == 1 for each in answers):
                raise WorkerError("impossible", "the model refused a single chunk as too long")
            again = redo(
                ids,
                [each.written for each in answers],
                level,
                options=self._material.options,
                target=self._material.target,
                limits=self._limits,
                repairs=repairs,
            )
            if again is None:
                return answers
            self._repairs += again.repairs - repairs
            slots, repairs = again.slots, again.repairs

    def _ask(self, slots: Sequence[Slot], level: Level, *, is_repair: bool) -> list[str]:
        """Make the calls of a stage, all at once, and return the ids of the calls in its slots."""
        self._stage += 1
        ids, new = filled(slots, stage=self._stage)
        doing = "repair" if is_repair else str(new[0][1].kind)
        counts: dict[str, int | str] = {"stage": self._stage, "doing": doing, "calls": len(new)}
        self._summarizer.progress({**counts, "done": 0})
        asked = {
            self._pool.submit(self._call, call_id, task, ids, level): call_id
            for call_id, task in new
        }
        for done, future in enumerate(as_completed(asked), 1):
            self._answers[asked[future]] = future.result()
            self._summarizer.progress({**counts, "done": done})
        return ids

    def _call(self, call_id: str, task: Task, ids: Sequence[str], level: Level) -> _Answer:
        if self._summarizer.stop.is_set():
            raise WorkerError("model-unavailable", "the order was called off")
        options = chat_request(
            call_id,
            task,
            level,
            slots=ids,
            options=self._material.options,
            boundary=self._material.boundary,
            transcript_words=self._material.words,
            limits=self._limits,
        )
        try:
            return _Answer(task, self._summarizer.model.complete(options))
        except TooLongForModel:
            return _Answer(task)

    def _result(self, existing: Sequence[_Answer], text: str) -> Result:
        reports = [each.report for each in self._answers.values() if each.report]
        last = [each.report for each in existing if each.report]
        was_cut = any(each.finish_reason == CUT for each in last)
        return Result(
            text=text,
            calls=len(self._answers),
            repairs=self._repairs,
            prompt_tokens=sum(each.prompt_tokens for each in reports),
            completion_tokens=sum(each.completion_tokens for each in reports),
            finish_reason=CUT if was_cut else last[-1].finish_reason,
            model=last[-1].model or self._material.options.model,
        )
