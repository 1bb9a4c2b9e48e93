"""Bodies of callbacks: RunPod's own, these damaged, and what was never one."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from core.aws.files import delivery_key
from core.jobs.callback import CallRef
from core.jobs.job import WHOLE
from tests.builders import a_manifest, completed_body, failed_body, manifest_body
from tests.fuzz.mutations import bytes_mutated, structure_mutated
from tests.fuzz.receiver import CANARY, OUTPUT_BUCKET, ReceiverHarness


@dataclass(frozen=True)
class Posted:
    body: Any
    is_base64: Any = False
    text: str = ""  # the summary that a genuine COMPLETED brings


Body = Callable[[Random, ReceiverHarness, CallRef], Posted]

_PIECES = (
    "Mara said that the pump holds. ",
    "Ilse wants a second one.\n\n",
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m",
    "\x00",
    "\u202e\u200b\ufeff",
    '"}]}\n{"level":"ERROR"}',
    "港の理事会。",
    "😀",
    "\r\n",
    "% $ {} \\ ' \"",
)
_ERRORS = (
    "job timed out after 1 retries",
    "executionTimeout exceeded",
    "vLLM returned HTTP 400: bad model",
    "This model's maximum context length is 32768 tokens",
    '{"error_type": "<class \'ValueError\'>", "error_message": "no"}',
    "Job input must contain",
    "",
)
_WORDS = (
    "COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "IN_QUEUE", "IN_PROGRESS", "GONE", "UNKNOWN",
    "completed", "COMPLETED ", "", "RUNNING", "COMPLETED\n", "\ud800", "Ⅽompleted",
)  # fmt: skip


def a_text(rng: Random) -> str:
    chunks = rng.choices(_PIECES, k=rng.randint(1, 12))
    return f"# {CANARY} {rng.getrandbits(32):x}\n\n{''.join(chunks)}".strip()


def runpod_id_of(harness: ReceiverHarness, ref: CallRef) -> str:
    """Return the id that RunPod would report, one of its own making where we don't know it yet."""
    attempt = harness.call(ref).attempt_numbered(ref.attempt)
    return (attempt and attempt.runpod_id) or f"rp-{ref.job_id[:8]}-{ref.attempt}-e1"


def a_completed(rng: Random, harness: ReceiverHarness, ref: CallRef) -> tuple[dict[str, Any], str]:
    """Return a COMPLETED body, in the words of one of the workers, and the text in it."""
    text = a_text(rng)
    if ref.call_id == WHOLE:
        return _a_delivered(rng, harness, ref, text), text
    body = completed_body(
        text,
        finish_reason=rng.choice(["stop", "stop", "length"]),
        id=runpod_id_of(harness, ref),
        input={"prompt": f"{CANARY} the transcript"},
        webhook=f"https://hooks.invalid/{CANARY}",
    )
    (chunk,) = body["output"]
    match rng.randrange(5):
        case 0:
            body["output"] = chunk
        case 1:
            at = rng.randrange(len(text))
            body["output"] = [
                {
                    "choices": [{"tokens": [text[:at], text[at:]]}],
                    "usage": {"input": 3, "output": 4},
                }
            ]
        case 2:
            chunk["choices"] = [{"message": {"content": [{"type": "text", "text": text}]}}]
        case 3:
            chunk["choices"] = [{"text": text, "finish_reason": None}]
    return body, text


def _a_delivered(rng: Random, harness: ReceiverHarness, ref: CallRef, text: str) -> dict[str, Any]:
    """Return what pull mode's worker reports of a summary that it has put, or that it sends along."""
    written = text.encode("utf-8", "replace")
    was_put = rng.random() < 0.5
    if was_put:
        key = delivery_key(ref.job_id, ref.call_id, ref.attempt)
        harness.s3.put_object(Bucket=OUTPUT_BUCKET, Key=key, Body=written)
        harness.delivered.append(text)
    return manifest_body(
        a_manifest(written, text="" if was_put else text),
        id=runpod_id_of(harness, ref),
        webhook=f"https://hooks.invalid/{CANARY}",
    )


def a_genuine(rng: Random, harness: ReceiverHarness, ref: CallRef) -> dict[str, Any]:
    """Return any body that RunPod is known to send."""
    runpod_id = runpod_id_of(harness, ref)
    echoed = {"input": {"prompt": CANARY}, "webhook": f"https://hooks.invalid/{CANARY}"}
    match rng.randrange(9):
        case 0 | 1 | 2:
            return a_completed(rng, harness, ref)[0]
        case 3 | 4:
            error = f"{rng.choice(_ERRORS)} {CANARY}"
            return failed_body(error, id=runpod_id, executionTime=42_078) | echoed
        case 5:
            return {"id": runpod_id, "status": rng.choice(["CANCELLED", "TIMED_OUT"])} | echoed
        case 6:
            return {"id": runpod_id, "status": rng.choice(["IN_QUEUE", "IN_PROGRESS"])} | echoed
        case 7:
            thought = f"<think>{CANARY} which words"
            return completed_body(thought, finish_reason="length", id=runpod_id) | echoed
    return {"id": runpod_id, "status": "COMPLETED", "output": None} | echoed


def posted(rng: Random, document: Any, *, text: str = "") -> Posted:
    """Write a document as a sender may, and hand it over as API Gateway may."""
    written = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.3:
        data = written.encode("utf-8", "surrogatepass")
        return Posted(base64.b64encode(data).decode(), is_base64=True, text=text)
    return Posted(written, text=text)


def _completed(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    body, text = a_completed(rng, harness, ref)
    return posted(rng, body, text=text)


def _genuine(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    return posted(rng, a_genuine(rng, harness, ref))


def _changed(change: Callable[[Random, dict[str, Any]], Any]) -> Body:
    def body(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
        document = a_completed(rng, harness, ref)[0]
        return posted(rng, change(rng, document))

    return body


def _replaced(name: str, value: Callable[[Random], Any]) -> Body:
    return _changed(lambda rng, document: document | {name: value(rng)})


def _removed(name: str) -> Body:
    return _changed(lambda rng, document: {k: v for k, v in document.items() if k != name})


def _raw(write: Callable[[Random], Any], is_base64: Any = False) -> Body:
    return lambda rng, harness, ref: Posted(write(rng), is_base64=is_base64)


def _of_another_request(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    other = rng.choice([each for each in harness.refs if each.job_id != ref.job_id])
    return posted(rng, a_genuine(rng, harness, other))


def junk(rng: Random, levels: int = 3) -> Any:
    """Return any JSON value."""
    match rng.randrange(14 if levels else 11):
        case 0:
            return None
        case 1:
            return rng.choice([True, False])
        case 2:
            return rng.choice([0, -1, 1, 2**31, 2**63, -(2**63), 10**12, 10**13, 10**400])
        case 3:
            return rng.choice([0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan")])
        case 4:
            return ""
        case 5:
            return rng.choice(["\ud800", "\0", "\n", " ", "é" * 300, "\u202e", "x" * 5_000])
        case 6:
            return rng.choice(_WORDS)
        case 7 | 8 | 9 | 10:
            return f"{CANARY} {a_text(rng)}"
        case 11 | 12:
            return [junk(rng, levels - 1) for _ in range(rng.randint(0, 3))]
    names = ["id", "status", "output", "choices", "message", "content", "text", "tokens", "usage"]
    return {rng.choice(names): junk(rng, levels - 1) for _ in range(rng.randint(0, 3))}


def _bytes_mutated(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    data = bytes_mutated(rng, json.dumps(a_genuine(rng, harness, ref)).encode())
    if rng.random() < 0.5:
        return Posted(base64.b64encode(data).decode(), is_base64=True)
    return Posted(data.decode("utf-8", rng.choice(["replace", "surrogateescape"])))


def _structure_mutated(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    return posted(rng, structure_mutated(rng, a_genuine(rng, harness, ref), junk))


def _doubled_keys(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    ours = runpod_id_of(harness, ref)
    first, second = rng.sample([ours, "somebody-elses", ours + "x"], 2)
    body = json.dumps(a_completed(rng, harness, ref)[0])
    tail = body[1:].replace(f'"id": {json.dumps(ours)}', f'"id": {json.dumps(second)}')
    return Posted(f'{{"id": {json.dumps(first)}, "status": "FAILED", {tail}')


def _number(written: str) -> Body:
    """Write a figure that json.dumps would not, where RunPod writes one."""

    def body(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
        document = json.dumps(a_completed(rng, harness, ref)[0])
        name, figure = rng.choice(
            [("delayTime", "9533"), ("executionTime", "61088"), ("prompt_tokens", "14000")]
        )
        return Posted(document.replace(f'"{name}": {figure}', f'"{name}": {written}'))

    return body


def _huge(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    document, text = a_completed(rng, harness, ref)
    return Posted(json.dumps(document | {"input": f"{CANARY} " * 100_000}), text=text)


def _nested(levels: int) -> Any:
    inner: Any = CANARY
    for level in range(levels):
        inner = [inner] if level % 2 else {"choices": [inner]}
    return inner


def _with_mark(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Posted:
    return Posted("\ufeff" + json.dumps(a_genuine(rng, harness, ref)))


GENUINE_BODIES: dict[str, Body] = {
    "body: genuine, completed": _completed,
    "body: genuine, any state": _genuine,
    "body: none at all": lambda rng, harness, ref: Posted(rng.choice([None, "", " \n", "null"])),
}
# Slow to make or to read; a few of each are enough.
HEAVY_BODIES: dict[str, Body] = {
    "body: over a megabyte": _huge,
    "body: over a megabyte of nothing": _raw(
        lambda rng: rng.choice([" ", "x", "[1,", "9"]) * (1 << 20)
    ),
    "body: nested without end": _raw(lambda rng: rng.choice(["[", '{"a":', '[{"id":']) * 100_000),
    "body: output nested deep": _changed(
        lambda rng, document: (
            document | {rng.choice(["output", "error"]): _nested(rng.randint(50, 400))}
        )
    ),
}
BODIES: dict[str, Body] = GENUINE_BODIES | {
    "body: not JSON": _raw(lambda rng: rng.choice([CANARY, "{", "}", "'", "{id:1}", "undefined", "\0"])),
    "body: JSON, but no object": _raw(lambda rng: json.dumps(rng.choice([1, CANARY, [CANARY], True, 0]))),
    "body: of another kind": _raw(
        lambda rng: rng.choice([1, 0, True, [], {}, [CANARY], {"id": "rp-1"}, 1.5]), is_base64=False
    ),
    "body: of another kind, said to be base64": _raw(
        lambda rng: rng.choice([1, True, ["e30="], {"id": "rp-1"}, 1.5]), is_base64=True
    ),
    "body: byte order mark": _with_mark,
    "body: said to be base64, is not": lambda rng, harness, ref: Posted(
        json.dumps(a_genuine(rng, harness, ref)), is_base64=rng.choice([True, "true", 1])
    ),
    "body: is base64, said not to be": lambda rng, harness, ref: Posted(
        base64.b64encode(json.dumps(a_genuine(rng, harness, ref)).encode()).decode(),
        is_base64=rng.choice([False, None, "", 0]),
    ),
    "body: broken base64": _raw(
        lambda rng: rng.choice(["e30", "e3 0=", "%%%%", "é", "e30=\n=", "=", "A" * 4_097]), is_base64=True
    ),
    "body: base64 of no UTF-8": _raw(
        lambda rng: base64.b64encode(rng.randbytes(rng.randint(1, 60)) + b"\xff").decode(), is_base64=True
    ),
    "body: of another request": _of_another_request,
    "body: id missing": _removed("id"),
    "body: id of another kind": _replaced("id", junk),
    "body: id unlike ours": _replaced(
        "id", lambda rng: rng.choice(["é", "../../status", "a b", "?x=1", "\ud800", "x" * 201, "x" * 200])
    ),
    "body: status missing": _removed("status"),
    "body: status of another kind": _replaced("status", junk),
    "body: status unknown": _replaced("status", lambda rng: rng.choice(_WORDS)),
    "body: output missing": _removed("output"),
    "body: output at random": _replaced("output", lambda rng: junk(rng, 5)),
    "body: every field of another kind": _changed(
        lambda rng, document: {name: junk(rng) for name in document}
    ),
    "body: keys doubled": _doubled_keys,
    "body: NaN or Infinity": _number("NaN"),
    "body: minus Infinity": _number("-Infinity"),
    "body: figure of 5,001 digits": _number("1" + "0" * 5_000),
    "body: figure of 4,001 digits": _number("1" + "0" * 4_000),
    "body: figure beyond any float": _number("1e999"),
    "body: figure below nothing": _number("-1"),
    "body: half a character in the text": _changed(
        lambda rng, document: document
        | {"output": {"choices": [{"message": {"content": f"{CANARY} half \ud83d of it"}}]}}
    ),
    "body: text of white space": _changed(
        lambda rng, document: document
        | {"output": {"choices": [{"message": {"content": rng.choice([" ", "\n\t", "\u2003"])}}]}}
    ),
    "body: words of another kind": _changed(
        lambda rng, document: document
        | {"output": {"model": junk(rng), "choices": [{"text": CANARY, "finish_reason": junk(rng)}]}}
    ),
    "body: bytes mutated": _bytes_mutated,
    "body: structure mutated": _structure_mutated,
}  # fmt: skip
