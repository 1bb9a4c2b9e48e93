"""The submitter's use case for stages: one is done, and what follows it begins.

Everything here can be done twice, or by two at once: the texts are written once each, the stage begins
on one revision of the job, and the summary is created once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from core.aws.names import work_key
from core.errors import BadTranscript, Conflict, OutputRefused, Superseded
from core.failures import Failure
from core.jobs.call import Call
from core.jobs.job import JOINED, Job, JobState, Summary
from core.jobs.lifecycle import LATEST_PICKUP, Lifecycle, output_refused, superseded
from core.jobs.ports import IntermediateStore, IntermediateText
from core.summaries.join import joined
from core.summaries.levels import Level
from core.summaries.plans import Kind, PlanImpossibleError, Written, plan_stage
from core.summaries.stages import StagePlan, redo, too_long, written
from core.words import count_words
from submitter.dispatch import Dispatch, push_input
from submitter.material import Material
from submitter.record import in_next_stage

_AT_ONCE = 16  # texts read at a time


@dataclass(frozen=True, kw_only=True)
class Stages:
    lifecycle: Lifecycle
    material: Material
    intermediate_store: IntermediateStore
    dispatch: Dispatch
    clock: Callable[[], datetime]

    def advance(self, job_id: str) -> Job:
        """Begin what follows a stage that is done; do nothing if it is not, or no longer.

        Raises UnknownCall, and OutputRefused where S3 does not let it go on yet.
        """
        store = self.lifecycle.store
        job, calls, _ = store.history(job_id)
        if job.state is not JobState.ACTIVE or not job.is_stage_done:
            return job
        try:
            return self._advance(job, {call.id: call for call in calls})
        except Superseded as exc:
            return self._fail(job_id, superseded(exc))
        except PlanImpossibleError as exc:
            return self._fail(job_id, Failure("impossible", str(exc)))
        except BadTranscript as exc:
            return self._fail(job_id, exc.failure)
        except OutputRefused as exc:
            ended = self._end_refused(job_id, exc)
            if ended is None:
                raise
            return ended
        except Conflict:
            return store.load_job(job_id)  # another message about the same stage was quicker

    def _fail(self, job_id: str, failure: Failure) -> Job:
        job = self.lifecycle.store.load_job(job_id)
        if job.is_final or (job.is_joining and failure.code != "superseded"):
            return job  # somebody is publishing at this instant what was not to be had here
        return self.lifecycle.fail_job(job, failure, now=self.clock())

    def _end_refused(self, job_id: str, refusal: OutputRefused) -> Job | None:
        """End a job, past its deadline, of which S3 refuses what it takes to go on; None is not yet."""
        job = self.lifecycle.store.load_job(job_id)
        if job.is_final:
            return job
        return self.lifecycle.end_unpublished_job(job, output_refused(refusal), now=self.clock())

    def _advance(self, job: Job, calls: dict[str, Call]) -> Job:
        texts = self._texts(job)
        came_to = [_written(calls[slot], text) for slot, text in zip(job.slots, texts, strict=True)]
        task = calls[job.slots[0]].task
        together = [text.text for text in texts if text]
        try:
            level = self.material.level(job, task.level)
        except BadTranscript:
            if task.kind is Kind.COMPOSE and len(together) == len(texts):
                # Nothing can be repaired: what the transcript was summarised in stands.
                return self._publish(job, joined(together), calls=len(calls))
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
            return self._begin(job, again, level)
        if task.kind is Kind.COMPOSE:
            return self._publish(job, joined(together), calls=len(calls))
        level = self.material.cut(job, task.level + 1, "\n\n".join(together))
        tasks = plan_stage(
            level.number,
            level.tokens,
            level.words,
            target=job.target_words,
            limits=job.limits,
        )
        return self._begin(job, StagePlan(slots=[tasks]), level)

    def _begin(self, job: Job, plan: StagePlan, level: Level) -> Job:
        """Begin the next stage by its plan; of two plans the first one stands."""
        plan = self.material.plan(job, job.stage + 1, plan)
        job, calls = in_next_stage(job, plan, pickup=LATEST_PICKUP, now=self.clock())
        if calls[0].task.level != level.number:  # another plan stood already
            level = self.material.level(job, calls[0].task.level)
        job = self.lifecycle.store.begin_stage(job, calls)
        return self.dispatch.send_all(job, calls, push_input(level))[0]

    def _publish(self, job: Job, text: str, *, calls: int) -> Job:
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
        return self.lifecycle.publish_joined(job, summary, text, calls=calls, now=self.clock())

    def _texts(self, job: Job) -> list[IntermediateText | None]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(
                pool.map(lambda slot: self.intermediate_store.load(job.id, slot), job.slots)
            )


def _written(call: Call, text: IntermediateText | None) -> Written:
    """Measure the text of a call. That it was too long is on its record: a missing text says nothing."""
    if text:
        return written(call.task, text.text, was_cut=text.was_cut)
    if call.was_too_long:
        return too_long(call.task)
    raise BadTranscript(
        "text-missing",
        f"the model's text of call {call.id} is not at {work_key(call.job_id, call.id)} any more; it was"
        " deleted before the summary was finished: upload the file again",
    )
