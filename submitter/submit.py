"""The submitter's use case: an upload becomes a job, and a waiting call becomes a RunPod request.

Our record is written before POST /run, and our own ids are in the callback URL. So no callback can be
about a job that we don't know, and a crash after POST /run loses nothing.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import (
    BadTranscript,
    Conflict,
    RunPodBusy,
    RunPodFailed,
    RunPodRefused,
    RunPodSilent,
)
from core.jobs import (
    NOT_TAKEN,
    Call,
    CallState,
    Event,
    Job,
    JobState,
    Request,
    Source,
    job_id_for,
    retry_delay,
)
from core.layers import Layer
from core.names import summary_key_for
from core.plans import (
    WORTH_REPAIRING_WORDS,
    PlanImpossibleError,
    Task,
    plan_stage,
    target_words,
)
from core.ports import CallbackSecrets, JobStore, RunPod, WorkQueue
from core.settings import SubmitterSettings
from core.settle import LATEST_PICKUP
from submitter.material import Material
from submitter.requests import request_for

WHOLE = "whole"  # the id of the one call of a job whose transcript fits the model
BY = "submitter"
_AFTER_RUNPOD_BROKE = timedelta(seconds=30)  # what it may have taken all the same has begun by then
_MOST_TRIES = 3
_AT_ONCE = 8  # submissions at a time; each takes RunPod a tenth of a second or more


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """The use case with what it needs of the world."""

    store: JobStore
    material: Material
    queue: WorkQueue
    runpod: RunPod
    secrets: CallbackSecrets
    settings: SubmitterSettings

    def accept(self, source: Source, *, now: datetime) -> tuple[Job, list[Call]]:
        """Record an upload as a job and submit its calls.

        A file that can't be summarised becomes a failed job with the reason. Raises JobExists for an
        upload that was announced before.
        """
        try:
            reading = self.material.read(source)
            job = self._new_job(source, reading.request, reading.words, now, reading.format)
            layer = self.material.cut(0, reading.text)
            tasks = self._planned(job, layer)
        except BadTranscript as exc:
            job = self._new_job(source, self.settings.request, 0, now)
            job = job.failed(exc.code, event(now, why=str(exc)))
            self.store.create(job, [])
            return job, []
        if len(tasks) == 1:
            job = job.in_stage([WHOLE], stage=0, stage_calls=1, repairs=0, due_at=None, event=None)
            call = self._claimed(_new_call(job, WHOLE, tasks[0]), now)
            self.store.create(job, [call])
            # The news stands in the table now; written again it would be told twice.
            job, call = replace(job, news=()), replace(call, news=())
            job, call = self._submit(job, call, layer, now)
            return job, [call]
        layer = self.material.keep(job, 0, reading.text)
        job, calls = self.staged(job, tasks, now)
        self.store.create(job, calls)
        job = replace(job, news=())
        return self.submit_all(job, calls, layer, now)

    def next_attempt(self, job_id: str, call_id: str, *, now: datetime) -> tuple[Job, Call]:
        """Submit a waiting call once more; do nothing if it is not waiting any longer.

        Raises UnknownCall.
        """
        job, call = self.store.load(job_id, call_id)
        if not self._is_wanted(job, call, now):
            return job, call
        try:
            layer = self.material.layer(job, call.task.layer)
        except BadTranscript as exc:
            return self._ended(job, call, exc.code, str(exc), now)
        return self._claim_and_submit(job, call, layer, now)

    def staged(
        self,
        job: Job,
        tasks: Sequence[Task],
        now: datetime,
        *,
        slots: Sequence[str | Sequence[Task]] = (),
        repairs: int = 0,
    ) -> tuple[Job, list[Call]]:
        """Return the job in its next stage, and that stage's calls, waiting; nothing is written.

        `slots` says where the tasks go among texts that stand; without it they are all there is.
        """
        stage = job.stage + 1
        names = iter([f"{stage}-{index}" for index in range(len(tasks))])
        calls: list[Call] = []
        filled: list[str] = []
        for slot in slots or [list(tasks)]:
            if isinstance(slot, str):
                filled.append(slot)
                continue
            for task in slot:
                call = _new_call(job, next(names), task, stage=stage)
                due_at = now + LATEST_PICKUP
                calls.append(call.due_again(due_at))
                filled.append(call.id)
        told = event(
            now,
            what=f"stage {stage}: {tasks[0].kind}",
            calls=len(tasks),
            layer=tasks[0].layer,
            words_asked=sum(task.ask for task in tasks),
            repairs=repairs,
        )
        job = job.in_stage(
            filled,
            stage=stage,
            stage_calls=len(tasks),
            repairs=repairs,
            due_at=now + LATEST_PICKUP,
            event=told,
        )
        return job, calls

    def submit_all(
        self, job: Job, calls: Sequence[Call], layer: Layer, now: datetime
    ) -> tuple[Job, list[Call]]:
        """Submit a stage's calls, several at once, until one of them ends the job.

        What is left when time runs out is still due.
        """
        ended: list[Job] = []

        def submit(call: Call) -> Call:
            if ended:
                return call
            after, call = self._claim_and_submit(job, call, layer, now)
            if after.is_final:
                ended.append(after)
            return call

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            calls = list(pool.map(submit, calls))
        return (ended[0] if ended else job), calls

    def _planned(self, job: Job, layer: Layer) -> list[Task]:
        try:
            return plan_stage(
                0,
                layer.tokens,
                layer.words,
                target=job.target_words,
                limits=self.material.limits,
                strategy=job.request.strategy,
            )
        except PlanImpossibleError as exc:
            raise BadTranscript("impossible", str(exc)) from exc

    def _is_wanted(self, job: Job, call: Call, now: datetime) -> bool:
        return (
            call.state is CallState.WAITING
            and call.stage == job.stage  # else the stage has not begun, or is over
            and job.state is JobState.ACTIVE
            and call.paid_attempts < self.settings.retries.max_attempts
            and now < job.deadline
        )

    def _claim_and_submit(
        self, job: Job, call: Call, layer: Layer, now: datetime
    ) -> tuple[Job, Call]:
        try:
            call = self.store.save_call(self._claimed(call, now))
        except Conflict:
            return job, call  # another message about the same call was quicker
        return self._submit(job, call, layer, now)

    def _submit(self, job: Job, call: Call, layer: Layer, now: datetime) -> tuple[Job, Call]:
        request = request_for(job, call, layer, settings=self.settings, secrets=self.secrets)
        try:
            return self._taken(job, call, self.runpod.run(request), now)
        except RunPodRefused as exc:
            return self._ended(job, call, "refused-by-runpod", str(exc), now)
        except RunPodBusy as exc:
            delay = retry_delay(len(call.attempts))
            return job, self._wait(call, NOT_TAKEN, str(exc), delay, now)
        except RunPodFailed as exc:
            if call.paid_attempts < self.settings.retries.max_attempts:
                return job, self._wait(call, "runpod-broke", str(exc), _AFTER_RUNPOD_BROKE, now)
            return self._left_to_callback(job, call, str(exc), now)
        except RunPodSilent as exc:
            return self._left_to_callback(job, call, str(exc), now)

    def _taken(self, job: Job, call: Call, runpod_id: str, now: datetime) -> tuple[Job, Call]:
        """Record what RunPod calls the request, unless its callback was quicker than its answer.

        Whoever wrote meanwhile may not have known the id, and without it nobody can ask for the result.
        """
        number = call.attempt.number
        told = event(now, attempt=number, runpod_id=runpod_id)
        for _ in range(_MOST_TRIES):
            try:
                return job, self.store.save_call(call.submitted(runpod_id, told))
            except Conflict:
                job, call = self.store.load(job.id, call.id)
                if call.state is not CallState.SUBMITTING or call.attempt.number != number:
                    break
        return job, call

    def _wait(self, call: Call, outcome: str, why: str, delay: timedelta, now: datetime) -> Call:
        """Record that the attempt came to nothing and ask for another."""
        due_at = now + delay + LATEST_PICKUP
        told = event(now, why=why, attempt=call.attempt.number)
        try:
            call = self.store.save_call(call.waiting(outcome, due_at=due_at, event=told))
        except Conflict:
            return call  # RunPod did take it, and the callback has come
        self.queue.wants_attempt(call.job_id, call.id, after=delay)
        return call

    def _left_to_callback(self, job: Job, call: Call, why: str, now: datetime) -> tuple[Job, Call]:
        """Leave a request that RunPod may have taken to its callback, or else to the sweeper."""
        what = "left to the callback"
        told = event(now, what=what, why=why, attempt=call.attempt.number)
        try:
            return job, self.store.save_call(call.noted(told))
        except Conflict:
            return self.store.load(job.id, call.id)

    def _ended(self, job: Job, call: Call, code: str, why: str, now: datetime) -> tuple[Job, Call]:
        job, call = self.store.load(job.id, call.id)  # others of its calls may have moved it on
        if job.is_final or call.is_final or call.state is CallState.PUBLISHING:
            return job, call  # an earlier attempt's result may be on its way to S3
        told = event(now, why=why, call=call.id)
        try:
            return self.store.save(job.failed(code, told), call.failed(code, told))
        except Conflict:
            return self.store.load(job.id, call.id)  # an earlier attempt's result has come

    def _claimed(self, call: Call, now: datetime) -> Call:
        due_at = now + self.settings.callback_overdue
        return call.claimed(due_at=due_at, event=event(now, attempt=len(call.attempts) + 1))

    def _new_job(
        self,
        source: Source,
        request: Request,
        words: int,
        now: datetime,
        read_as: str = "",
    ) -> Job:
        settings = self.settings
        target = target_words(request.words, words)
        if target < WORTH_REPAIRING_WORDS:
            request = replace(request, most_repairs=0)
        job = Job(
            id=job_id_for(source),
            state=JobState.ACTIVE,
            source=source,
            request=request,
            summary_key=summary_key_for(
                source.key, prefix=settings.places.output_prefix, suffixes=settings.accepts.suffixes
            ),
            words_in=words,
            target_words=target,
            created_at=now,
            deadline=now + settings.retries.job_deadline,
            expires_at=now + settings.retention,
        )
        detail: dict[str, str | int] = {"words_in": words, "bytes_in": source.size_bytes}
        if read_as:
            detail["read_as"] = read_as
        return job.noted(Event(at=now, by=BY, what="recorded", detail=detail))


def _new_call(job: Job, call_id: str, task: Task, *, stage: int = 0) -> Call:
    return Call(
        job_id=job.id,
        id=call_id,
        stage=stage,
        task=task,
        state=CallState.WAITING,
        expires_at=job.expires_at,
    )


def event(now: datetime, *, what: str = "", why: str = "", **detail: str | int) -> Event:
    return Event(at=now, by=BY, what=what, why=why, detail=detail)
