"""Why a function needs what its role grants: each scenario makes functions use some of it.

A scenario starts something, and returns a check that it has ended well.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from json import dumps

from cli.deployment import Upload
from core.aws.queue import ATTEMPT_REQUESTED
from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.job import Job, JobState
from local.waiting import wait_for
from tests.local.conftest import Local, notification, short_transcript

_OUTLINED = "summary-strategy=outline"  # the folder

HasEnded = Callable[[], bool | None]
Scenario = Callable[[Local, str], HasEnded]


def upload(local: Local, marker: str) -> HasEnded:
    """One request and its callback: the common case."""
    return _succeeded(local, _short(local, marker))


def outlined(local: Local, marker: str) -> HasEnded:
    """Several requests in rounds: answers are kept, and whoever has the last of a round says so."""
    return _succeeded(local, _outlined(local, marker))


def deleted_file(local: Local, marker: str) -> HasEnded:
    """The file is deleted before it is read: only S3's 404 distinguishes that from a missing permission."""
    gone = Upload(local.stack.outputs["InputBucket"], f"{marker}.txt", str(uuid.uuid4()), etag="0")
    local.send_to_queue(notification(gone))
    return lambda: _job_is(local, gone, lambda job: job.reason_code == "deleted")


def broken_submission(local: Local, marker: str) -> HasEnded:
    """RunPod answers with an error; the call waits for another attempt and gets it."""
    local.simulator.use("bad-gateway", next_jobs=1, containing=marker)
    stored = _short(local, marker)
    _, call = _call_in(local, stored, CallState.WAITING)
    message = {ATTEMPT_REQUESTED: {"job_id": call.job_id, "call_id": call.id}}
    local.stack.client("sqs").send_message(  # as the sweeper would; the submitter's own waits 30 s
        QueueUrl=local.stack.outputs["UploadQueueUrl"], MessageBody=dumps(message)
    )
    return _succeeded(local, stored)


def taken_key(local: Local, marker: str) -> HasEnded:
    """Something else lies where the submitter is to put a summary, and is replaced."""
    local.stack.client("s3").put_object(
        Bucket=local.stack.outputs["OutputBucket"],
        Key=f"summaries/{_OUTLINED}/{marker}.txt",
        Body=b"somebody else's",
    )
    return _succeeded(local, _outlined(local, marker))


def pulled(local: Local, marker: str) -> HasEnded:
    """The worker writes the summary, and whoever hears of it publishes it."""
    return _succeeded(local, _pulled(local, marker))


def lost_callback(local: Local, marker: str) -> HasEnded:
    local.simulator.use("lost-webhook", containing=marker)
    stored = _short(local, marker)
    _sweep_once_done(local, stored, marker)
    return _succeeded(local, stored)


def lost_callback_of_outlined(local: Local, marker: str) -> HasEnded:
    local.simulator.use("lost-webhook", next_jobs=1, containing=marker)
    stored = _outlined(local, marker)
    _sweep_once_done(local, stored, marker)
    return _succeeded(local, stored)


def lost_callback_of_pulled(local: Local, marker: str) -> HasEnded:
    local.simulator.use("lost-webhook", containing=marker)
    stored = _pulled(local, marker)
    _sweep_once_done(local, stored, marker)
    return _succeeded(local, stored)


def dead_publisher(local: Local, marker: str) -> HasEnded:
    """The publishing function died, and RunPod has forgotten the result: S3 is checked."""
    stored = _being_published(local, marker)
    _sweep(local)
    return lambda: _call_is(local, stored, CallState.WAITING)


def dead_publisher_and_failure(local: Local, marker: str) -> HasEnded:
    """The publishing function died, and RunPod then calls back with a failure."""
    stored = _being_published(local, marker)
    request = local.wait_for_runpod_job(marker)
    local.post(request.webhook, {"id": request.id, "status": "FAILED", "error": "lost"})
    return lambda: _call_is(local, stored, CallState.WAITING)


def failed_job(local: Local, marker: str) -> HasEnded:
    """A job has failed while RunPod has a request of it: its calls are looked for, and closed."""
    local.simulator.use("queue-lost", containing=marker)
    stored = _short(local, marker)
    job, _ = _call_in(local, stored, CallState.SUBMITTED)
    now = datetime.now(UTC)
    event = AuditEvent(at=now, by="a test", why="", detail={})
    local.stack.store.save_job(job.with_failure("deadline", event).with_due_at(now))
    _sweep(local)
    return lambda: _call_is(local, stored, CallState.CANCELLED)


def _short(local: Local, marker: str) -> Upload:
    return local.stack.upload(short_transcript(marker), f"{marker}.txt")


def _outlined(local: Local, marker: str) -> Upload:
    return local.stack.upload(short_transcript(marker), f"{_OUTLINED}/{marker}.txt")


def _pulled(local: Local, marker: str) -> Upload:
    return local.stack.upload(short_transcript(marker), f"summary-mode=pull/{marker}.txt")


def _sweep_once_done(local: Local, stored: Upload, marker: str) -> None:
    job, call = _call_in(local, stored, CallState.SUBMITTED)
    local.simulator.wait_until(
        lambda _: all(each.status == "COMPLETED" for each in local.runpod_jobs(marker)), 30
    )
    local.stack.store.save_call(call.with_due_at(datetime.now(UTC)))
    _sweep(local)


def _being_published(local: Local, marker: str) -> Upload:
    """Return an upload whose call has stood still since its result was about to be published."""
    local.simulator.use("queue-lost", containing=marker)
    stored = _short(local, marker)
    _, call = _call_in(local, stored, CallState.SUBMITTED)
    now = datetime.now(UTC)
    event = AuditEvent(at=now, by="a test", why="", detail={})
    local.stack.store.save_call(call.with_publishing(1, due_at=now, event=event))
    return stored


def _sweep(local: Local) -> None:
    with suppress(RuntimeError):  # refused: its log says what
        local.stack.invoke_sweeper()


def _call_in(local: Local, stored: Upload, state: CallState) -> tuple[Job, Call]:
    def found() -> tuple[Job, Call] | None:
        history = local.stack.history(stored)
        if history and history.calls and history.calls[0].state is state:
            return history.job, history.calls[0]
        return None

    return wait_for(found, what=f"a call that is {state}", timeout_seconds=180, every_seconds=0.02)


def _succeeded(local: Local, stored: Upload) -> HasEnded:
    return lambda: _job_is(local, stored, lambda job: job.state is JobState.SUCCEEDED)


def _job_is(local: Local, stored: Upload, holds: Callable[[Job], bool]) -> bool | None:
    history = local.stack.history(stored)
    return bool(history and holds(history.job)) or None


def _call_is(local: Local, stored: Upload, state: CallState) -> bool | None:
    history = local.stack.history(stored)
    return bool(history and history.calls and history.calls[0].state is state) or None
