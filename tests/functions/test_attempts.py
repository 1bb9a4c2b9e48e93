"""What is recorded of a request that RunPod did not take, while others write to the same job."""

from dataclasses import replace

import pytest

from core.jobs.call import NOT_TAKEN, Attempt, CallState
from core.jobs.lifecycle import MOST_REQUESTS
from submitter.attempts import Attempts
from tests.builders import JOB_ID, NOON, a_call, a_job, an_event, minutes
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryS3
from tests.functions.use_cases import UseCases


@pytest.mark.parametrize("made", [1, MOST_REQUESTS], ids=["the first", "the last of all"])
def test_a_request_not_taken_changes_nothing_of_a_job_that_another_call_has_ended(
    made: int,
) -> None:
    store, queue = MemoryJobStore(), MemoryQueue()
    use_cases = UseCases(store=store, s3=MemoryS3(), queue=queue, clock=lambda: NOON)
    earlier = [Attempt(number=n, begun_at=NOON, outcome=NOT_TAKEN) for n in range(1, made)]
    latest = Attempt(number=made, begun_at=NOON)
    submitting = replace(a_call(CallState.SUBMITTING), attempts=(*earlier, latest))
    store.create(a_job(), [submitting])
    job, call = store.load(JOB_ID, "1-0")
    ended = store.save_job(job.with_failure("deadline", an_event()))
    store.save_call(call.with_event(an_event(what="noted meanwhile")))
    attempts = Attempts(
        lifecycle=use_cases.lifecycle("submitter"),
        callback_overdue=minutes(5),
        clock=lambda: NOON,
    )

    after, call = attempts.record_not_taken(job, call, "no room")

    assert after == ended == store.load_job(JOB_ID)
    assert (call.state, call.due_at) == (CallState.SUBMITTING, submitting.due_at)
    assert queue.sent == []
