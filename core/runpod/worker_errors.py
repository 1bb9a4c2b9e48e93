"""What a worker's error means, by its words. Pure.

Errors come as texts, as objects, and as objects turned into text by JSON or by Python. They can quote the
prompt, so they are classified here and never kept.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from core.runpod.failures import Failure, worker_failure

_WORKER_ERROR = Failure(
    code="worker-error",
    message="the RunPod worker reported an error; look the request up in RunPod's console",
    may_help_to_retry=True,
)

_CONTEXT_LENGTH = Failure(
    code="context-length",
    message="the prompt is longer than the endpoint's MAX_MODEL_LEN allows; set"
    " MaxModelLenTokens to what the endpoint really serves",
    may_help_to_retry=False,
)

_MODEL_REFUSED = Failure(
    code="model-refused",
    message="vLLM refused the request as invalid; check the model's name and MaxTokens",
    may_help_to_retry=False,
)

# Parts of RunPod's error texts, in the order in which they are looked for.
_FAILURES: tuple[tuple[str, Failure], ...] = (
    ("maximum context length", _CONTEXT_LENGTH),
    ("longer than the maximum model length", _CONTEXT_LENGTH),  # vLLM's engine, past its own check
    ("context length is only", _CONTEXT_LENGTH),  # vLLM since 0.16, of a prompt too long by itself
    ("exceeds the available context size", _CONTEXT_LENGTH),  # llama.cpp's server
    (
        "executionTimeout exceeded",
        Failure(
            code="execution-timeout",
            message="the request ran longer than ExecutionTimeoutSeconds; raise it, or use a faster GPU",
            may_help_to_retry=False,
        ),
    ),
    (
        "job timed out after",
        Failure(
            code="worker-lost",
            message="RunPod's worker stopped without an answer, also on RunPod's own retry",
            may_help_to_retry=True,
        ),
    ),
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
            code="model-refused",
            message="the RunPod worker does not take openai_route requests; is it worker-vllm?",
            may_help_to_retry=False,
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
    trouble = worker_failure(error)
    if trouble:
        return trouble
    text = " ".join(_strings(error)) + " " + " ".join(_strings(output))
    for part, failure in _FAILURES:
        if part in text:
            return failure
    return _MODEL_REFUSED if _code_in(error) in _INVALID else _WORKER_ERROR


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
