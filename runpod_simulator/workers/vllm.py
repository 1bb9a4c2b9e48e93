"""worker-vllm's formats: the job inputs it takes and the outputs it gives, before and since 2.24."""

import math
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from runpod_simulator.workers import Manner

TOKENS_PER_WORD = 1.35  # English speech, with the tokenizers of Mistral and Llama 3
_CHARACTERS_PER_TOKEN = 6  # only counts for text with few spaces
_NO_INPUT_ERROR = (
    "Job input must contain one of: openai_input (+openai_route), route (+body),"
    " or prompt/messages."
)
_CHAT_ROUTE, _TEXT_ROUTE = "/v1/chat/completions", "/v1/completions"
_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"[.!?][\"'\u201d\u2019)]*(?=\s|$)")


class BadInput(ValueError):
    """worker-vllm does not understand the job's input."""


class ModelRefused(BadInput):
    """vLLM's server refused the request: its status and body, which worker-vllm quotes."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"vLLM returned HTTP {status}: {body}")
        self.status = status
        self.body = body


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    route: str
    body: dict[str, Any]

    @property
    def is_chat(self) -> bool:
        return self.route == _CHAT_ROUTE


def parse_input(job_input: dict[str, Any]) -> ModelRequest:
    """Return the HTTP request that worker-vllm since 2.24 would send to its vLLM server.

    Raises:
        BadInput: with worker-vllm's own words.
    """
    for route_key, body_key in (("openai_route", "openai_input"), ("route", "body")):
        route, body = job_input.get(route_key, _CHAT_ROUTE), job_input.get(body_key)
        if isinstance(body, dict) and isinstance(route, str):
            return ModelRequest(route=route, body=body)
    sampling = job_input.get("sampling_params")
    extras = sampling if isinstance(sampling, dict) else {}
    if isinstance(job_input.get("messages"), list):
        return ModelRequest(route=_CHAT_ROUTE, body={"messages": job_input["messages"], **extras})
    if isinstance(job_input.get("prompt"), str):
        return ModelRequest(route=_TEXT_ROUTE, body={"prompt": job_input["prompt"], **extras})
    raise BadInput(_NO_INPUT_ERROR)


def estimated_tokens(text: str) -> int:
    return math.ceil(max(len(text.split()) * TOKENS_PER_WORD, len(text) / _CHARACTERS_PER_TOKEN))


def completion(
    request: ModelRequest, text: str, *, model: str, finish_reason: str, prompt_tokens: int
) -> dict[str, Any]:
    """Return vLLM's JSON for one completion."""
    completion_tokens = estimated_tokens(text)
    content = (
        {"message": {"role": "assistant", "content": text}} if request.is_chat else {"text": text}
    )
    return {
        "id": f"{'chatcmpl' if request.is_chat else 'cmpl'}-{uuid.uuid4().hex}",
        "object": "chat.completion" if request.is_chat else "text_completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                **content,
                "logprobs": None,
                "finish_reason": finish_reason,
                "stop_reason": None,
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "completion_tokens": completion_tokens,
        },
    }


def to_native(answer: dict[str, Any]) -> dict[str, Any]:
    """Convert to the output of worker-vllm up to 2.23, which has no finish_reason."""
    usage = answer.get("usage") or {}
    return {
        "choices": [{"tokens": [text_of(answer)]}],
        "usage": {
            "input": usage.get("prompt_tokens", 0),
            "output": usage.get("completion_tokens", 0),
        },
    }


def text_of(answer: dict[str, Any]) -> str:
    choice = answer["choices"][0]
    message = choice.get("message")
    return str((message.get("content") if message else choice.get("text")) or "")


def with_text(answer: dict[str, Any], text: str, finish_reason: str) -> dict[str, Any]:
    """Replace the text of an answer, and its token counts."""
    choice = dict(answer["choices"][0], finish_reason=finish_reason)
    if "message" in choice:
        choice["message"] = dict(choice["message"], content=text)
    else:
        choice["text"] = text
    usage = dict(answer.get("usage") or {}, completion_tokens=estimated_tokens(text))
    usage["total_tokens"] = usage.get("prompt_tokens", 0) + usage["completion_tokens"]
    return dict(answer, choices=[choice], usage=usage)


def first_words(text: str, count: int) -> str:
    """Return the first words of a text, with its line breaks."""
    ends = [found.end() for found in _WORD.finditer(text)]
    return text if count >= len(ends) else text[: ends[count - 1]] if count > 0 else ""


def cut_in_mid_sentence(text: str, fraction: float = 0.6) -> str:
    """Return a beginning that does not end where a sentence does."""
    count = max(1, int(len(text.split()) * fraction))
    while count > 1 and first_words(text, count)[-1] in ".!?:\u201d\"')":
        count -= 1
    return first_words(text, count)


def cut_at_sentence_end(text: str, fraction: float) -> str:
    """Return a beginning of about that fraction, up to the end of a sentence if there is one."""
    beginning = first_words(text, max(1, int(len(text.split()) * fraction)))
    ends = [found.end() for found in _SENTENCE_END.finditer(beginning)]
    return beginning[: ends[-1]] if ends else beginning


def with_faults(answer: dict[str, Any], manner: Manner) -> dict[str, Any]:
    """Change an answer into that of a model that writes too little or is cut off."""
    if not answer.get("choices"):
        return answer
    text = text_of(answer)
    if manner.length_fraction < 1:
        answer = with_text(answer, cut_at_sentence_end(text, manner.length_fraction), "stop")
    if manner.cut:
        answer = with_text(answer, cut_in_mid_sentence(text), "length")
    return answer
