"""How a JobStore handles writes that DynamoDB rejected because of a concurrent one.

DynamoDB cancels with TransactionConflict whether or not the other transaction commits, so it says nothing
about what is recorded. moto plays none of it: only the answers are set here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from core.aws.job_store import DynamoJobStore
from core.errors import Conflict, JobExists
from core.jobs.ports import JobStore
from tests.builders import JOB_ID, NOON, a_call, a_job, an_event
from tests.fakes.aws import create_jobs_table
from tests.fakes.memory import MemoryJobStore

IN_THE_WAY = "TransactionConflict"
HELD_FALSE = "ConditionalCheckFailed"


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "UpdateItem")


class Faulty:
    """A DynamoDB client whose next writes fail with the given errors."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.faults: list[Exception | None] = []
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name not in {"transact_write_items", "update_item", "put_item"}:
            return real

        def write(**request: Any) -> Any:
            self.writes += 1
            fault = self.faults.pop(0) if self.faults else None
            if fault:
                raise fault
            return real(**request)

        return write


@pytest.fixture
def dynamodb() -> Iterator[Faulty]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        yield Faulty(client)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def store(dynamodb: Faulty, pauses: list[float]) -> DynamoJobStore:
    return DynamoJobStore(dynamodb, "jobs", sleep=pauses.append)  # type: ignore[arg-type]


class TestRecordingAJob:
    def test_is_tried_again_when_another_transaction_was_in_the_way(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled(IN_THE_WAY, "None"), cancelled("None", IN_THE_WAY)]

        store.create(a_job(), [a_call()])

        assert store.load(JOB_ID, "1-0")[0].id == JOB_ID

    def test_that_others_keep_out_is_a_conflict_and_no_duplicate(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled(IN_THE_WAY, "None")] * 99

        with pytest.raises(Conflict):
            store.create(a_job(), [a_call()])
        assert dynamodb.writes < 10

    def test_waits_a_little_longer_before_each_try(
        self, store: DynamoJobStore, dynamodb: Faulty, pauses: list[float]
    ) -> None:
        dynamodb.faults = [cancelled(IN_THE_WAY, "None")] * 99

        with pytest.raises(Conflict):
            store.create(a_job(), [a_call()])
        assert pauses
        assert all(0 < pause < 1 for pause in pauses)
        assert sum(pauses) < 3  # a callback must be answered in seconds

    def test_finds_a_duplicate_by_the_jobs_own_condition(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled("None", HELD_FALSE)]

        with pytest.raises(JobExists):
            store.create(a_job(), [a_call()])

    def test_takes_a_call_that_is_there_for_no_duplicate_of_the_job(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled(HELD_FALSE, "None")] * 99

        with pytest.raises(Conflict):
            store.create(a_job(), [a_call()])

    def test_is_not_tried_again_where_a_condition_is_known_to_be_false(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled(IN_THE_WAY, HELD_FALSE)]

        with pytest.raises(JobExists):
            store.create(a_job(), [a_call()])
        assert dynamodb.writes == 1

    def test_passes_on_errors_that_are_no_conflict(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        dynamodb.faults = [cancelled("ValidationError", "None")]

        with pytest.raises(ClientError, match="cancelled"):
            store.create(a_job(), [a_call()])

    def test_of_hundreds_of_calls_gets_past_a_transaction_in_the_way(
        self, store: DynamoJobStore, dynamodb: Faulty
    ) -> None:
        calls = [replace(a_call(), id=f"1-{number}", stage=1) for number in range(130)]
        dynamodb.faults = [cancelled(IN_THE_WAY), None, cancelled(IN_THE_WAY)]

        store.create(a_job(), calls)

        assert len(store.history(JOB_ID)[1]) == 130


def write_call(store: JobStore) -> object:
    _, call = store.load(JOB_ID, "1-0")
    return store.save_call(call.with_event(an_event()))


def write_job(store: JobStore) -> object:
    return store.save_job(store.load_job(JOB_ID).with_event(an_event()))


def write_both(store: JobStore) -> object:
    job, call = store.load(JOB_ID, "1-0")
    return store.save(job.with_event(an_event()), call.with_event(an_event()))


def write_count(store: JobStore) -> object:
    job, call = store.load(JOB_ID, "1-0")
    return store.count_done(job, call, due_at=NOON)


def write_group(store: JobStore) -> object:
    job, call = store.load(JOB_ID, "1-0")
    return store.count_done(replace(job, stage_calls=3, group_size=2), call, due_at=NOON)


def write_stage(store: JobStore) -> object:
    job = store.load_job(JOB_ID)
    store.record_calls([replace(a_call(), id="2-0", stage=2)])
    return store.begin_stage(job)


WRITES: Sequence[Callable[[JobStore], object]] = [
    write_call,
    write_job,
    write_both,
    write_count,
    write_group,
    write_stage,
]


@pytest.mark.parametrize("write", WRITES)
class TestAnyOtherWrite:
    @pytest.mark.parametrize("code", ["TransactionConflictException", "cancelled"])
    def test_is_tried_again_when_another_was_in_the_way(
        self,
        store: DynamoJobStore,
        dynamodb: Faulty,
        write: Callable[[JobStore], object],
        code: str,
    ) -> None:
        store.create(a_job(), [a_call()])
        dynamodb.faults = [cancelled(IN_THE_WAY, "None") if code == "cancelled" else refused(code)]

        write(store)

    @pytest.mark.parametrize("code", ["TransactionConflictException", "cancelled"])
    def test_that_others_keep_out_is_a_conflict(
        self,
        store: DynamoJobStore,
        dynamodb: Faulty,
        write: Callable[[JobStore], object],
        code: str,
    ) -> None:
        store.create(a_job(), [a_call()])
        before = store.load(JOB_ID, "1-0")
        fault = cancelled(IN_THE_WAY, "None") if code == "cancelled" else refused(code)
        dynamodb.faults = [fault] * 99

        with pytest.raises(Conflict):
            write(store)
        assert store.load(JOB_ID, "1-0") == before

    def test_can_conflict_in_memory_too(self, write: Callable[[JobStore], object]) -> None:
        store = MemoryJobStore()
        store.create(a_job(), [a_call()])
        before = store.load(JOB_ID, "1-0")
        store.is_kept_out = lambda _: True

        with pytest.raises(Conflict):
            write(store)
        assert store.load(JOB_ID, "1-0") == before


def test_a_conflict_in_memory_leaves_the_job_unrecorded() -> None:
    store = MemoryJobStore()
    store.is_kept_out = lambda write: write == "create"

    with pytest.raises(Conflict):
        store.create(a_job(), [a_call()])
    store.is_kept_out = lambda _: False
    store.create(a_job(), [a_call()])


def test_calls_that_are_put_one_by_one_get_past_a_write_in_the_way(
    store: DynamoJobStore, dynamodb: Faulty
) -> None:
    """A stage that was begun before finds some of its calls there already."""
    store.create(a_job(), [a_call()])
    calls = [replace(a_call(), id=f"2-{number}", stage=2) for number in range(2)]
    dynamodb.faults = [cancelled(HELD_FALSE, "None"), refused("TransactionConflictException")]

    store.record_calls(calls)

    assert len(store.history(JOB_ID)[1]) == 3
