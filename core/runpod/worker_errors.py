"""What a worker's error means, by its words. Pure.

Errors come as texts, as objects, and as objects turned into text by JSON or by Python. They can quote the
prompt, so they are classified here and never kept.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from core.failures import WORKER_CODES, Failure
from core.runpod.work_order import ERROR_PREFIX

_WORKER_ERROR = Failure("worker-error")
_CONTEXT_LENGTH = Failure("context-length")
_MODEL_REFUSED = Failure("model-refused")

# Parts of RunPod's error texts, in the order in which they are looked for.
_FAILURES: tuple[tuple[str, Failure], ...] = (
    ("maximum context length", _CONTEXT_LENGTH),
    ("longer than the maximum model length", _CONTEXT_LENGTH),  # vLLM's engine, past its own check
    ("context length is only", _CONTEXT_LENGTH),  # vLLM since 0.16, of a prompt too long by itself
    ("exceeds the available context size", _CONTEXT_LENGTH),  # llama.cpp's server
    ("executionTimeout exceeded", Failure("execution-timeout")),
    ("job timed out after", Failure("worker-lost")),
    # A time-out, too early, too many: these pass, unlike the others that begin with a 4.
    ("vLLM returned HTTP 408", _WORKER_ERROR),
    ("vLLM returned HTTP 425", _WORKER_ERROR),
    ("vLLM returned HTTP 429", _WORKER_ERROR),
    ("vLLM returned HTTP 4", _MODEL_REFUSED),
    # The `type` of an error of vLLM itself, which names its status in words.
    ("BadRequestError", _MODEL_REFUSED),
    ("NotFoundError", _MODEL_REFUSED),
    ("UnprocessableEntityError", _MODEL_REFUSED),
    ("invalid_request_error", _MODEL_REFUSED),
    (
        "Job input must contain",
        Failure(
            "model-refused",
            "the RunPod worker does not take openai_route requests; is it worker-vllm?",
        ),
    ),
)


def parts_of(output: object) -> list[Any]:
    """Return what a worker yielded; one that does not yield has its one answer unlisted."""
    return output if isinstance(output, list) else [output]


def error_in(output: object) -> object:
    """Return an error that a worker gave for its output, or None.

    A part of an answer before it is no answer, so one error among the parts is enough.
    """
    for part in parts_of(output):
        if isinstance(part, str) and _ERROR_OBJECT.search(part):
            return part  # an error object that was turned into text, as JSON or as Python writes it
        if not _is_object(part):
            continue
        if part.get("error"):
            return part["error"]
        if part.get("object") == "error":
            return part
    return None


_ERROR_OBJECT = re.compile(r"""["']object["']: ?["']error["']|^\{["']error["']:""")


def failure_in(error: object, output: object = None) -> Failure:
    reported = reported_failure(error)
    if reported:
        return reported
    text = " ".join(_strings(error)) + " " + " ".join(_strings(output))
    for part, failure in _FAILURES:
        if part in text:
            return failure
    return _MODEL_REFUSED if _code_in(error) in _INVALID else _WORKER_ERROR


def reported_failure(error: object) -> Failure | None:
    """Return what the worker of pull mode reported, or None if these are not its words."""
    if not isinstance(error, str) or not error.startswith(ERROR_PREFIX):
        return None
    code = error.removeprefix(ERROR_PREFIX).strip()
    return Failure(code) if code in WORKER_CODES else _UNKNOWN


_UNKNOWN = Failure(
    "worker-error",
    "the worker reported a failure that is not known here; deploy the stack and the worker's image from"
    " the same version of this project",
)
_INVALID = frozenset({400, 404, 413, 422})


def _code_in(error: object) -> int | None:
    """Return the HTTP status that an error object of vLLM names; what else stands there is no status."""
    code = error.get("code") if _is_object(error) else None
    return code if isinstance(code, int) else None


def _strings(value: object, levels: int = 3) -> list[str]:
    """Return the texts in an error, which may be a text or an object that holds some."""
    if isinstance(value, str):
        return [value]
    if not levels or not isinstance(value, list | Mapping):
        return []
    inner = value.values() if isinstance(value, Mapping) else value
    return [text for each in inner for text in _strings(each, levels - 1)]


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
