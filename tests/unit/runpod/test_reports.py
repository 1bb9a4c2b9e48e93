import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadBody
from core.failures import Failure
from core.runpod.reports import RunPodStatus, gone, parse_report
from tests.builders import a_manifest, completed_body, failed_body

# As the worker-vllm of each generation posts it.
BY_MESSAGE = completed_body()["output"]
BY_TEXT = [
    {
        "object": "text_completion",
        "choices": [{"text": "A text.", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
]
BY_TOKENS = [{"choices": [{"tokens": ["A text."]}], "usage": {"input": 3, "output": 2}}]
CONTEXT_LENGTH = (
    '{\'message\': \'vLLM returned HTTP 400: {"error": {"message": "This model\\\'s maximum context'
    ' length is 32768 tokens. However, you requested 40000 tokens.", "code": 400}}\','
    " 'type': 'worker_error', 'code': None}"
)
# As the server of llama.cpp says it, quoted by a worker.
CONTEXT_SIZE = (
    '{\'message\': \'vLLM returned HTTP 400: {"error":{"code":400,"message":"request (9031 tokens)'
    ' exceeds the available context size (8192 tokens), try increasing it","type":'
    '"exceed_context_size_error","n_prompt_tokens":9031,"n_ctx":8192}}\','
    " 'type': 'worker_error', 'code': None}"
)
HANDLER_ERROR = json.dumps(
    {"error_type": "<class 'ValueError'>", "error_message": "boom", "error_traceback": "..."}
)


def test_a_completed_request_brings_text_counts_and_timings() -> None:
    report = parse_report(completed_body(text="  A summary.\n"))

    assert report.status is RunPodStatus.COMPLETED
    assert report.text == "A summary."
    assert (report.finish_reason, report.model) == ("stop", "a/model")
    assert (report.prompt_tokens, report.completion_tokens) == (14_000, 5_300)
    assert report.queued == timedelta(milliseconds=9_533)
    assert report.ran == timedelta(milliseconds=61_088)
    assert report.failure is None


@pytest.mark.parametrize(
    "output", [BY_TEXT, BY_TOKENS, BY_TOKENS[0]], ids=["completions", "before 2.24", "unlisted"]
)
def test_every_worker_generation_is_understood(output: object) -> None:
    report = parse_report(completed_body(output=output))

    assert report.text == "A text."
    assert (report.prompt_tokens, report.completion_tokens) == (3, 2)


def test_a_manifest_brings_the_workers_figures() -> None:
    manifest = a_manifest(finish_reason="length", prompt_tokens=14_000, completion_tokens=5_300)

    report = parse_report(completed_body(output=manifest.as_output()))

    assert (report.manifest, report.text, report.failure) == (manifest, "", None)
    assert (report.finish_reason, report.model) == ("length", manifest.model)
    assert (report.prompt_tokens, report.completion_tokens) == (14_000, 5_300)


def test_a_request_that_runpod_has_forgotten_is_a_failure_that_another_attempt_may_help() -> None:
    report = gone("rp-1")

    assert (report.runpod_id, report.status) == ("rp-1", RunPodStatus.GONE)
    assert report.failure
    assert report.failure.may_help_to_retry


def test_the_tokens_of_an_answer_and_its_choices_are_joined() -> None:
    output = [{"choices": [{"tokens": ["One ", "two"]}]}, {"choices": [{"tokens": [" three."]}]}]

    assert parse_report(completed_body(output=output)).text == "One two three."


@pytest.mark.parametrize(
    ("word", "kept"), [("x" * 200, "x" * 200), ("x" * 201, ""), ("a\nb", ""), ("é", ""), (7, "")]
)
def test_a_models_name_is_kept_if_metadata_can_hold_it(word: object, kept: str) -> None:
    body = completed_body()
    body["output"][0]["model"] = word

    assert parse_report(body).model == kept


@pytest.mark.parametrize("figure", [1, 10**12])
def test_the_smallest_and_the_largest_figure_count(figure: int) -> None:
    body = completed_body(delayTime=figure)
    body["output"][0]["usage"] = {"prompt_tokens": figure, "completion_tokens": figure}

    report = parse_report(body)

    assert report.queued == timedelta(milliseconds=figure)
    assert (report.prompt_tokens, report.completion_tokens) == (figure, figure)


def test_a_cut_off_answer_says_so() -> None:
    assert parse_report(completed_body(output=BY_TEXT)).finish_reason == "length"


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "One "}, {"type": "text", "text": "two."}]
    output = [{"choices": [{"message": {"content": parts}}]}]

    assert parse_report(completed_body(output=output)).text == "One two."


def test_only_the_answer_itself_is_the_text() -> None:
    content = "<think>About 4,000 words.</think>\n\n```markdown\n# Board\n\nThe pump holds.\n```<|eot_id|>"
    output = [{"choices": [{"message": {"content": content}}]}]

    assert parse_report(completed_body(output=output)).text == "# Board\n\nThe pump holds."


def test_reasoning_without_an_answer_is_an_empty_one() -> None:
    output = [{"choices": [{"message": {"content": "<think>About 4,000 words, then"}}]}]

    report = parse_report(completed_body(output=output))

    assert (report.text, report.failure, report.has_result) == ("", None, False)


@pytest.mark.parametrize("content", ["", " \n ", "<think>About 4,000 words, then"])
def test_an_answer_without_text_says_all_the_same_what_it_has_cost(content: str) -> None:
    report = parse_report(completed_body(content, finish_reason="length"))

    assert (report.text, report.failure) == ("", None)
    assert (report.finish_reason, report.completion_tokens) == ("length", 5_300)


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        {},
        "",
        "a bare text is no format of worker-vllm",
        [{"choices": []}],
        [{"choices": [{"message": {"content": None}}]}],
        [{"choices": [{"message": {"content": " \n "}}]}],
        [[["deep"]]],
        7,
    ],
)
def test_completed_without_a_usable_text_is_a_failure_worth_a_retry(output: object) -> None:
    report = parse_report(completed_body(output=output))

    assert report.failure == Failure("no-output")
    assert report.text == ""


TOO_LONG = {
    "object": "error",
    "message": "This model's maximum context length is 4096 tokens. However, you asked for 5000.",
    "type": "BadRequestError",
    "param": None,
    "code": 400,
}
INVALID = TOO_LONG | {"message": "temperature must be non-negative, got -1.0."}
BROKEN = {"object": "error", "message": "CUDA out of memory", "type": "InternalServerError"}


@pytest.mark.parametrize(
    ("error", "code", "may_help_to_retry"),
    [
        (TOO_LONG, "context-length", False),
        (INVALID, "model-refused", False),
        (INVALID | {"type": "invalid_request_error", "code": None}, "model-refused", False),
        (INVALID | {"type": "Whatever"}, "model-refused", False),
        (TOO_LONG | {"message": "no such model", "type": "NotFoundError"}, "model-refused", False),
        (BROKEN | {"code": 500}, "worker-error", True),
        (BROKEN, "worker-error", True),
        (BROKEN | {"code": [400]}, "worker-error", True),
        ({"error": TOO_LONG}, "context-length", False),
        ({"error": {"message": "no"}}, "worker-error", True),
        ({"error": "The prompt is longer than the maximum model length"}, "context-length", False),
        ({"error": "transcript-worker: fetch-failed"}, "fetch-failed", True),
        (json.dumps(TOO_LONG), "context-length", False),
        (str(INVALID), "model-refused", False),
        (json.dumps({"error": BROKEN}), "worker-error", True),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "bare"])
def test_an_error_that_a_worker_gives_for_its_output_is_classified_like_any_other(
    error: object, code: str, may_help_to_retry: bool, is_listed: bool
) -> None:
    report = parse_report(completed_body(output=[error] if is_listed else error))

    assert report.failure is not None
    assert (report.failure.code, report.failure.may_help_to_retry) == (code, may_help_to_retry)


def test_half_an_answer_before_an_error_is_no_answer() -> None:
    report = parse_report(completed_body(output=[*BY_TEXT, BROKEN]))

    assert (report.text, report.has_result) == ("", False)


def test_an_answer_that_speaks_of_errors_is_an_answer() -> None:
    text = 'The API answers {"object": "error"} where the prompt is too long.'

    assert parse_report(completed_body(text)).text == text


def test_an_error_field_that_is_empty_is_none() -> None:
    output = [BY_TEXT[0] | {"error": None}]

    assert parse_report(completed_body(output=output)).text == "A text."


@pytest.mark.parametrize(
    ("error", "code", "may_help_to_retry"),
    [
        (CONTEXT_LENGTH, "context-length", False),
        (CONTEXT_SIZE, "context-length", False),
        ("executionTimeout exceeded", "execution-timeout", False),
        ("job timed out after 1 retries", "worker-lost", True),
        ("{'message': 'vLLM returned HTTP 404: no such model'}", "model-refused", False),
        ("{'message': 'vLLM returned HTTP 503: busy'}", "worker-error", True),
        ("{'message': 'vLLM returned HTTP 429: too many'}", "worker-error", True),
        ("{'message': 'vLLM returned HTTP 408: too slow'}", "worker-error", True),
        (
            "{'message': 'top_p must be in (0, 1]', 'type': 'BadRequestError', 'code': 400}",
            "model-refused",
            False,
        ),
        ("{'message': 'Job input must contain one of: ...'}", "model-refused", False),
        (
            "{'message': 'vLLM server process is not running; worker is unhealthy'}",
            "worker-error",
            True,
        ),
        (HANDLER_ERROR, "worker-error", True),
        ("handler: boom \ntraceback: ...", "worker-error", True),
        ({"message": "This model's maximum context length is 8192"}, "context-length", False),
        (
            "vLLM returned HTTP 400: However, the model's context length is only 8192 tokens",
            "context-length",
            False,
        ),
        (
            "vLLM returned HTTP 400: the request exceeds the available context size",
            "context-length",
            False,
        ),
        (None, "worker-error", True),
        (17, "worker-error", True),
    ],
)
def test_runpods_error_text_is_classified(error: Any, code: str, may_help_to_retry: bool) -> None:
    failure = parse_report(failed_body(error)).failure

    assert failure is not None
    assert (failure.code, failure.may_help_to_retry) == (code, may_help_to_retry)


TOO_LONG = "maximum context length is 8192"


@pytest.mark.parametrize(
    ("error", "output", "code"),
    [
        ({"a": {"b": [TOO_LONG]}}, None, "context-length"),
        ({"a": {"b": [{"c": TOO_LONG}]}}, None, "worker-error"),  # nobody nests errors so deep
        ("{}", [7, {"object": "error", "message": TOO_LONG}], "context-length"),
    ],
)
def test_an_error_is_found_three_levels_deep(error: object, output: object, code: str) -> None:
    failure = parse_report(failed_body(error, output=output)).failure

    assert failure
    assert failure.code == code


def test_an_error_among_parts_that_are_none_is_found() -> None:
    output = [7, {"object": "error", "message": TOO_LONG}]

    failure = parse_report(completed_body(output=output)).failure

    assert failure
    assert failure.code == "context-length"


def test_an_error_beside_its_output_is_found() -> None:
    body = failed_body("{}", output=[{"error": "maximum context length is 8192"}])

    failure = parse_report(body).failure

    assert failure is not None
    assert failure.code == "context-length"


def test_runpods_own_words_about_a_failure_are_not_kept() -> None:
    report = parse_report(failed_body("ValueError: Mara said the pump holds"))

    assert "Mara" not in repr(report)


@pytest.mark.parametrize(
    ("status", "code"), [("CANCELLED", "cancelled"), ("TIMED_OUT", "timed-out")]
)
def test_other_final_statuses_are_failures(status: str, code: str) -> None:
    report = parse_report({"id": "rp-1", "status": status})

    assert report.failure is not None
    assert report.failure.code == code


@pytest.mark.parametrize("status", ["IN_QUEUE", "IN_PROGRESS"])
def test_an_intermediate_status_is_not_final(status: str) -> None:
    report = parse_report({"id": "rp-1", "status": status, "output": BY_MESSAGE})

    assert not report.status.is_final
    assert report.text == ""


@pytest.mark.parametrize("word", ["RUNNING", "completed", "GONE", "UNKNOWN", ""])
def test_an_unknown_status_is_not_final(word: str) -> None:
    assert parse_report({"id": "rp-1", "status": word}).status is RunPodStatus.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "COMPLETED",
        {},
        {"status": "COMPLETED"},
        {"id": "rp-1"},
        {"id": "", "status": "COMPLETED"},
        {"id": 1, "status": "COMPLETED"},
        {"id": "rp-1", "status": 404},
        {"id": "x" * 201, "status": "COMPLETED"},
        {"id": "a\nb", "status": "COMPLETED"},
        {"id": "../purge-queue", "status": "COMPLETED"},  # ids become part of paths at RunPod
        {"id": "..", "status": "COMPLETED"},
        {"id": "a/b", "status": "COMPLETED"},
        {"id": "a?b=c", "status": "COMPLETED"},
        {"id": "a#b", "status": "COMPLETED"},
        {"id": "%2e%2e", "status": "COMPLETED"},
        {"id": "rp-é", "status": "COMPLETED"},
    ],
)
def test_what_is_not_a_job_is_refused(body: object) -> None:
    with pytest.raises(BadBody):
        parse_report(body)


@pytest.mark.parametrize(
    "runpod_id", ["c80ffee4-f315-4e25-a146-0f3d98cf024b-u1", "sync-1a2b-e1", "a_b.c", "7"]
)
def test_an_id_in_runpods_form_is_accepted(runpod_id: str) -> None:
    assert parse_report({"id": runpod_id, "status": "IN_QUEUE"}).runpod_id == runpod_id


@pytest.mark.parametrize(
    "figure", [-1, True, "9", None, float("nan"), float("inf"), 10**30, [], {}]
)
def test_an_invalid_figure_counts_as_nothing(figure: object) -> None:
    body = completed_body(delayTime=figure, executionTime=figure)
    body["output"][0]["usage"] = {"prompt_tokens": figure, "completion_tokens": figure}

    report = parse_report(body)

    assert (report.queued, report.ran) == (timedelta(), timedelta())
    assert (report.prompt_tokens, report.completion_tokens) == (0, 0)


def test_a_lone_surrogate_becomes_something_that_a_file_can_hold() -> None:
    text = parse_report(completed_body(text="a\ud800b")).text

    assert text.encode("utf-8") == b"a?b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "text", "tokens", "usage", "error"]),
            inner,
        )
    ),
    max_leaves=15,
)


@given(output=JSON, error=JSON, status=st.sampled_from(["COMPLETED", "FAILED", "X"]))
def test_any_output_and_error_can_be_parsed(output: Any, error: Any, status: str) -> None:
    report = parse_report({"id": "rp-1", "status": status, "output": output, "error": error})

    assert not (report.text and report.failure)
    assert (report.status is RunPodStatus.UNKNOWN) or bool(report.text) != bool(report.failure)
