"""The submitter's other use case: a stage of a job is done, and what follows is begun.

Everything here can be done twice, or by two at once: the texts are written once each, the stage begins
on one revision of the job, and the summary is created once.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from core.aws.names import work_key
from core.errors import BadTranscript, Conflict, OutputRefused, Superseded
from core.jobs.lifecycle import PUBLISHING_TIME
from core.jobs.model import JOINED, Call, Job, JobState, Summary
from core.jobs.ports import IntermediateText, Summaries
from core.jobs.refusals import end_of, refused, superseded
from core.runpod.failures import Failure
from core.summaries.join import joined
from core.summaries.levels import Level
from core.summaries.plans import Kind, PlanImpossibleError, Written, plan_stage
from core.summaries.stages import StagePlan, redo, too_long, written
from core.words import count_words
from submitter.record import event
from submitter.submit import Submitter

_AT_ONCE = 16  # texts read at a time


@dataclass(frozen=True, kw_only=True)
class Stages:
    submitter: Submitter
    summaries: Summaries

    def go_on(self, job_id: str, *, now: datetime) -> Job:
        """Begin what follows a stage that is done; do nothing if it is not, or no longer.

        Raises UnknownCall, and OutputRefused where S3 does not let it go on yet.
        """
        store = self.submitter.store
        job, calls, _ = store.history(job_id)
        if job.state is not JobState.ACTIVE or not job.is_stage_done:
            return job
        try:
            return self._go_on(job, {call.id: call for call in calls}, now)
        except Superseded as exc:
            return self._fail(job_id, superseded(exc), now)
        except PlanImpossibleError as exc:
            return self._fail(job_id, _failure("impossible", exc), now)
        except BadTranscript as exc:
            return self._fail(job_id, _failure(exc.code, exc), now)
        except OutputRefused as exc:
            ended = self._end_refused(job_id, exc, now)
            if ended is None:
                raise
            return ended
        except Conflict:
            return store.load_job(job_id)  # another message about the same stage was quicker

    def _fail(self, job_id: str, failure: Failure, now: datetime) -> Job:
        job = self.submitter.store.load_job(job_id)
        if job.is_final or (job.is_joining and failure.code != "superseded"):
            return job  # somebody is publishing at this instant what was not to be had here
        return self._failed(job, failure, now)

    def _failed(self, job: Job, failure: Failure, now: datetime) -> Job:
        return self.submitter.store.save_job(
            job.with_failure(failure.code, event(now, why=failure.message))
        )

    def _end_refused(self, job_id: str, refusal: OutputRefused, now: datetime) -> Job | None:
        """End a job, past its deadline, of which S3 refuses what it takes to go on; None is not yet."""
        job = self.submitter.store.load_job(job_id)
        if job.is_final:
            return job
        match end_of(job, refused(refusal), summaries=self.summaries, now=now):
            case None:
                return None
            case Summary() as existing:
                return self.submitter.store.save_job(job.with_success(existing, event(now)))
            case failure:
                return self._failed(job, failure, now)

    def _go_on(self, job: Job, calls: dict[str, Call], now: datetime) -> Job:
        texts = self._texts(job)
        came_to = [_written(calls[slot], text) for slot, text in zip(job.slots, texts, strict=True)]
        task = calls[job.slots[0]].task
        together = [text.text for text in texts if text]
        material = self.submitter.material
        try:
            level = material.level(job, task.level)
        except BadTranscript:
            if task.kind is Kind.COMPOSE and len(together) == len(texts):
                # Nothing can be repaired: what the transcript was summarised in stands.
                return self._publish(job, list(calls.values()), joined(together), now)
            raise
        again = redo(
            job.slots,
            came_to,
            level,
            options=job.options,
            target=job.target_words,
            limits=job.limits,
            repairs=job.repairs,
        )
        if again:
            return self._begin(job, again, level, now)
        if task.kind is Kind.COMPOSE:
            return self._publish(job, list(calls.values()), joined(together), now)
        level = material.cut(job, task.level + 1, "\n\n".join(together))
        tasks = plan_stage(
            level.number,
            level.tokens,
            level.words,
            target=job.target_words,
            limits=job.limits,
        )
        return self._begin(job, StagePlan(slots=[tasks]), level, now)

    def _begin(self, job: Job, plan: StagePlan, level: Level, now: datetime) -> Job:
        job, calls = self.submitter.staged(job, plan, now)
        if calls[0].task.level != level.number:  # another plan stood already
            level = self.submitter.material.level(job, calls[0].task.level)
        job = self.submitter.store.begin_stage(job, calls)
        return self.submitter.submit_all(job, calls, level)[0]

    def _publish(self, job: Job, calls: Sequence[Call], text: str, now: datetime) -> Job:
        store = self.submitter.store
        due_at = now + PUBLISHING_TIME
        told = event(now, what="joining", texts=len(job.slots), repairs=job.repairs)
        job = store.save_job(job.with_joining(due_at=due_at, event=told))
        summary = Summary(
            call_id=job.slots[0] if len(job.slots) == 1 else JOINED,
            attempt=0,
            runpod_id="",
            model=job.options.model,
            words=count_words(text),
            prompt_tokens=0,
            completion_tokens=0,
            finish_reason="",
        )
        existing = self.summaries.publish(job, summary, text, now=now)
        told = event(
            now,
            words_in=job.words_in,
            words_asked=job.target_words,
            words_out=existing.words,
            calls=len(calls),
            repairs=job.repairs,
        )
        return store.save_job(job.with_success(existing, told))

    def _texts(self, job: Job) -> list[IntermediateText | None]:
        intermediate_store = self.submitter.material.intermediate_store
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda slot: intermediate_store.load(job.id, slot), job.slots))


def _written(call: Call, kept: IntermediateText | None) -> Written:
    """Say what a call came to. That it was too long is on its record: a missing text says nothing."""
    if kept:
        return written(call.task, kept.text, was_cut=kept.was_cut)
    if call.was_too_long:
        return too_long(call.task)
    raise BadTranscript(
        "text-missing",
        f"the model's text of call {call.id} is not at {work_key(call.job_id, call.id)} any more; it was"
        " deleted before the summary was finished: upload the file again",
    )


def _failure(code: str, exc: Exception) -> Failure:
    return Failure(code=code, message=str(exc), may_help_to_retry=False)
