"""The submitter's use case for calls: a waiting call becomes a RunPod request.

Our record is written before POST /run, and our own ids are in the callback URL. So no callback can be
about a job that we don't know, and a crash after POST /run loses nothing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.errors import (
    BadTranscript,
    Conflict,
    RunPodBusy,
    RunPodFailed,
    RunPodKeyUnusable,
    RunPodRefused,
    RunPodSilent,
    SecretUnusable,
)
from core.failures import Failure
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from core.jobs.lifecycle import HOLD_PAUSE, Lifecycle
from core.jobs.material import MaterialStore
from core.jobs.ports import CallbackSecrets, PresignedUrls, RunPod
from core.settings import SubmitterSettings
from core.summaries.glossary import Glossary
from core.summaries.options import Mode
from core.summaries.passages import Passages
from core.summaries.rounds import Round
from submitter.attempts import Attempts
from submitter.requests import chat_input, request_for, work_order_input

_MOST_TRIES = 3
AT_ONCE = 16  # submissions at a time; each takes RunPod a tenth of a second or more
_CLAIMED_AT_ONCE = 256  # sent within ten seconds or so, of the function's sixty

InputOf = Callable[[Job, Call], dict[str, Any]]  # makes the `input` of a call's RunPod request


def push_input(passages: Passages, plan: Round) -> InputOf:
    """Return what makes the `input` of a stage's calls."""
    return lambda job, call: chat_input(plan.ask(call.ask), passages, job.options)


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    lifecycle: Lifecycle
    materials: MaterialStore
    runpod: RunPod
    secrets: CallbackSecrets
    presigned_urls: PresignedUrls
    settings: SubmitterSettings
    clock: Callable[[], datetime]  # invocations last: what is due counts from when a thing is done

    def begin_job(
        self, job: Job, calls: Sequence[Call], input_of: InputOf
    ) -> tuple[Job, list[Call]]:
        """Record a new job with the calls of its first stage, and send their requests.

        Raises JobExists, and Conflict where it could not be recorded for others' writes.
        """
        calls = self._prepared(calls)
        are_new = self.lifecycle.store.create(job, calls)
        return self._send_all(replace(job, pending_events=()), calls, input_of, are_new=are_new)

    def begin_stage(self, job: Job, calls: Sequence[Call], input_of: InputOf) -> Job:
        """Record the calls of a job's next stage, then the job, and send their requests.

        Raises Conflict where another message about the same stage was quicker.
        """
        calls = self._prepared(calls)
        are_new = self.lifecycle.store.record_calls(calls)
        job = self.lifecycle.store.begin_stage(job)
        return self._send_all(job, calls, input_of, are_new=are_new)[0]

    def next_attempt(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        """Send a waiting call's request once more; do nothing if it is not waiting any longer.

        Raises UnknownCall.
        """
        job, call = self.lifecycle.store.load(job_id, call_id)
        if not self._is_wanted(job, call):
            return job, call
        why = self._reason_to_hold()
        if why:  # before anything is read for it: a held call is tried hundreds of times a day
            return self._attempts.hold(job, call, why)
        try:
            input_of = self._input_of(job, call)
        except BadTranscript as exc:
            return self._attempts.fail(job, call, exc.failure)
        return self._claim_and_send(job, call, input_of)

    def _prepared(self, calls: Sequence[Call]) -> list[Call]:
        """Return the calls of a new stage as they are recorded: claimed, or held.

        As many are claimed as are surely sent before the function's time is up; the rest of a large stage
        are claimed one by one, each as it is sent.
        """
        why = self._reason_to_hold()
        if why:
            now = self.clock()
            event = self.lifecycle.event(now, why=why)
            return [call.with_hold(why, due_at=now + HOLD_PAUSE, event=event) for call in calls]
        return [*map(self._claimed, calls[:_CLAIMED_AT_ONCE]), *calls[_CLAIMED_AT_ONCE:]]

    def _send_all(
        self, job: Job, calls: Sequence[Call], input_of: InputOf, *, are_new: bool
    ) -> tuple[Job, list[Call]]:
        """Send the requests of calls that were just recorded, several at once, until one ends the job.

        What is left when time runs out is still due. Where some are not new, somebody recorded them and
        died: then each claim is written once more before it is used.
        """
        calls = [replace(call, pending_events=()) for call in calls]
        if not are_new:
            event = self.lifecycle.event(self.clock(), note="claim taken over")
            calls = [call.with_event(event) for call in calls]
        ended: list[Job] = []
        held: list[str] = []

        def submit(call: Call) -> Call:
            if ended or call.hold:
                return call
            if held:  # what one is held for holds for all
                return self._attempts.hold(job, call, held[0])[1]
            is_claimed = are_new and call.state is CallState.SUBMITTING
            send = self._send if is_claimed else self._claim_and_send
            after, call = send(job, call, input_of)
            if after.is_final:
                ended.append(after)
            if call.state is CallState.WAITING and call.hold:
                held.append(call.hold)
            return call

        with ThreadPoolExecutor(AT_ONCE) as pool:
            calls = list(pool.map(submit, calls))
        return (ended[0] if ended else job), calls

    def pull_input(self, glossary: Glossary) -> InputOf:
        """Return what makes pull mode's `input`: where the transcript is, and where the summary goes."""
        urls = self.presigned_urls
        return lambda job, call: work_order_input(
            job, call, glossary, presigned_urls=urls, now=self.clock()
        )

    def _input_of(self, job: Job, call: Call) -> InputOf:
        """Return what makes a call's `input`. Raises BadTranscript where what it reads is gone."""
        if job.options.mode is Mode.PULL:
            return self.pull_input(self.materials.glossary(job))
        material = self.materials.load(job)
        return push_input(material.passages, self.materials.stage(job, call.stage, material).round)

    def _is_wanted(self, job: Job, call: Call) -> bool:
        return (
            call.state is CallState.WAITING
            and call.stage == job.stage  # else the stage has not begun, or is over
            and job.state is JobState.ACTIVE
            and call.paid_attempts < self.settings.retries.max_attempts
            and self.clock() < job.deadline
        )

    def _claimed(self, call: Call) -> Call:
        overdue = self.settings.callback_overdue
        return self.lifecycle.claim(call, callback_overdue=overdue, now=self.clock())

    def _claim_and_send(self, job: Job, call: Call, input_of: InputOf) -> tuple[Job, Call]:
        why = self._reason_to_hold()
        if why:
            return self._attempts.hold(job, call, why)
        for _ in range(_MOST_TRIES):
            claimed = call if call.state is CallState.SUBMITTING else self._claimed(call)
            try:
                call = self.lifecycle.store.save_call(claimed)
            except Conflict:
                job, call = self.lifecycle.store.load(job.id, call.id)
                if not self._is_wanted(job, call):
                    break  # another message about the same call was quicker
            else:
                return self._send(job, call, input_of)
        return job, call  # it is due, should nobody be at it

    def _send(self, job: Job, call: Call, input_of: InputOf) -> tuple[Job, Call]:
        """Send the request of a claimed call, and record what RunPod made of it."""
        attempts = self._attempts
        try:
            request = request_for(
                job,
                call,
                input_of(job, call),
                settings=self.settings,
                secret=self.secrets.current(),
            )
            return attempts.record_taken(job, call, self.runpod.run(request))
        except (SecretUnusable, RunPodKeyUnusable) as exc:
            return attempts.hold(job, call, str(exc))
        except RunPodRefused as exc:
            return attempts.fail(job, call, Failure("refused-by-runpod", str(exc)))
        except RunPodBusy as exc:
            return attempts.record_not_taken(job, call, str(exc))
        except RunPodFailed as exc:
            return attempts.record_broken(job, call, str(exc))
        except RunPodSilent as exc:
            return attempts.leave_to_callback(job, call, str(exc))

    @property
    def _attempts(self) -> Attempts:
        return Attempts(
            lifecycle=self.lifecycle,
            callback_overdue=self.settings.callback_overdue,
            clock=self.clock,
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
