"""The work order and the result manifest of pull mode."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.errors import BadBody
from core.runpod.work_order import (
    LONGEST_SUMMARY_BYTES,
    ResultManifest,
    WorkOrder,
    parse_manifest,
    parse_work_order,
)
from core.summaries.goals import WritingLimits
from tests.builders import JOB_ID, a_request

ORDER = WorkOrder(
    job_id=JOB_ID,
    name="calls/board.vtt",
    size_bytes=60_000,
    get_url="https://bucket.example/get?X-Amz-Signature=secret",
    get_headers={"If-Match": '"etag"'},
    put_url="https://bucket.example/put?X-Amz-Signature=secret",
    options=a_request(language="German", with_times=True),
    limits=WritingLimits(context_tokens=32_768),
)
MANIFEST = ResultManifest(
    sha256="0" * 64,
    size_bytes=24_000,
    words_in=10_000,
    target_words=4_000,
    words_out=3_900,
    read_as="webvtt",
    model="a/model",
    calls=3,
    rounds=3,
    prompt_tokens=14_000,
    completion_tokens=5_300,
    discarded_tokens=700,
    doubts=1,
    finish_reason="stop",
    facts={},
)


def through_json(value: object) -> Any:
    return json.loads(json.dumps(value))


def test_a_work_order_arrives_as_it_was_sent() -> None:
    assert parse_work_order(through_json(ORDER.as_input())) == ORDER


def test_a_manifest_arrives_as_it_was_sent() -> None:
    assert parse_manifest(through_json(MANIFEST.as_output())) == MANIFEST
    assert parse_manifest([through_json(MANIFEST.as_output())]) == MANIFEST


def test_what_is_secret_is_not_in_what_is_printed() -> None:
    assert "secret" not in repr(ORDER)
    assert "etag" not in repr(ORDER)
    assert "said in confidence" not in repr(replace(MANIFEST, text="said in confidence"))


@pytest.mark.parametrize(
    "job_input",
    [
        None,
        {},
        {"work_order": None},
        {"work_order": {"version": 1}},
        {"openai_route": "/v1/chat/completions"},
        {"work_order": ORDER.as_input()["work_order"] | {"version": 2}},
        {"work_order": ORDER.as_input()["work_order"] | {"more": 1}},
        {"work_order": ORDER.as_input()["work_order"] | {"options": {"strategy": "whatever"}}},
    ],
)
def test_an_invalid_work_order_is_refused_without_repeating_it(job_input: object) -> None:
    with pytest.raises(BadBody) as refused:
        parse_work_order(job_input)

    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 63},
        {"sha256": "g" * 64},
        {"sha256": "A" * 64},
        {"size_bytes": 0},
        {"size_bytes": LONGEST_SUMMARY_BYTES + 1},
        {"size_bytes": True},
        {"words_out": -1},
        {"words_out": "3900"},
        {"finish_reason": None},
        {"more": 1},
    ],
)
def test_what_is_no_manifest_counts_for_nothing(changes: dict[str, object]) -> None:
    manifest = MANIFEST.as_output()["manifest"] | changes

    assert parse_manifest({"manifest": manifest}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0123456789abcdef" * 4},
        {"size_bytes": 1},
        {"size_bytes": LONGEST_SUMMARY_BYTES},
        {"rounds": 0},
        {"words_in": 10**12},
    ],
)
def test_a_manifest_may_hold_the_smallest_and_the_largest_figures(
    changes: dict[str, object],
) -> None:
    manifest = MANIFEST.as_output()["manifest"] | changes

    assert parse_manifest({"manifest": manifest}) is not None


@pytest.mark.parametrize("output", [None, [], {}, "manifest", {"manifest": []}, [{}, {}], [None]])
def test_other_outputs_hold_no_manifest(output: object) -> None:
    assert parse_manifest(output) is None
