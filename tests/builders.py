"""Things to test with: sensible by default, overridden by name. Times and ids are fixed."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.jobs.audit import AuditEvent
from core.jobs.call import Call, CallState
from core.jobs.callback import CallRef
from core.jobs.job import WHOLE, Job, JobState, Source, Summary
from core.runpod.reports import RunPodReport, parse_report
from core.runpod.work_order import ResultManifest
from core.settings import Resources, Retries, RunPodSettings, SubmitterSettings, UploadFilter
from core.summaries.goals import WritingLimits
from core.summaries.options import Mode, SummaryOptions

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = b"a-callback-secret-of-forty-characters-00"
API_KEY = "rpa_an-api-key-that-must-not-leak"
JOB_ID = "0123456789abcdef0123456789abcdef"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def a_source(**changes: Any) -> Source:
    return replace(
        Source(
            bucket="transcripts",
            key="calls/harbour board.txt",
            version_id="v1",
            etag="0cc175b9c0f1b6a831c399e269772661",
            sequencer="0055AED6DCD90281E5",
            size_bytes=60_000,
            uploaded_at=NOON,
        ),
        **changes,
    )


def a_request(**changes: Any) -> SummaryOptions:
    default = SummaryOptions(
        words=4000, model="a/model", max_tokens=6000, temperature=0.3, top_p=0.9
    )
    return replace(default, **changes)


def a_job(**changes: Any) -> Job:
    default = Job(
        id=JOB_ID,
        state=JobState.ACTIVE,
        source=a_source(),
        options=a_request(),
        limits=WritingLimits(context_tokens=32_768),
        summary_key="summaries/calls/harbour board.txt",
        words_in=10_000,
        target_words=16,  # SUMMARY_TEXT has as many
        stage=1,
        stage_calls=1,
        created_at=NOON,
        deadline=NOON + minutes(60),
        expires_at=NOON + timedelta(days=90),
    )
    return replace(default, **changes)


def an_event(at: datetime = NOON, what: str = "", **changes: Any) -> AuditEvent:
    """Return an audit event; `what` is a transition (`submitted -> publishing`) or a note."""
    from_state, arrow, to_state = what.partition(" -> ")
    happened = {"from_state": from_state, "to_state": to_state} if arrow else {"note": what}
    return AuditEvent(**{"at": at, "by": "test", **happened, **changes})


def a_call(state: CallState = CallState.SUBMITTED, *, attempts: int = 1, **changes: Any) -> Call:
    """Return a call that got into `state` by the moves that lead there, in its latest attempt."""
    call = Call(
        job_id=JOB_ID,
        id="1-0",
        stage=1,
        ask="single",
        words=30,
        state=CallState.WAITING,
        expires_at=NOON + timedelta(days=90),
    )
    due_at = NOON + minutes(5)
    for number in range(1, attempts + 1):
        call = call.with_claim(due_at=due_at, event=an_event())
        if number < attempts:
            call = call.with_submission(f"rp-{number}", an_event())
            call = call.with_wait("worker-lost", due_at=due_at, event=an_event())
    match state:
        case CallState.WAITING if attempts:
            call = call.with_wait("worker-lost", due_at=due_at, event=an_event())
        case CallState.SUBMITTING | CallState.WAITING:
            pass
        case _:
            call = call.with_submission(f"rp-{attempts}", an_event())
            call = _ended(call, state, due_at)
    return replace(call, pending_events=(), **changes)


def _ended(call: Call, state: CallState, due_at: datetime) -> Call:
    match state:
        case CallState.PUBLISHING:
            return call.with_publishing(call.attempt.number, due_at=due_at, event=an_event())
        case CallState.SUCCEEDED:
            call = call.with_publishing(call.attempt.number, due_at=due_at, event=an_event())
            return call.with_success(an_event())
        case CallState.FAILED:
            return call.with_failure("deadline", an_event())
        case CallState.CANCELLED:
            return call.with_cancellation(an_event())
    return call


def a_pull_job(**changes: Any) -> Job:
    return a_job(**{"options": a_request(mode=Mode.PULL), "stage": 0, **changes})


def a_pull_call(state: CallState = CallState.SUBMITTED, **changes: Any) -> Call:
    """Return pull mode's one call."""
    return a_call(state, **{"id": WHOLE, "stage": 0, "ask": "", **changes})


def a_ref(attempt: int = 1) -> CallRef:
    return CallRef(JOB_ID, "1-0", attempt)


def a_summary(**changes: Any) -> Summary:
    default = Summary(
        call_id="1-0",
        attempt=1,
        runpod_id="rp-1",
        model="a/model",
        words=3900,
        prompt_tokens=14_000,
        completion_tokens=5_300,
        finish_reason="stop",
    )
    return replace(default, **changes)


SUMMARY_TEXT = "# The harbour board\n\nMara said that the pump holds. Ilse wants a second one."


def chat_completion(
    text: str = SUMMARY_TEXT,
    *,
    finish_reason: str = "stop",
    prompt_tokens: int = 14_000,
    completion_tokens: int = 5_300,
) -> dict[str, Any]:
    """Return what an OpenAI-compatible server answers to a chat request."""
    return {
        "object": "chat.completion",
        "model": "a/model",
        "choices": [{"index": 0, "message": {"content": text}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens},
    }


def user_prompt(request: Mapping[str, Any]) -> str:
    """Return what a RunPod request says to the model after the system prompt."""
    return str(request["input"]["openai_input"]["messages"][1]["content"])


def completed_body(
    text: str = SUMMARY_TEXT, *, finish_reason: str = "stop", **changes: Any
) -> dict[str, Any]:
    """Return what RunPod posts when worker-vllm (2.24 or later) has answered."""
    body: dict[str, Any] = {
        "id": "rp-1",
        "status": "COMPLETED",
        "delayTime": 9_533,
        "executionTime": 61_088,
        "input": {"openai_route": "/v1/chat/completions"},
        "webhook": "https://example.invalid/webhook",
        "output": [chat_completion(text, finish_reason=finish_reason)],
    }
    return body | changes


def a_manifest(body: bytes = SUMMARY_TEXT.encode(), **changes: Any) -> ResultManifest:
    """Return what the worker of pull mode reports about a summary that it has put."""
    default = ResultManifest(
        sha256=hashlib.sha256(body).hexdigest(),
        size_bytes=len(body),
        words_in=10_000,
        target_words=4_000,
        words_out=len(body.split()),
        read_as="webvtt",
        model="a/model",
        calls=3,
        rounds=3,
        prompt_tokens=14_000,
        completion_tokens=5_300,
        discarded_tokens=0,
        doubts=0,
        finish_reason="stop",
        facts={},
    )
    return replace(default, **changes)


def manifest_body(manifest: ResultManifest, **changes: Any) -> dict[str, Any]:
    """Return what RunPod posts when the worker of pull mode has answered."""
    return completed_body(input={"work_order": {}}, output=manifest.as_output(), **changes)


def failed_body(error: str, **changes: Any) -> dict[str, Any]:
    return status_body("FAILED", error=error) | changes


def lost_body(**changes: Any) -> dict[str, Any]:
    """Return what RunPod posts when a worker has vanished with its request."""
    return failed_body("job timed out after 1 retries", **changes)


def status_body(status: str, **changes: Any) -> dict[str, Any]:
    """Return what RunPod says about a request that has no output."""
    return {"id": "rp-1", "status": status} | changes


def a_report(**changes: Any) -> RunPodReport:
    return parse_report(completed_body(**changes))


def a_pull_report(text: str = SUMMARY_TEXT, **changes: Any) -> RunPodReport:
    """Return what pull mode's worker reports of a summary that its manifest holds."""
    return parse_report(manifest_body(a_manifest(text.encode(), text=text), **changes))


def submitter_settings(context_tokens: int = 32_768, **changes: Any) -> SubmitterSettings:
    default = SubmitterSettings(
        resources=Resources(
            jobs_table="jobs",
            output_bucket="summaries",
            output_prefix="summaries/",
            work_queue_url="https://queue.invalid/work",
        ),
        runpod=RunPodSettings(endpoint="https://runpod.invalid/v2/e", api_key_secret="key"),
        retries=Retries(job_deadline=minutes(60), max_attempts=3),
        upload_filter=UploadFilter(
            bucket="transcripts", prefix="", suffixes=(".txt", ".md"), max_bytes=1_000_000
        ),
        callback_secret="callback",
        webhook_url="https://hooks.invalid/webhook",
        options=a_request(),
        glossary="",
        limits=WritingLimits(context_tokens=context_tokens),
        execution_timeout=minutes(15),
        callback_overdue=minutes(5),
        retention=timedelta(days=90),
    )
    return replace(default, **changes)
