"""Defects in the record: states, revisions, audit."""

from defects.plant import Edit, Kind, Plant

_JOBS = "core/jobs.py"
_STORE = "core/store.py"
_ITEMS = "core/items.py"
_SETTLING = "tests/functions/test_settling.py"
_SWEEPING = "tests/functions/test_sweeping.py"
_STORE_TESTS = "tests/contract/test_job_store.py"

PLANTS = (
    Plant(
        "failed-job-revived",
        Kind.FALSE_SUCCESS,
        "A result that comes after the end turns a failed job into one that has succeeded.",
        (
            Edit(
                _JOBS,
                "    JobState.FAILED: frozenset(),",
                "    JobState.FAILED: frozenset({JobState.SUCCEEDED}),",
            ),
            Edit(
                _JOBS,
                "    CallState.FAILED: frozenset(),",
                "    CallState.FAILED: frozenset({CallState.PUBLISHING}),",
            ),
        ),
        _SETTLING,
        "test_after_the_job_failed_is_noted_and_not_published",
    ),
    Plant(
        "unanswered-attempts-not-counted",
        Kind.UNBOUNDED,
        "An attempt that RunPod gave no id for is held to have cost nothing.",
        (
            Edit(
                _JOBS,
                "return sum(not attempt.is_free for attempt in self.attempts)",
                "return sum(bool(attempt.runpod_id) for attempt in self.attempts)",
            ),
        ),
        _SWEEPING,
        "test_for_the_last_time_is_given_up",
    ),
    Plant(
        "revision-not-looked-at",
        Kind.NOT_ATOMIC,
        "A write holds whatever others wrote since the load.",
        (
            Edit(
                _STORE,
                '"ConditionExpression": "#revision = :seen",',
                '"ConditionExpression": "#revision >= :seen",',
            ),
        ),
        _STORE_TESTS,
        "test_a_write_that_was_decided_on_an_older_state_is_refused",
    ),
    Plant(
        "job-and-call-saved-one-by-one",
        Kind.NOT_ATOMIC,
        "A job and its call that end together are two writes.",
        (
            Edit(
                _STORE,
                """            self._client.transact_write_items(
                TransactItems=[{"Update": update} for update in updates]
            )""",
                """            for update in updates:
                self._write(update, "it")""",
            ),
        ),
        _STORE_TESTS,
        "test_job_and_call_are_saved_both_or_neither",
    ),
    Plant(
        "record-replaced-by-a-duplicate",
        Kind.NOT_ATOMIC,
        "A second event for an upload replaces the record of the first.",
        (
            Edit(
                _STORE,
                """            "Item": packed(item),
            "ConditionExpression": "attribute_not_exists(job_id)",
""",
                """            "Item": packed(item),
""",
            ),
        ),
        _STORE_TESTS,
        "test_an_upload_has_one_job",
    ),
    Plant(
        "audit-overwritten",
        Kind.OVERWRITTEN,
        "Each write replaces what was told before.",
        (
            Edit(
                _STORE,
                '"#events = list_append(#events, :events)"',
                '"#events = :events"',
            ),
        ),
        _STORE_TESTS,
        "test_the_audit_tells_everything_in_order_and_keeps_it",
    ),
    Plant(
        "first-page-only",
        Kind.BRITTLE,
        "Of what is due, the first page of DynamoDB's answer is read.",
        (
            Edit(
                _STORE,
                """        for page in pages:
            for item in map(unpacked, page["Items"]):""",
                """        for page in list(pages)[:1]:
            for item in map(unpacked, page["Items"]):""",
            ),
        ),
        _STORE_TESTS,
        "test_are_found_on_every_page",
    ),
    Plant(
        "unread-keys-forgotten",
        Kind.BRITTLE,
        "Keys that DynamoDB hands back under load count as missing.",
        (
            Edit(
                _STORE,
                """            if not wanted:
                return
""",
                """            return
""",
            ),
        ),
        _STORE_TESTS,
        "test_what_dynamodb_left_unread_is_read_again",
    ),
    Plant(
        "whole-table-read",
        Kind.UNBOUNDED,
        "A sweep reads the whole table and costs what is stored.",
        (
            Edit(
                _STORE,
                """        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression=""",
                """        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression=""",
            ),
        ),
        _STORE_TESTS,
        "test_cost_what_is_due_and_not_what_is_stored",
    ),
    Plant(
        "expiry-in-milliseconds",
        Kind.WRONG_NAME,
        "DynamoDB, which expires by seconds, is told milliseconds: nothing is ever deleted.",
        (
            Edit(
                _ITEMS,
                '"expires_at": int(job.expires_at.timestamp()),  # TTL wants epoch seconds',
                '"expires_at": int(job.expires_at.timestamp() * 1000),',
            ),
            Edit(
                _ITEMS,
                """        created_at=_to_instant(item["created_at"]),
        deadline=_to_instant(item["deadline"]),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),""",
                """        created_at=_to_instant(item["created_at"]),
        deadline=_to_instant(item["deadline"]),
        expires_at=datetime.fromtimestamp(item["expires_at"] / 1000, UTC),""",
            ),
        ),
        _STORE_TESTS,
        "test_dynamodb_is_told_in_seconds_when_a_record_expires",
    ),
)
