"""RunPod's words about a request, turned into ours. Pure.

A callback's body and `GET /status` hold the same object: `id`, `status`, `output`, `error`,
`delayTime` and `executionTime` in milliseconds, and in a callback also the whole `input` and `webhook`.
worker-vllm answers in two shapes, by generation: chat completions as OpenAI writes them (2.24 and
later, and the OpenAI route of all), or `tokens` with `usage.input`/`usage.output` (before). The worker of
pull mode answers with a manifest. An error is not always said as one: worker-vllm 2.2 to 2.9 ended such
requests as COMPLETED, with vLLM's error object for the output.

RunPod's error texts can quote the prompt, so they are classified (core/runpod/worker_errors.py) and
never kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeGuard

from core.errors import BadBody
from core.failures import Failure
from core.runpod.work_order import ResultManifest, parse_manifest
from core.runpod.worker_errors import error_in, failure_in, parts_of
from core.summaries.cleaning import clean


class RunPodStatus(StrEnum):
    """RunPod's job states, with what we make of anything else."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    GONE = "GONE"  # not RunPod's word: /status answered 404
    UNKNOWN = "UNKNOWN"  # not RunPod's word: a state that we don't know

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset(
    {
        RunPodStatus.COMPLETED,
        RunPodStatus.FAILED,
        RunPodStatus.CANCELLED,
        RunPodStatus.TIMED_OUT,
        RunPodStatus.GONE,
    }
)


@dataclass(frozen=True, kw_only=True)
class RunPodReport:
    """What RunPod said about one request."""

    runpod_id: str
    status: RunPodStatus
    # The model's answer, if COMPLETED; "" also where it ended and wrote nothing that can be read.
    text: str = field(default="", repr=False)
    # Or where pull mode's answer is: to be verified, and its text read.
    manifest: ResultManifest | None = None
    finish_reason: str = ""  # "stop", "length", or "" where the worker does not say
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    queued: timedelta = timedelta()  # delayTime
    ran: timedelta = timedelta()  # executionTime
    failure: Failure | None = (
        None  # set exactly when the status is final without answer and manifest
    )

    @property
    def has_result(self) -> bool:
        return bool(self.text or self.manifest)

    @property
    def ran_ms(self) -> int:
        return int(self.ran / timedelta(milliseconds=1))

    @property
    def times(self) -> dict[str, str | int]:
        """Return how long it waited and ran at RunPod, for the audit; nothing where that is not said."""
        if not self.queued and not self.ran:
            return {}
        return {"queued_ms": int(self.queued / timedelta(milliseconds=1)), "ran_ms": self.ran_ms}

    @property
    def timings(self) -> dict[str, str | int]:
        """Return the figures for the audit."""
        figures: dict[str, str | int] = {
            "runpod_status": self.status.value,
            "queued_ms": int(self.queued / timedelta(milliseconds=1)),
            "ran_ms": self.ran_ms,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }
        if self.manifest:
            figures |= {
                "read_as": _word(self.manifest.read_as),
                "model_calls": self.manifest.calls,
                "rounds": self.manifest.rounds,
            }
        return figures


def parse_report(body: object) -> RunPodReport:
    """Read one job object.

    Raises BadBody for anything that has no id and status of the right types.
    """
    if not isinstance(body, Mapping):
        raise BadBody("the body is not a JSON object")
    runpod_id, status_word = body.get("id"), body.get("status")
    if not is_runpod_id(runpod_id):
        raise BadBody("the body has no id")
    if not isinstance(status_word, str):
        raise BadBody("the body has no status")
    status = RunPodStatus(status_word) if status_word in _RUNPOD_WORDS else RunPodStatus.UNKNOWN
    common: dict[str, Any] = {
        "runpod_id": runpod_id,
        "status": status,
        "queued": _milliseconds(body.get("delayTime")),
        "ran": _milliseconds(body.get("executionTime")),
    }
    match status:
        case RunPodStatus.COMPLETED:
            return _completed(common, body.get("output"))
        case RunPodStatus.FAILED:
            return RunPodReport(**common, failure=failure_in(body.get("error"), body.get("output")))
        case RunPodStatus.CANCELLED:
            return RunPodReport(**common, failure=Failure("cancelled"))
        case RunPodStatus.TIMED_OUT:
            return RunPodReport(**common, failure=Failure("timed-out"))
        case _:
            return RunPodReport(**common)


_RUNPOD_WORDS = frozenset(status.value for status in RunPodStatus) - {
    RunPodStatus.GONE,
    RunPodStatus.UNKNOWN,
}


def is_runpod_id(value: object) -> TypeGuard[str]:
    """Is this an id that RunPod could have given a request?

    It becomes part of the paths that are asked with our key, and a callback can claim any: one like
    `../purge-queue` would lead elsewhere.
    """
    return isinstance(value, str) and _RUNPOD_ID.fullmatch(value) is not None


_RUNPOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def gone(runpod_id: str) -> RunPodReport:
    """Return the report of a request that /status answers 404 for."""
    return RunPodReport(
        runpod_id=runpod_id, status=RunPodStatus.GONE, failure=Failure("lost-by-runpod")
    )


def _completed(common: dict[str, Any], output: object) -> RunPodReport:
    manifest = parse_manifest(output)
    if manifest:
        return RunPodReport(
            **common,
            manifest=manifest,
            finish_reason=_word(manifest.finish_reason),
            model=_word(manifest.model),
            prompt_tokens=manifest.prompt_tokens,
            completion_tokens=manifest.completion_tokens,
        )
    error = error_in(output)
    if error is not None:
        return RunPodReport(**common, failure=failure_in(error))
    parts = [part for part in parts_of(output) if _is_object(part)]
    choices = [
        choice for part in parts for choice in _list(part.get("choices")) if _is_object(choice)
    ]
    answer = "".join(_text_of(choice) for choice in choices).strip()
    is_said_to_end = any(_word(choice.get("finish_reason")) for choice in choices)
    if not answer and not is_said_to_end:
        return RunPodReport(**common, failure=Failure("no-output"))
    text = clean(answer).text
    usages: list[Mapping[str, Any]] = [
        part["usage"] for part in parts if _is_object(part.get("usage"))
    ]
    usage = usages[-1] if usages else {}
    return RunPodReport(
        **common,
        # A lone surrogate is legal in JSON and in no UTF-8 file.
        text=text.encode("utf-8", "replace").decode("utf-8"),
        finish_reason=_word(choices[-1].get("finish_reason")),
        model=_word(parts[-1].get("model")),
        prompt_tokens=_count(usage.get("prompt_tokens", usage.get("input"))),
        completion_tokens=_count(usage.get("completion_tokens", usage.get("output"))),
    )


def _text_of(choice: Mapping[str, Any]) -> str:
    message = choice.get("message")
    content = message.get("content") if _is_object(message) else None
    for candidate in (content, choice.get("text")):
        if isinstance(candidate, str):
            return candidate
    if isinstance(content, list):  # OpenAI's content parts
        texts = [part.get("text") for part in content if _is_object(part)]
        return "".join(text for text in texts if isinstance(text, str))
    return "".join(token for token in _list(choice.get("tokens")) if isinstance(token, str))


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str:
    """Return a short printable word, or nothing: it goes into metadata, which is ASCII, and the audit."""
    if (
        isinstance(value, str)
        and len(value) <= _LONGEST_WORD
        and value.isprintable()
        and value.isascii()
    ):
        return value
    return ""


_LONGEST_WORD = 200
_MOST = 10**12  # beyond it a figure is nonsense, and would not fit what it is stored in


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    return 0


def _milliseconds(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return timedelta(milliseconds=value)
    return timedelta()
