"""The contract of a JobStore, for the one in memory and the one in DynamoDB (moto)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.job_store import DynamoJobStore
from core.errors import Conflict, JobExists, UnknownCall
from core.jobs.call import CallState
from core.jobs.job import Job
from core.jobs.ports import JobStore
from tests.builders import JOB_ID, NOON, a_call, a_job, a_source, a_summary, an_event, minutes
from tests.fakes.aws import create_jobs_table
from tests.fakes.memory import MemoryJobStore


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_jobs_table(client)
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> JobStore:
    if request.param == "memory":
        return MemoryJobStore()
    return DynamoJobStore(request.getfixturevalue("dynamodb"), "jobs")


def test_what_was_recorded_is_loaded_whole(store: JobStore) -> None:
    job = a_job(source=a_source(key="søen/ü \"'\n.txt"), summary=a_summary(), finished_at=NOON)
    call = a_call(attempts=2, polls=3)

    store.create(job, [call])

    assert store.load(job.id, call.id) == (job, call)


def test_many_are_loaded_at_once(store: JobStore) -> None:
    ids = [f"{number:032x}" for number in range(70)]  # with their calls more than one read takes
    for job_id in ids:
        store.create(a_job(id=job_id), [a_call(job_id=job_id)])

    jobs, calls = store.load_many([*((job_id, "1-0") for job_id in ids), (ids[0], "")])

    assert set(jobs) == set(ids)
    assert calls == {(job_id, "1-0"): store.load(job_id, "1-0")[1] for job_id in ids}


def test_of_many_what_is_not_recorded_is_left_out(store: JobStore) -> None:
    store.create(a_job(), [a_call()])

    jobs, calls = store.load_many([(JOB_ID, "1-7"), ("f" * 32, "1-0"), ("f" * 32, "")])

    assert jobs == {JOB_ID: store.load_job(JOB_ID)}
    assert calls == {}


def test_an_upload_has_one_job(store: JobStore) -> None:
    store.create(a_job(words_in=1), [a_call()])

    with pytest.raises(JobExists):
        store.create(a_job(words_in=2), [a_call()])
    assert store.load(JOB_ID, "1-0")[0].words_in == 1


def test_a_job_can_have_no_call(store: JobStore) -> None:
    store.create(a_job(), [])

    with pytest.raises(UnknownCall):
        store.load(JOB_ID, "1-0")
    assert store.history(JOB_ID)[0] == a_job()


def test_what_was_not_recorded_is_unknown(store: JobStore) -> None:
    with pytest.raises(UnknownCall):
        store.load(JOB_ID, "1-0")
    with pytest.raises(UnknownCall):
        store.history(JOB_ID)


def test_a_changed_call_is_saved_and_returned_as_stored(store: JobStore) -> None:
    store.create(a_job(), [a_call()])
    _, call = store.load(JOB_ID, "1-0")

    saved = store.save_call(call.with_failure("deadline", an_event()))

    assert saved.state is CallState.FAILED
    assert store.load(JOB_ID, "1-0")[1] == saved


def test_a_write_that_was_decided_on_an_older_state_is_refused(store: JobStore) -> None:
    store.create(a_job(), [a_call()])
    _, call = store.load(JOB_ID, "1-0")
    saved = store.save_call(call.with_event(an_event()))

    with pytest.raises(Conflict):
        store.save_call(call.with_failure("deadline", an_event()))
    assert store.load(JOB_ID, "1-0")[1] == saved


@pytest.mark.parametrize("stale", ["job", "call"])
def test_job_and_call_are_saved_both_or_neither(store: JobStore, stale: str) -> None:
    store.create(a_job(), [a_call()])
    job, call = store.load(JOB_ID, "1-0")
    before = store.load(JOB_ID, "1-0")
    if stale == "job":
        job = replace(job, revision=job.revision + 1)
    else:
        call = replace(call, revision=call.revision + 1)

    with pytest.raises(Conflict):
        store.save(
            job.with_failure("deadline", an_event()), call.with_failure("deadline", an_event())
        )

    assert store.load(JOB_ID, "1-0") == before


def test_job_and_call_end_together(store: JobStore) -> None:
    store.create(a_job(), [a_call(CallState.PUBLISHING)])
    job, call = store.load(JOB_ID, "1-0")

    saved = store.save(job.with_success(a_summary(), an_event()), call.with_success(an_event()))

    assert store.load(JOB_ID, "1-0") == saved


def test_of_many_who_write_at_once_one_wins() -> None:
    """In memory only: moto takes no lock, so it would prove nothing."""
    store = MemoryJobStore()
    store.create(a_job(), [a_call()])
    job, call = store.load(JOB_ID, "1-0")

    def end(number: int) -> bool:
        try:
            store.save(
                job.with_failure(f"by-{number}", an_event()), call.with_failure("x", an_event())
            )
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(end, range(40)))

    assert won.count(True) == 1


def test_the_audit_lists_every_event_in_order_and_keeps_them(store: JobStore) -> None:
    job = a_job().with_event(an_event(what="recorded", detail={"words_in": 7}))
    call = a_call(CallState.WAITING, attempts=0).with_claim(
        due_at=NOON, event=an_event(at=NOON + minutes(1))
    )
    store.create(job, [call])
    _, call = store.load(JOB_ID, "1-0")
    call = store.save_call(
        call.with_submission("rp-1", an_event(at=NOON + minutes(2), why="because"))
    )
    job, call = store.load(JOB_ID, "1-0")
    failure = an_event(at=NOON + minutes(3))
    store.save(job.with_failure("deadline", failure), call.with_failure("deadline", failure))

    job, calls, events = store.history(JOB_ID)

    assert [event.what for event in events] == [
        "recorded",
        "waiting -> submitting",
        "submitting -> submitted",
        "submitted -> failed",
        "active -> failed",
    ]
    assert events[0].detail == {"words_in": 7}
    assert events[2].why == "because"
    assert (job.state, [call.state for call in calls]) == ("failed", ["failed"])


class TestAStage:
    def stage_of(self, store: JobStore, calls: int, **changes: Any) -> Job:
        names = [f"1-{index}" for index in range(calls)]
        job = a_job(stage_calls=calls, **changes)
        store.create(job, [replace(a_call(), id=name, stage=1) for name in names])
        return store.load_job(job.id)

    def test_of_hundreds_of_calls_is_recorded(self, store: JobStore) -> None:
        self.stage_of(store, 130)

        assert len(store.history(JOB_ID)[1]) == 130

    def test_says_whether_an_earlier_try_recorded_some_of_its_hundreds_of_calls(
        self, store: JobStore
    ) -> None:
        calls = [replace(a_call(), id=f"1-{index}") for index in range(130)]
        assert store.create(a_job(id="f" * 32), [replace(calls[0], job_id="f" * 32)])
        store.record_calls([replace(calls[0], polls=7)])

        assert not store.create(a_job(stage_calls=130), calls)

        assert len(store.history(JOB_ID)[1]) == 130
        assert store.load(JOB_ID, "1-0")[1].polls == 7

    def test_counts_each_call_once(self, store: JobStore) -> None:
        self.stage_of(store, 2)
        job, first = store.load(JOB_ID, "1-0")
        _, second = store.load(JOB_ID, "1-1")

        once = store.count_done(job, first, due_at=NOON)
        twice = store.count_done(job, first, due_at=NOON)
        both = store.count_done(job, second, due_at=NOON)

        assert (once.done, twice.done) == ({"1-0"}, {"1-0"})
        assert not twice.is_stage_done
        assert both.is_stage_done
        assert both == store.load_job(JOB_ID)

    def test_of_many_calls_writes_its_job_with_the_last_of_a_group(self, store: JobStore) -> None:
        job = self.stage_of(store, 5, group_size=2)
        calls = [store.load(JOB_ID, f"1-{index}")[1] for index in range(5)]

        seen = [store.count_done(job, calls[at], due_at=NOON).done for at in (0, 2, 0, 1, 1, 4)]

        assert seen == [set(), set(), set(), {"1+0"}, {"1+0"}, {"1+0", "1+2"}]
        assert store.load_job(JOB_ID).calls_done == 4
        assert store.count_done(job, calls[3], due_at=NOON).is_stage_done
        assert len(store.history(JOB_ID)[1]) == 5

    def test_of_many_calls_that_is_over_counts_nothing_on_its_job(self, store: JobStore) -> None:
        job = self.stage_of(store, 3, group_size=2)
        _, last = store.load(JOB_ID, "1-2")
        store.save_job(job.with_failure("deadline", an_event()))

        with pytest.raises(Conflict):
            store.count_done(job, last, due_at=NOON)

    def test_makes_its_job_due_while_it_is_counted(self, store: JobStore) -> None:
        self.stage_of(store, 2)
        job, call = store.load(JOB_ID, "1-0")

        store.count_done(job, call, due_at=NOON + minutes(2))

        assert (JOB_ID, "") in list(store.due(NOON + minutes(2)))

    def test_that_is_over_counts_nothing(self, store: JobStore) -> None:
        job = self.stage_of(store, 1)
        _, call = store.load(JOB_ID, "1-0")

        with pytest.raises(Conflict):
            store.count_done(job, replace(call, stage=0), due_at=NOON)
        store.save_job(job.with_failure("deadline", an_event()))
        with pytest.raises(Conflict):
            store.count_done(job, call, due_at=NOON)

    def test_loses_no_count_to_a_write_of_its_job(self, store: JobStore) -> None:
        job = self.stage_of(store, 2)
        _, call = store.load(JOB_ID, "1-0")
        store.count_done(job, call, due_at=NOON)

        store.save_job(job.with_due_at(NOON + minutes(9)))

        assert store.load_job(JOB_ID).done == {"1-0"}

    def test_begins_with_its_calls_and_nothing_counted(self, store: JobStore) -> None:
        job = self.stage_of(store, 1)
        _, call = store.load(JOB_ID, "1-0")
        store.count_done(job, call, due_at=NOON)
        following = job.with_stage(calls=1, due_at=NOON, event=an_event(what="stage 2"))

        assert store.record_calls([replace(a_call(), id="2-0", stage=2)])
        begun = store.begin_stage(following)

        assert begun == store.load_job(JOB_ID)
        assert (begun.stage, begun.done) == (2, frozenset())
        assert store.load(JOB_ID, "2-0")[1].stage == 2

    def test_begins_once_and_keeps_the_calls_that_are_under_way(self, store: JobStore) -> None:
        job = self.stage_of(store, 1)
        following = job.with_stage(calls=1, due_at=NOON, event=an_event(what="stage 2"))
        call = replace(a_call(), id="2-0", stage=2)
        store.record_calls([call])
        store.begin_stage(following)
        store.save_call(store.load(JOB_ID, "2-0")[1].with_cancellation(an_event()))

        assert not store.record_calls([call])
        with pytest.raises(Conflict):
            store.begin_stage(following)

        assert store.load(JOB_ID, "2-0")[1].state is CallState.CANCELLED

    def test_continues_after_a_try_that_died_before_the_job_was_written(
        self, store: JobStore
    ) -> None:
        job = self.stage_of(store, 1)
        calls = [replace(a_call(), id=f"2-{index}", stage=2) for index in range(3)]
        following = job.with_stage(calls=3, due_at=NOON, event=an_event(what="stage 2"))
        assert store.record_calls(calls[:1])

        assert not store.record_calls(calls)
        store.begin_stage(following)

        assert len(store.history(JOB_ID)[1]) == 4


class TestDueCalls:
    def test_are_found_longest_overdue_first(self, store: JobStore) -> None:
        for number, due in enumerate([3, 1, 2]):
            job_id = f"{number:032x}"
            call = replace(a_call(), job_id=job_id, due_at=NOON + minutes(due))
            store.create(a_job(id=job_id), [call])

        due_ids = [int(job_id, 16) for job_id, _ in store.due(NOON + minutes(2))]

        assert due_ids == [1, 2]

    def test_are_due_at_their_very_instant(self, store: JobStore) -> None:
        store.create(a_job(), [a_call(due_at=NOON)])

        assert list(store.due(NOON)) == [(JOB_ID, "1-0")]
        assert list(store.due(NOON - timedelta(microseconds=1))) == []

    def test_are_no_longer_found_once_they_have_ended(self, store: JobStore) -> None:
        store.create(a_job(), [a_call()])
        _, call = store.load(JOB_ID, "1-0")
        store.save_call(call.with_cancellation(an_event()))

        assert list(store.due(NOON + timedelta(days=9))) == []

    def test_are_all_found(self, store: JobStore) -> None:
        for number in range(60):
            job_id = f"{number:032x}"
            store.create(a_job(id=job_id), [replace(a_call(), job_id=job_id)])

        assert len(set(store.due(NOON + timedelta(days=1)))) == 60

    def test_are_found_on_every_page(self, dynamodb: Any) -> None:
        store = DynamoJobStore(dynamodb, "jobs")
        for number in range(5):
            job_id = f"{number:032x}"
            store.create(a_job(id=job_id), [replace(a_call(), job_id=job_id)])

        def two_a_page(params: dict[str, Any], **_: Any) -> None:
            params["Limit"] = 2

        dynamodb.meta.events.register("provide-client-params.dynamodb.Query", two_a_page)

        assert len(set(store.due(NOON + timedelta(days=1)))) == 5

    def test_cost_what_is_due_and_not_what_is_stored(self, dynamodb: Any) -> None:
        store = DynamoJobStore(dynamodb, "jobs")
        store.create(a_job(), [a_call()])
        requests: set[tuple[str, str]] = set()

        def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
            requests.add((model.name, params.get("IndexName", "")))

        dynamodb.meta.events.register("provide-client-params.dynamodb.*", remember)
        assert list(store.due(NOON + timedelta(days=1)))

        assert requests == {("Query", "due")}


def test_what_dynamodb_left_unread_is_read_again(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DynamoJobStore(dynamodb, "jobs")
    store.create(a_job(), [a_call()])
    read = dynamodb.batch_get_item

    def one_at_a_time(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        wanted = RequestItems["jobs"]
        first, *others = wanted["Keys"]
        answer: dict[str, Any] = read(RequestItems={"jobs": wanted | {"Keys": [first]}})
        return answer | {"UnprocessedKeys": {"jobs": wanted | {"Keys": others}} if others else {}}

    monkeypatch.setattr(dynamodb, "batch_get_item", one_at_a_time)

    assert store.load(JOB_ID, "1-0")[1].id == "1-0"


def test_a_records_expiry_is_stored_in_seconds(dynamodb: Any) -> None:
    DynamoJobStore(dynamodb, "jobs").create(a_job(), [a_call()])

    items = dynamodb.scan(TableName="jobs")["Items"]

    assert len(items) == 2
    for item in items:
        assert item["expires_at"] == {"N": str(int(a_job().expires_at.timestamp()))}


@pytest.mark.parametrize("item", ["job", "call#1-0"])
def test_a_record_that_can_not_be_read_is_no_unknown_call(dynamodb: Any, item: str) -> None:
    """RunPod is told 404 of an unknown call, and then calls back no more."""
    store = DynamoJobStore(dynamodb, "jobs")
    store.create(a_job(), [a_call()])
    dynamodb.update_item(
        TableName="jobs",
        Key={"job_id": {"S": JOB_ID}, "item": {"S": item}},
        UpdateExpression="REMOVE #state",
        ExpressionAttributeNames={"#state": "state"},
    )

    with pytest.raises(KeyError, match="state"):
        store.load(JOB_ID, "1-0")
