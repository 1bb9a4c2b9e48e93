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
    Forbidden,
    RunPodBusy,
    RunPodFailed,
    RunPodRefused,
    RunPodSilent,
)
from core.jobs import (
    NOT_TAKEN,
    Call,
    CallState,
    Job,
    JobState,
    Mode,
    Source,
    retry_delay,
)
from core.layers import Layer
from core.plans import PlanImpossibleError, Task, plan_stage
from core.ports import CallbackSecrets, JobStore, Links, RunPod, WorkQueue
from core.settings import SubmitterSettings
from core.settle import LATEST_PICKUP
from core.stages import Slot, filled
from submitter.material import Material, Reading
from submitter.record import WHOLE, event, new_call, new_job, whole_task
from submitter.requests import chat_input, order_input, request_for
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN, check_deliveries, check_name

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
    links: Links

    def accept(
        self, source: Source, *, now: datetime, deliveries: int = DELIVERIES_BEFORE_FORBIDDEN
    ) -> tuple[Job, list[Call]]:
        """Record an upload as a job and submit its calls.

        A file that can't be summarised becomes a failed job with the reason. `deliveries` counts how
        often its message has come, this time included. Raises JobExists for an upload that was
        announced before, and Forbidden where a grant may take a while to hold everywhere.
        """
        try:
            check_name(source, self.settings.accepts)
            check_deliveries(source, deliveries)
            reading = self.material.read(source)
            if reading.text is None:
                job = new_job(reading, settings=self.settings, now=now)
                return self._accept_whole(job, whole_task(job), None, now)
            job = new_job(reading, settings=self.settings, now=now)
            layer = self.material.cut(0, reading.text)
            tasks = self._planned(job, layer)
            if len(tasks) > 1:
                layer = self.material.keep(job, 0, reading.text)
        except BadTranscript as exc:
            if isinstance(exc, Forbidden) and deliveries < DELIVERIES_BEFORE_FORBIDDEN:
                raise
            unread = Reading(text=None, request=self.settings.request, source=source)
            job = new_job(unread, settings=self.settings, now=now)
            job = job.failed(exc.code, event(now, why=str(exc)))
            self.store.create(job, [])
            return job, []
        if len(tasks) == 1:
            return self._accept_whole(job, tasks[0], layer, now)
        job, calls = self.staged(job, tasks, now)
        self.store.create(job, calls)
        job = replace(job, news=())
        return self.submit_all(job, calls, layer, now)

    def _accept_whole(
        self, job: Job, task: Task, layer: Layer | None, now: datetime
    ) -> tuple[Job, list[Call]]:
        job = job.in_stage([WHOLE], stage=0, stage_calls=1, repairs=0, due_at=None, event=None)
        call = self._claimed(new_call(job, WHOLE, task), now)
        self.store.create(job, [call])
        # The news stands in the table now; written again it would be told twice.
        job, call = replace(job, news=()), replace(call, news=())
        job, call = self._submit(job, call, layer, now)
        return job, [call]

    def next_attempt(self, job_id: str, call_id: str, *, now: datetime) -> tuple[Job, Call]:
        """Submit a waiting call once more; do nothing if it is not waiting any longer.

        Raises UnknownCall.
        """
        job, call = self.store.load(job_id, call_id)
        if not self._is_wanted(job, call, now):
            return job, call
        if job.request.mode is Mode.PULL:
            return self._claim_and_submit(job, call, None, now)
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
        slots: Sequence[Slot] = (),
        repairs: int = 0,
    ) -> tuple[Job, list[Call]]:
        """Return the job in its next stage, and that stage's calls, waiting; nothing is written.

        `slots` says where the tasks go among texts that stand; without it they are all there is.
        """
        stage = job.stage + 1
        ids, new = filled(slots or [tasks], stage=stage)
        due_at = now + LATEST_PICKUP
        calls = [
            new_call(job, call_id, task, stage=stage).due_again(due_at) for call_id, task in new
        ]
        told = event(
            now,
            what=f"stage {stage}: {tasks[0].kind}",
            calls=len(tasks),
            layer=tasks[0].layer,
            words_asked=sum(task.ask for task in tasks),
            repairs=repairs,
        )
        job = job.in_stage(
            ids,
            stage=stage,
            stage_calls=len(tasks),
            repairs=repairs,
            due_at=due_at,
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
        self, job: Job, call: Call, layer: Layer | None, now: datetime
    ) -> tuple[Job, Call]:
        try:
            call = self.store.save_call(self._claimed(call, now))
        except Conflict:
            return job, call  # another message about the same call was quicker
        return self._submit(job, call, layer, now)

    def _submit(self, job: Job, call: Call, layer: Layer | None, now: datetime) -> tuple[Job, Call]:
        """Submit a claimed call; without a layer it is the worker that reads."""
        if layer is None:
            asked = order_input(job, call, settings=self.settings, links=self.links, now=now)
        else:
            asked = chat_input(job, call, layer, settings=self.settings)
        request = request_for(job, call, asked, settings=self.settings, secrets=self.secrets)
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
