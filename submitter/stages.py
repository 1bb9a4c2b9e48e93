"""The submitter's use case for stages: one is done, and what follows it begins.

Everything here can be done twice, or by two at once: the texts are written once each, the stage begins
on one revision of the job, and the summary is created once.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from core.aws.names import work_key
from core.errors import BadTranscript, Conflict, OutputRefused, Superseded
from core.failures import Failure
from core.jobs.audit import AuditEvent
from core.jobs.call import OVERFLOW, Call
from core.jobs.durations import intervals_of, time_spent
from core.jobs.job import ASSEMBLED, Job, JobState, Summary
from core.jobs.lifecycle import LATEST_PICKUP, Lifecycle, output_refused, superseded
from core.jobs.material import Material, MaterialStore, PlannedStage, goal
from core.jobs.ports import IntermediateStore
from core.summaries.asks import Answer, answer_of
from core.summaries.engine import next_round
from core.summaries.facts import Facts
from core.summaries.rounds import Finished, GivenUp, PastRound, Round
from core.words import count_words
from submitter.dispatch import Dispatch, push_input
from submitter.record import in_next_stage

_AT_ONCE = 16  # texts read at a time


@dataclass(frozen=True, kw_only=True)
class Stages:
    lifecycle: Lifecycle
    materials: MaterialStore
    intermediate_store: IntermediateStore
    dispatch: Dispatch
    clock: Callable[[], datetime]

    def advance(self, job_id: str) -> Job:
        """Begin what follows a stage that is done; do nothing if it is not, or no longer.

        Raises UnknownCall, and OutputRefused where S3 does not let it go on yet.
        """
        store = self.lifecycle.store
        job, calls, events = store.history(job_id)
        if job.state is not JobState.ACTIVE or not job.is_stage_done:
            return job
        try:
            # Whoever began the next stage and died has left calls of it.
            begun = {call.id: call for call in calls if call.stage <= job.stage}
            return self._advance(job, begun, events)
        except Superseded as exc:
            return self._fail(job_id, superseded(exc))
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
        if job.is_final or (job.is_publishing and failure.code != "superseded"):
            return job  # somebody is publishing at this instant what was not to be had here
        return self.lifecycle.fail_job(job, failure, now=self.clock())

    def _end_refused(self, job_id: str, refusal: OutputRefused) -> Job | None:
        """End a job, past its deadline, of which S3 refuses what it takes to go on; None is not yet."""
        job = self.lifecycle.store.load_job(job_id)
        if job.is_final:
            return job
        return self.lifecycle.end_unpublished_job(job, output_refused(refusal), now=self.clock())

    def _advance(self, job: Job, calls: Mapping[str, Call], events: Sequence[AuditEvent]) -> Job:
        material = self.materials.load(job)
        planned = self.materials.stage(job, job.stage, material)
        answers = self._answers([call for call in calls.values() if call.stage == job.stage])
        history = (*planned.history, PastRound(round=planned.round, answers=answers))
        match next_round(material.passages, goal(job, material.glossary), job.limits, history):
            case Round() as plan:
                return self._begin(job, material, PlannedStage(round=plan, history=history))
            case Finished(text=text, facts=facts):
                return self._publish(job, calls, events, text, facts)
            case GivenUp(code=code, message=message):
                return self.lifecycle.fail_job(job, Failure(code, message), now=self.clock())

    def _answers(self, calls: Sequence[Call]) -> dict[str, Answer]:
        """Return what a stage's calls brought, by the names of their asks."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = pool.map(self._answer, calls)
            return {call.ask: answer for call, answer in zip(calls, answers, strict=True)}

    def _answer(self, call: Call) -> Answer:
        """Return what a call brought. Only its record can say that it was too long, no missing text."""
        text = self.intermediate_store.load(call.job_id, call.id)
        if text:
            return answer_of(
                text.text,
                was_cut=text.was_cut,
                prompt_tokens=text.prompt_tokens,
                completion_tokens=text.completion_tokens,
            )
        if call.was_too_long:
            return Answer(failure=OVERFLOW)
        raise BadTranscript(
            "text-missing",
            f"the model's text of call {call.id} is no longer at {work_key(call.job_id, call.id)}; it was"
            " deleted before the summary was finished: upload the file again",
        )

    def _begin(self, job: Job, material: Material, planned: PlannedStage) -> Job:
        """Begin the next stage; of two plans the first one stands."""
        plan = self.materials.keep_stage(job, job.stage + 1, planned).round
        job, calls = in_next_stage(job, plan, pickup=LATEST_PICKUP, now=self.clock())
        return self.dispatch.begin_stage(job, calls, push_input(material.passages, plan))

    def _publish(
        self,
        job: Job,
        calls: Mapping[str, Call],
        events: Sequence[AuditEvent],
        text: str,
        facts: Facts,
    ) -> Job:
        cost, now = facts.cost, self.clock()
        summary = Summary(
            call_id=ASSEMBLED,
            attempt=0,
            runpod_id="",
            model=job.options.model,
            words=count_words(text),
            prompt_tokens=cost.prompt_tokens,
            completion_tokens=cost.generated_tokens,
            finish_reason="",
            rounds=cost.rounds,
            calls=cost.calls,
            discarded_tokens=cost.discarded_tokens,
            ran_ms=sum(call.ran_ms for call in calls.values()),
            doubts=facts.doubts,
        )
        return self.lifecycle.publish_document(
            job,
            summary,
            text,
            facts.as_fields(),
            now=now,
            spent=time_spent(intervals_of(events), job.created_at, now),
        )
