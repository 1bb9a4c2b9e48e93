"""From a call's result to a summary, or to an answer of several; and on from where whoever did that died.

A summary is published in three steps: the call is marked `publishing`, so that nobody gives it up; the
summary is created in S3, where only the first creation counts; job and call end together. Whoever dies
between them leaves a call that is due, and each step can be taken again.

In push mode a result is mostly an answer of many: it is stored, and counted for the stage before the call
ends. Whoever counts a stage full asks for the next one; twice does no harm. The one answer that a short
transcript needs is published as pull mode's result is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import Superseded
from core.failures import Failure
from core.jobs.call import Attempt, Call, CallState
from core.jobs.decide import CUT
from core.jobs.durations import request_intervals, time_spent
from core.jobs.job import Job, Summary
from core.jobs.lifecycle import PUBLISHING_TIME, Lifecycle, superseded
from core.jobs.ports import IntermediateStore, IntermediateText
from core.jobs.verify import delivered_report
from core.runpod.reports import RunPodReport
from core.summaries.asks import AskKind, answer_of
from core.summaries.options import Mode
from core.words import count_words

if TYPE_CHECKING:
    from core.summaries.rounds import Finished

# RunPod waits while its callback is answered: what takes longer to check is the submitter's work.
_MOST_WORDS_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True)
class Publisher:
    lifecycle: Lifecycle
    intermediate_store: IntermediateStore

    def stored_answer(self, job: Job, call: Call) -> IntermediateText | None:
        """Return the answer of push mode that is stored already, whoever stored it."""
        is_push = job.options.mode is Mode.PUSH
        return self.intermediate_store.load(job.id, call.id) if is_push else None

    def publish(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Publish what a call's result makes; or keep it, where it is an answer of several."""
        if job.options.mode is Mode.PULL:
            return self._publish_pulled(job, call, attempt, report, now)
        finished = self._finished_at_once(job, call, report) if _may_be_all(job, call) else None
        if finished is None:
            # Of an answer that was being published a summary may stand that another release has made.
            was_published = call.state is CallState.PUBLISHING
            ended = self._ended_by_what_stands(job, call, now) if was_published else None
            return ended or self._keep_answer(job, call, attempt, report, now)
        cost = finished.facts.cost
        summary = replace(
            _summary_of(job, call, attempt, report, finished.text),
            prompt_tokens=cost.prompt_tokens,
            completion_tokens=cost.generated_tokens,
            rounds=cost.rounds,
            calls=cost.calls,
            discarded_tokens=cost.discarded_tokens,
            doubts=finished.facts.doubts,
        )
        facts = finished.facts.as_fields()
        return self._publish_summary(job, call, summary, finished.text, facts, report, now)

    def _publish_pulled(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Publish what pull mode's worker has written; its figures are the manifest's."""
        summary = _summary_of(job, call, attempt, report, report.text)
        facts: Mapping[str, Any] = {}
        if report.manifest:
            facts = report.manifest.facts
            summary = replace(
                summary,
                rounds=report.manifest.rounds,
                calls=report.manifest.calls,
                discarded_tokens=report.manifest.discarded_tokens,
                doubts=report.manifest.doubts,
            )
        return self._publish_summary(job, call, summary, report.text, facts, report, now)

    def _publish_summary(
        self,
        job: Job,
        call: Call,
        summary: Summary,
        text: str,
        facts: Mapping[str, Any],
        report: RunPodReport,
        now: datetime,
    ) -> tuple[Job, Call]:
        if call.state is not CallState.PUBLISHING:
            job, call = self._mark_publishing(job, call, summary.attempt, report, now)
        requests = request_intervals(now, report.queued, report.ran)
        spent = time_spent(requests, job.created_at, now)
        return self.lifecycle.publish(job, call, summary, text, facts, now=now, spent=spent)

    def _finished_at_once(self, job: Job, call: Call, report: RunPodReport) -> "Finished | None":
        from core.jobs.at_once import finished_at_once  # noqa: PLC0415 - it says why

        answer = answer_of(
            report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
        )
        return finished_at_once(job, call, answer, self.intermediate_store)

    def _keep_answer(
        self, job: Job, call: Call, attempt: Attempt, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Store an answer, count it and end its call; the stage's end makes something of it.

        Nobody sees an answer, so nothing has to keep others from giving its job up meanwhile.
        """
        answer = IntermediateText(
            text=report.text,
            was_cut=report.finish_reason == CUT,
            prompt_tokens=report.prompt_tokens,
            completion_tokens=report.completion_tokens,
            attempt=attempt.number,
        )
        self.intermediate_store.save(job.id, call.id, answer)
        detail = {
            "attempt": attempt.number,
            **report.timings,
            "asked_words": call.words,
            "words_out": count_words(report.text),
        }
        ended = call.with_answer(attempt.number, self.lifecycle.event(now, detail))
        return self.lifecycle.end_in_stage(job, call, ended, now=now)

    def _mark_publishing(
        self, job: Job, call: Call, number: int, report: RunPodReport, now: datetime
    ) -> tuple[Job, Call]:
        """Mark a call as publishing attempt `number`'s result, so that nobody gives it up."""
        store = self.lifecycle.store
        event = self.lifecycle.event(now, {"attempt": number, **report.timings})
        due_at = now + PUBLISHING_TIME
        manifest = report.manifest
        if manifest is None:
            return job, store.save_call(call.with_publishing(number, due_at=due_at, event=event))
        job = job.with_counts(
            words_in=manifest.words_in,
            target_words=manifest.target_words,
        )
        call = call.with_publishing(number, due_at=due_at, event=event, sha256=manifest.sha256)
        return store.save(job, call)

    def recover(
        self, job: Job, call: Call, attempt: Attempt, failure: Failure, now: datetime
    ) -> tuple[Job, Call]:
        """Go on from where whoever had the result died, without RunPod's report, which is gone."""
        if answer := self.stored_answer(job, call):
            number = answer.attempt or attempt.number
            answered = call.with_answer(number, self.lifecycle.event(now, {"attempt": number}))
            return self.lifecycle.end_in_stage(job, call, answered, now=now)
        if ended := self._ended_by_what_stands(job, call, now):
            return ended
        delivered = delivered_report(job, call, attempt, self.intermediate_store)
        if delivered:
            return self.publish(job, call, attempt, delivered, now)
        if call.paid_attempts < self.lifecycle.retries.max_attempts and now < job.deadline:
            return self.lifecycle.retry(job, call, failure, now=now)
        return self.lifecycle.fail(job, call, Failure("result-lost"), now=now)

    def _ended_by_what_stands(self, job: Job, call: Call, now: datetime) -> tuple[Job, Call] | None:
        """End a job whose summary stands, or a newer upload's in its place; None where neither does."""
        try:
            existing = self.lifecycle.summaries.existing(job, now=now)
        except Superseded as exc:
            return self.lifecycle.fail(job, call, superseded(exc), now=now)
        return self.lifecycle.finish(job, call, existing, now=now) if existing else None


def _may_be_all(job: Job, call: Call) -> bool:
    """Can a call's answer be all that its job's summary needs, and be checked while RunPod waits?"""
    is_only_call = job.stage_calls == 1 and call.stage == job.stage == 1
    return is_only_call and call.ask == AskKind.SINGLE and job.words_in <= _MOST_WORDS_AT_ONCE


def _summary_of(job: Job, call: Call, attempt: Attempt, report: RunPodReport, text: str) -> Summary:
    return Summary(
        call_id=call.id,
        attempt=attempt.number,
        runpod_id=report.runpod_id,
        model=report.model or job.options.model,
        words=count_words(text),
        prompt_tokens=report.prompt_tokens,
        completion_tokens=report.completion_tokens,
        finish_reason=report.finish_reason,
        ran_ms=call.ran_ms,
    )
