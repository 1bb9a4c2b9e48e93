"""A request of push mode: the body of one chat completion, answered as worker-vllm answers it.

So one endpoint, with this worker, serves both modes.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

import requests

from worker.model import CHAT_ROUTE, ModelServer

_ROUTE, _BODY = "openai_route", "openai_input"


def is_completion(job_input: object) -> TypeGuard[Mapping[str, Any]]:
    """Is this what worker-vllm would pass on to its server's chat completions?"""
    return (
        isinstance(job_input, Mapping)
        and job_input.get(_ROUTE) == CHAT_ROUTE
        and isinstance(job_input.get(_BODY), dict)
    )


def completed(job_input: Mapping[str, Any], model: ModelServer) -> list[Any] | dict[str, Any]:
    """Return what RunPod is to report: the server's answer, or its refusal in worker-vllm's words.

    Raises WorkerError where no server answers.
    """
    answer = model.pass_on({**job_input[_BODY], "stream": False})
    if answer.status_code != requests.codes.ok:
        return {"error": f"vLLM returned HTTP {answer.status_code}: {answer.text}"}
    try:
        return [answer.json()]
    except (ValueError, RecursionError):
        return {"error": "Request to vLLM failed: its answer is no JSON"}
