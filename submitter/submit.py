"""The submitter's use case: an upload becomes a job, and a waiting call becomes a RunPod request.

Our record is written before POST /run, and our own ids are in the callback URL. So no callback can be
about a job that we don't know, and a crash after POST /run loses nothing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import (
    BadTranscript,
    Conflict,
    Forbidden,
    OutputRefused,
    RunPodBusy,
    RunPodFailed,
    RunPodKeyUnusable,
    RunPodRefused,
    RunPodSilent,
    SecretUnusable,
)
from core.jobs.lifecycle import LATEST_PICKUP
from core.jobs.model import Call, CallState, Job, JobState, Source
from core.jobs.ports import CallbackSecrets, JobStore, PresignedUrls, RunPod, WorkQueue
from core.settings import SubmitterSettings
from core.summaries.levels import Level
from core.summaries.options import Mode
from core.summaries.plans import PlanImpossibleError, Task, plan_stage
from core.summaries.stages import StagePlan, filled
from submitter.material import Material, Reading
from submitter.outcomes import HOLD_PAUSE, Outcomes
from submitter.record import WHOLE, event, new_call, new_job, whole_task
from submitter.requests import chat_input, request_for, work_order_input
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN, check_deliveries, check_name

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
    presigned_urls: PresignedUrls
    clock: Callable[
        [], datetime
    ]  # an invocation lasts: what is due later counts from when it was done

    def accept(
        self, source: Source, *, now: datetime, deliveries: int = DELIVERIES_BEFORE_FORBIDDEN
    ) -> tuple[Job, list[Call]]:
        """Record an upload as a job and submit its calls.

        A file that can't be summarised becomes a failed job with the reason. `deliveries` counts how
        often its message has come, this time included. Raises JobExists for an upload that was
        announced before, Conflict where it could not be recorded for others' writes, and Forbidden or
        OutputRefused where a grant may take a while to hold everywhere.
        """
        try:
            check_name(source, self.settings.upload_filter)
            check_deliveries(source, deliveries)
            return self._accept_readable(self.material.read(source), now)
        except (BadTranscript, OutputRefused) as exc:
            is_permanent = isinstance(exc, BadTranscript) and not isinstance(exc, Forbidden)
            if not is_permanent and deliveries < DELIVERIES_BEFORE_FORBIDDEN:
                raise
            code, why = _reason_for(exc)
            unread = Reading(text=None, options=self.settings.options, source=source)
            job = new_job(unread, settings=self.settings, now=now)
            job = job.with_failure(code, event(now, why=why))
            self.store.create(job, [])
            return job, []

    def _accept_readable(self, reading: Reading, now: datetime) -> tuple[Job, list[Call]]:
        job = new_job(reading, settings=self.settings, now=now)
        if reading.text is None:
            return self._accept_whole(job, whole_task(job), None)
        level = self.material.cut(job, 0, reading.text)
        tasks = self._planned(job, level)
        if len(tasks) == 1:
            return self._accept_whole(job, tasks[0], level)
        job, calls = self.staged(job, StagePlan(slots=[tasks]), now)
        self.store.create(job, calls)
        job = replace(job, pending_events=())
        return self.submit_all(job, calls, level)

    def _accept_whole(self, job: Job, task: Task, level: Level | None) -> tuple[Job, list[Call]]:
        job = job.with_stage([WHOLE], stage=0, stage_calls=1, repairs=0, due_at=None, event=None)
        call = new_call(job, WHOLE, task)
        why = self._reason_to_hold()
        if why:
            now = self.clock()
            call = call.with_hold(why, due_at=now + HOLD_PAUSE, event=event(now, why=why))
        else:
            call = self._outcomes.claimed(call)
        self.store.create(job, [call])
        # The news stands in the table now; written again it would be told twice.
        job, call = replace(job, pending_events=()), replace(call, pending_events=())
        if not why:
            job, call = self._submit(job, call, level)
        return job, [call]

    def next_attempt(self, job_id: str, call_id: str, *, now: datetime) -> tuple[Job, Call]:
        """Submit a waiting call once more; do nothing if it is not waiting any longer.

        Raises UnknownCall.
        """
        job, call = self.store.load(job_id, call_id)
        if not self._is_wanted(job, call, now):
            return job, call
        why = self._reason_to_hold()
        if why:  # before anything is read for it: a held call is tried hundreds of times a day
            return self._outcomes.held(job, call, why)
        if job.options.mode is Mode.PULL:
            return self._claim_and_submit(job, call, None)
        try:
            level = self.material.level(job, call.task.level)
        except BadTranscript as exc:
            return self._outcomes.ended(job, call, exc.code, str(exc))
        return self._claim_and_submit(job, call, level)

    def staged(
        self,
        job: Job,
        plan: StagePlan,
        now: datetime,
    ) -> tuple[Job, list[Call]]:
        """Store what is planned for a job's next stage; return the job in it, and its calls, waiting.

        Neither is written yet. Of two plans the first one stands.
        """
        stage = job.stage + 1
        plan = self.material.plan(job, stage, plan)
        tasks = plan.tasks
        ids, new = filled(plan.slots, stage=stage)
        due_at = now + LATEST_PICKUP
        calls = [
            new_call(job, call_id, task, stage=stage).with_due_at(due_at) for call_id, task in new
        ]
        told = event(
            now,
            what=f"stage {stage}: {tasks[0].kind}",
            calls=len(tasks),
            level=tasks[0].level,
            words_asked=sum(task.requested_words for task in tasks),
            repairs=plan.repairs,
        )
        job = job.with_stage(
            ids,
            stage=stage,
            stage_calls=len(tasks),
            repairs=plan.repairs,
            due_at=due_at,
            event=told,
        )
        return job, calls

    def submit_all(self, job: Job, calls: Sequence[Call], level: Level) -> tuple[Job, list[Call]]:
        """Submit a stage's calls, several at once, until one of them ends the job.

        What is left when time runs out is still due.
        """
        ended: list[Job] = []
        held: list[str] = []

        def submit(call: Call) -> Call:
            if ended:
                return call
            if held:  # what one is held for holds for all
                return self._outcomes.held(job, call, held[0])[1]
            after, call = self._claim_and_submit(job, call, level)
            if after.is_final:
                ended.append(after)
            if call.state is CallState.WAITING and call.hold:
                held.append(call.hold)
            return call

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            calls = list(pool.map(submit, calls))
        return (ended[0] if ended else job), calls

    def _planned(self, job: Job, level: Level) -> list[Task]:
        try:
            return plan_stage(
                0,
                level.tokens,
                level.words,
                target=job.target_words,
                limits=job.limits,
                strategy=job.options.strategy,
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

    def _claim_and_submit(self, job: Job, call: Call, level: Level | None) -> tuple[Job, Call]:
        why = self._reason_to_hold()
        if why:
            return self._outcomes.held(job, call, why)
        for _ in range(_MOST_TRIES):
            try:
                call = self.store.save_call(self._outcomes.claimed(call))
            except Conflict:
                job, call = self.store.load(job.id, call.id)
                if not self._is_wanted(job, call, self.clock()):
                    break  # another message about the same call was quicker
            else:
                return self._submit(job, call, level)
        return job, call  # it is due, should nobody be at it

    def _submit(self, job: Job, call: Call, level: Level | None) -> tuple[Job, Call]:
        """Submit a claimed call; without a layer it is the worker that reads."""
        outcomes = self._outcomes
        if level is None:
            asked = work_order_input(
                job, call, presigned_urls=self.presigned_urls, now=self.clock()
            )
        else:
            asked = chat_input(job, call, level)
        try:
            secret = self.secrets.current()
            request = request_for(job, call, asked, settings=self.settings, secret=secret)
            return outcomes.taken(job, call, self.runpod.run(request))
        except (SecretUnusable, RunPodKeyUnusable) as exc:
            return outcomes.held(job, call, str(exc))
        except RunPodRefused as exc:
            return outcomes.ended(job, call, "refused-by-runpod", str(exc))
        except RunPodBusy as exc:
            return outcomes.turned_away(job, call, str(exc))
        except RunPodFailed as exc:
            return outcomes.broke(job, call, str(exc))
        except RunPodSilent as exc:
            return outcomes.left_to_callback(job, call, str(exc))

    @property
    def _outcomes(self) -> Outcomes:
        return Outcomes(
            store=self.store, queue=self.queue, settings=self.settings, clock=self.clock
        )

    def _reason_to_hold(self) -> str:
        """Say what is amiss with the secrets that a request needs; "" if nothing is.

        They are read before an attempt is claimed: one that never went out must not count.
        """
        try:
            self.secrets.current()
            self.runpod.check_key()
        except (SecretUnusable, RunPodKeyUnusable) as exc:
            return str(exc)
        return ""


def _reason_for(exc: BadTranscript | OutputRefused) -> tuple[str, str]:
    """Return the code and the words of why an upload can't be summarised."""
    if isinstance(exc, BadTranscript):
        return exc.code, str(exc)
    return "output-refused", (
        f"{exc} when the file was taken in; mend the bucket's policy, its key or the function's"
        " permissions, then upload the file again"
    )
