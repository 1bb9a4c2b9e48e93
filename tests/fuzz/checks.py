"""What must hold of every answer, whatever was asked.

It goes by what the harness looked like before and after and by the URLs that were truly made, never by
what the receiver thinks of a request. What a true token may change is in moves.py.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.jobs.call import CallState
from core.jobs.callback import CallRef
from core.jobs.job import WHOLE, Job, JobState
from core.summaries.cleaning import clean
from tests.fuzz.receiver import (
    CANARY,
    OUTPUT_BUCKET,
    REFETCH_PAUSE_SECONDS,
    Answer,
    Picture,
    ReceiverHarness,
)
from tests.fuzz.requests import CallbackRequest
from tests.fuzz.transitions import of_others, of_transitions

CODES = frozenset({200, 400, 401, 404, 409, 503})
OUTCOMES = frozenset(
    {
        "unauthorized",
        "RunPod's id of the request is not on record yet",
        "no such call",
        "another request's report",
        "the body is not JSON",
        "the body is not a JSON object",
        "the body has no id",
        "the body has no status",
        "without a body; the sweeper will ask",
        "not confirmed; the sweeper will ask",
        "succeeded",
        "recovered",
        "wants another attempt",
        "too long for the model",
        "failed",
        "closed",
        "late result noted",
        "nothing to do",
    }
)
_ENDS = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"})


def faults(request: CallbackRequest, answer: Answer, harness: ReceiverHarness) -> list[str]:
    """Return what is wrong with an answer, in words; nothing if all is well."""
    if answer.error is not None:
        return [f"raised {type(answer.error).__name__}: {answer.error}"[:300]]
    return [
        *_of_response(answer),
        *_of_log(request, answer, harness),
        *_of_effect(request, answer, harness),
    ]


def _of_response(answer: Answer) -> Iterator[str]:
    response = answer.response
    if set(response) != {"statusCode", "body"} or response["statusCode"] not in CODES:
        yield f"answered {str(response)[:200]}"
    elif json.loads(response["body"]).get("outcome") not in OUTCOMES:
        yield f"said something that is not one of its words: {response['body'][:200]}"
    elif set(json.loads(response["body"])) != {"outcome"}:
        yield "said more than an outcome"


def _of_log(request: CallbackRequest, answer: Answer, harness: ReceiverHarness) -> Iterator[str]:
    if CANARY in answer.log or "https://" in answer.log or "/webhook" in answer.log:
        yield "logged something of the request"
    token = (request.event.get("pathParameters") or {}).get("token")
    if isinstance(token, str) and len(token) > len("unauthorized") and token in answer.log:
        yield "logged a token"
    for line in answer.log.splitlines():
        try:
            json.loads(line)
        except ValueError:
            yield "printed a line that is not JSON"


def _of_effect(request: CallbackRequest, answer: Answer, harness: ReceiverHarness) -> Iterator[str]:
    assert answer.before
    yield from _of_refetching(answer, harness)
    ref = opened_by(request.event, harness)
    if ref is None:
        yield from _of_stranger(answer)
    elif not _is_known(ref, answer.before):
        yield from _of_never_begun(answer)
    else:
        yield from _of_entitled(request, ref, answer, harness)


def _of_stranger(answer: Answer) -> Iterator[str]:
    if answer.response["statusCode"] != 401:
        yield f"let a stranger in with {answer.response['statusCode']}"
    if answer.reads:
        yield "read the store for a stranger"
    if answer.before != answer.after:
        yield "changed something for a stranger"


def _of_never_begun(answer: Answer) -> Iterator[str]:
    if answer.response["statusCode"] not in {400, 404}:
        yield f"answered {answer.response['statusCode']} about an attempt that was never begun"
    if answer.before != answer.after:
        yield "changed something about an attempt that was never begun"


def _of_entitled(
    request: CallbackRequest, ref: CallRef, answer: Answer, harness: ReceiverHarness
) -> Iterator[str]:
    assert answer.before
    assert answer.after
    code = answer.response["statusCode"]
    if code == 401:
        yield "turned a true token away"
    if code == 503:
        yield from _of_not_yet_known(ref, answer, harness)
    elif code != 200 and answer.before != answer.after:
        yield f"refused with {code} and changed something all the same"
    yield from _of_report(request, ref, answer, harness)
    yield from of_others(ref, answer.before, answer.after)
    yield from of_transitions(ref, answer.before, answer.after)
    yield from _of_files(request, ref, answer, harness)
    if request.is_genuine:
        yield from _of_genuine(request, ref, answer, harness)


def _of_not_yet_known(ref: CallRef, answer: Answer, harness: ReceiverHarness) -> Iterator[str]:
    """Only what can't be verified yet is rejected for a while; the sweeper is notified, and no more."""
    assert answer.before
    assert answer.after
    key = (ref.job_id, ref.call_id)
    was, now = answer.before.calls[key], answer.after.calls[key]
    attempt = was.attempt_numbered(ref.attempt)
    if not harness.runpod or was.is_final or (attempt and attempt.runpod_id):
        yield "sent away a callback that it could have verified"
    if replace(now, due_at=was.due_at, revision=was.revision) != was:
        yield "changed more than when the sweeper looks"
    # The audit says that the sweeper was notified.
    aside: dict[str, Any] = {"calls": {}, "events": {}}
    if replace(answer.before, **aside) != replace(answer.after, **aside):
        yield "changed something beside the call"


def _of_refetching(answer: Answer, harness: ReceiverHarness) -> Iterator[str]:
    if not answer.fetches:
        return
    if answer.fetches > 1 or harness.seconds - harness.fetched_at < REFETCH_PAUSE_SECONDS:
        yield "asked Secrets Manager too often"
    harness.fetched_at = harness.seconds


def opened_by(event: dict[str, Any], harness: ReceiverHarness) -> CallRef | None:
    """Return which attempt a request may speak for: the one whose URL this is, to the letter."""
    path = event.get("pathParameters") or {}
    parts = tuple(path.get(name) for name in ("job_id", "call_id", "attempt", "token"))
    if not all(isinstance(part, str) for part in parts):
        return None
    return harness.minted.get(parts)  # type: ignore[arg-type]


def _is_known(ref: CallRef, picture: Picture) -> bool:
    call = picture.calls.get((ref.job_id, ref.call_id))
    return call is not None and call.attempt_numbered(ref.attempt) is not None


def _of_report(
    request: CallbackRequest, ref: CallRef, answer: Answer, harness: ReceiverHarness
) -> Iterator[str]:
    """A report must be a report, about this request, and about its end, to change anything."""
    document = document_in(request.event)
    is_nothing = document is None
    is_job = (
        isinstance(document, dict)
        and isinstance(document.get("id"), str)
        and isinstance(document.get("status"), str)
    )
    code = answer.response["statusCode"]
    if is_nothing:
        if code != 200:
            yield f"answered {code} to a callback without a body"
        return
    if not is_job:
        if code != 400:
            yield f"answered {code} to what is no report"
        return
    assert answer.before
    call = answer.before.calls[ref.job_id, ref.call_id]
    attempt = call.attempt_numbered(ref.attempt)
    is_foreign = attempt and attempt.runpod_id and attempt.runpod_id != document["id"]
    if is_foreign and code not in {400, 409}:
        yield f"answered {code} to another request's report"
    if not harness.runpod and document["status"] not in _ENDS and answer.before != answer.after:
        yield "took a state on the way for an end"


def document_in(event: dict[str, Any]) -> Any:
    """Return the JSON in an event's body, None for an empty one, and "" for what is not JSON."""
    body = event.get("body")
    try:
        if not body:
            return None
        if not isinstance(body, str):
            return ""
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode("utf-8")
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        return ""


def _of_files(
    request: CallbackRequest, ref: CallRef, answer: Answer, harness: ReceiverHarness
) -> Iterator[str]:
    assert answer.before
    assert answer.after
    job = answer.after.jobs[ref.job_id]
    facts = job.summary_key.removesuffix(".txt") + ".json"
    work = f"work/{job.id}/{ref.call_id}.txt"
    changed = {
        key
        for key, stored in answer.after.objects.items()
        if answer.before.objects.get(key) != stored
    }
    allowed = {(OUTPUT_BUCKET, key) for key in (job.summary_key, facts, work)}
    if changed - allowed or answer.before.objects.keys() - answer.after.objects.keys():
        yield "touched a file that is not its own"
    for key in changed:
        if key[1] != facts and key in answer.before.objects:
            yield "wrote a text over another"
        stored = answer.after.objects[key]
        if key[1] == facts:
            told = json.loads(stored.body)
            if told["job_id"] != job.id:
                yield "wrote another job's facts"
        else:
            yield from _of_text(stored.body, stored.content_type, request, harness)
            if key[1] == job.summary_key and not stored.body.strip():
                yield "published a summary without anything in it"
    if job.state is JobState.SUCCEEDED and not _summary(job, answer.after).strip():
        yield "ended a job without a summary"


def _summary(job: Job, picture: Picture) -> bytes:
    stored = picture.objects.get((OUTPUT_BUCKET, job.summary_key))
    return stored.body if stored else b""


def _of_text(
    body: bytes, content_type: str, request: CallbackRequest, harness: ReceiverHarness
) -> Iterator[str]:
    if content_type != "text/plain; charset=utf-8":
        yield f"stored a text as {content_type}"
    text = body.decode("utf-8")
    if harness.runpod:  # the callback is not believed, RunPod is
        reports = harness.runpod.reports.values()
        documents = [each.manifest.text if each.manifest else each.text for each in reports]
        if text.strip() not in documents:
            yield "stored what RunPod did not say"
        return
    document = document_in(request.event)
    told = list(_strings(document.get("output"))) if isinstance(document, dict) else []
    if not _is_made_of(text, told) and text.strip() not in map(str.strip, harness.delivered):
        yield "stored what was not in the report"


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _strings(inner)


def _is_made_of(text: str, strings: list[str]) -> bool:
    """Is a text the whole of some of the strings, in their order? White space does not count."""
    wanted = "".join(text.split())
    reached = {0}
    for string in strings:
        part = "".join(string.encode("utf-8", "replace").decode().split())
        reached |= {at + len(part) for at in reached if wanted.startswith(part, at)}
    return len(wanted) in reached


def _of_genuine(
    request: CallbackRequest, ref: CallRef, answer: Answer, harness: ReceiverHarness
) -> Iterator[str]:
    """A true callback must be taken, and its text must stand where an open call waited for it."""
    assert answer.before
    assert answer.after
    code = answer.response["statusCode"]
    if code == 503:
        return  # it will come again
    if code != 200:
        yield f"refused a genuine callback with {code}"
        return
    key = (ref.job_id, ref.call_id)
    was, now = answer.before.calls[key], answer.after.calls[key]
    job_was = answer.before.jobs[ref.job_id]
    is_open = not was.is_final and not job_was.is_final and was.state is not CallState.PUBLISHING
    is_pull = ref.call_id == WHOLE
    answer_itself = request.text.strip() if is_pull else clean(request.text).text
    if answer_itself and is_open and not harness.runpod:
        if now.state is not CallState.SUCCEEDED:
            yield f"left a call {now.state} whose result had come"
        kept = [
            stored.body.decode().strip()
            for name, stored in answer.after.objects.items()
            if answer.before.objects.get(name) != stored
        ]
        if answer_itself not in kept:
            yield "did not keep the text that had come"
