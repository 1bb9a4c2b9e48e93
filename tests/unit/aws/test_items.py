from typing import Any

import pytest

from core.aws.items import SCHEMA, call_item, job_item, to_call, to_event, to_job
from core.errors import NewerRecord
from core.summaries.options import Mode
from tests.builders import a_call, a_job, a_request, a_summary, an_event


def test_a_pull_job_is_stored_as_one() -> None:
    job = a_job(options=a_request(mode=Mode.PULL))

    assert to_job(_without_nothing(job_item(job))).options == job.options


def test_what_was_stored_before_there_was_a_pull_mode_is_push() -> None:
    job, call = job_item(a_job()), call_item(a_call())
    del job["options"]["mode"]
    for attempt in call["attempts"]:
        del attempt["sha256"]

    assert to_job(_without_nothing(job)).options.mode is Mode.PUSH
    assert to_call(_without_nothing(call)).attempt.sha256 == ""


def test_what_only_a_newer_release_knows_is_left_out() -> None:
    """After a rollback, this release goes on with what a newer one has recorded."""
    job, call = a_job(summary=a_summary()), a_call()
    held = job_item(job) | {"a_new_field": 1}
    for name in ("source", "options", "limits", "summary"):
        held[name] = {**held[name], "a_new_field": 1}
    held_call = call_item(call) | {"a_new_field": 1}
    held_call["attempts"] = [{**each, "a_new_field": 1} for each in held_call["attempts"]]

    assert to_job(_without_nothing(held)) == job
    assert to_call(_without_nothing(held_call)) == call


def test_a_line_of_the_audit_is_read_without_what_only_a_newer_release_knows() -> None:
    held = {
        "at": "2026-03-02T12:00:00.000000+00:00",
        "by": "test",
        "note": "seen",
        "a_new_field": 1,
    }

    assert to_event(held) == an_event(what="seen")


@pytest.mark.parametrize(
    ("read", "item"), [(to_job, job_item(a_job())), (to_call, call_item(a_call()))]
)
class TestTheSchemaOfARecord:
    def test_is_refused_where_it_is_a_newer_releases(self, read: Any, item: dict[str, Any]) -> None:
        newer = _without_nothing(item) | {"schema": SCHEMA + 1}

        with pytest.raises(NewerRecord, match=r"of job \w{32} .* deploy that release again"):
            read(newer)

    def test_is_the_first_where_none_is_named(self, read: Any, item: dict[str, Any]) -> None:
        older = _without_nothing(item)
        del older["schema"]

        assert read(older) == read(_without_nothing(item))


def _without_nothing(item: dict[str, object]) -> dict[str, object]:
    """Leave out what is not stored in DynamoDB."""
    return {name: value for name, value in item.items() if value is not None}
