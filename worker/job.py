"""One order from beginning to end."""

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from core.errors import BadBody, BadTranscript
from core.runpod.work_order import (
    LONGEST_SUMMARY_BYTES,
    ResultManifest,
    WorkOrder,
    parse_work_order,
)
from core.summaries.goals import goal_of
from core.summaries.instructions import prompt_sets
from core.summaries.passages import numbered
from core.transcripts.reader import read_transcript
from core.words import count_words
from worker.deliver import deliver, sha256_of
from worker.errors import WorkerError
from worker.fetch import fetch
from worker.http import Sleep
from worker.model import ModelServer
from worker.route import completed, is_completion
from worker.settings import WorkerSettings
from worker.summarize import Material, Progress, Result, Summarizer

_logger = logging.getLogger("worker")


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The use case with what it needs of the world."""

    settings: WorkerSettings
    sleep: Sleep = time.sleep

    def work(
        self,
        job_input: object,
        *,
        runpod_id: str = "",
        progress: Progress = lambda _: None,
        stop: Event | None = None,
    ) -> dict[str, Any] | list[Any]:
        """Carry an order out and return what RunPod is to report: a `manifest`, or an `error` with a code.

        A request of push mode is answered by the model itself.

        No URL and no text comes out of here or is logged, but for a summary that could not be put: its
        manifest has it.
        """
        try:
            if is_completion(job_input):
                return self._completed(job_input, runpod_id)
            manifest = self._manifest(job_input, progress, stop or Event())
        except WorkerError as error:
            _logger.warning("%s: %s (%s)", runpod_id, error, error.detail)
            return {"error": str(error)}
        except MemoryError:
            _logger.error("%s: out of memory", runpod_id)  # noqa: TRY400 (a traceback may quote)
            return {"error": str(WorkerError("too-large"))}
        except Exception as exc:  # RunPod keeps what it is sent, and a message may quote
            _logger.error("%s: unexpected %s", runpod_id, type(exc).__name__)  # noqa: TRY400
            return {"error": str(WorkerError("model-failed"))}
        _logger.info(
            "%s: %d words of %d in %d calls, %s",
            runpod_id,
            manifest.words_out,
            manifest.words_in,
            manifest.calls,
            "sent along, because it could not be put" if manifest.text else "put",
        )
        return manifest.as_output()

    def _completed(
        self, job_input: Mapping[str, Any], runpod_id: str
    ) -> dict[str, Any] | list[Any]:
        with closing(ModelServer(self.settings, sleep=self.sleep)) as model:
            answer = completed(job_input, model)
        _logger.info("%s: a completion, %s", runpod_id, "refused" if "error" in answer else "given")
        return answer

    def _manifest(self, job_input: object, progress: Progress, stop: Event) -> ResultManifest:
        order = _order(job_input)
        progress({"doing": "fetch"})
        material, read_as = self._material(order)
        with closing(ModelServer(self.settings, sleep=self.sleep)) as model:
            served = model.context_tokens(order.options.model, at_most=order.limits.context_tokens)
            summarizer = Summarizer(
                model=model,
                parallel_calls=self.settings.parallel_calls,
                progress=progress,
                stop=stop,
            )
            limits = replace(order.limits, context_tokens=served)
            result = summarizer.summarize(material, limits)
        return self._delivered(order, material, result, read_as)

    def _material(self, order: WorkOrder) -> tuple[Material, str]:
        """Return the transcript to be summarised, and the format it was read as."""
        most_bytes = self.settings.most_transcript_bytes
        try:
            transcript = read_transcript(
                fetch(order, most_bytes=most_bytes, sleep=self.sleep), max_bytes=most_bytes
            )
        except BadTranscript as exc:
            code = "too-large" if exc.code == "too-large" else "unreadable"
            raise WorkerError(code, exc.code) from None
        passages = numbered(order.glossary.applied_to_turns(transcript.turns))
        material = Material(
            passages=passages,
            goal=goal_of(
                order.options, passages.words, boundary=order.job_id, glossary=order.glossary
            ),
            options=order.options,
        )
        return material, transcript.format

    def _delivered(
        self, order: WorkOrder, material: Material, result: Result, read_as: str
    ) -> ResultManifest:
        body = result.text.encode("utf-8")
        if len(body) > LONGEST_SUMMARY_BYTES:
            raise WorkerError("model-failed", f"{len(body)} bytes are no summary")
        cost = result.facts.cost
        was_put = deliver(body, order.put_url, sleep=self.sleep)
        return ResultManifest(
            sha256=sha256_of(body),
            size_bytes=len(body),
            text="" if was_put else result.text,
            words_in=material.passages.words,
            target_words=material.goal.words,
            words_out=count_words(result.text),
            read_as=read_as,
            model=result.model,
            calls=cost.calls,
            rounds=cost.rounds,
            prompt_tokens=cost.prompt_tokens,
            completion_tokens=cost.generated_tokens,
            discarded_tokens=cost.discarded_tokens,
            doubts=result.facts.doubts,
            finish_reason=result.finish_reason,
            facts=result.facts.as_fields(),
        )


def _order(job_input: object) -> WorkOrder:
    try:
        order = parse_work_order(job_input)
    except BadBody as exc:
        raise WorkerError("bad-work-order", str(exc)) from None
    if order.options.prompt not in prompt_sets():
        raise WorkerError("bad-work-order", "this worker has no such set of prompts")
    return order
