"""What the model is asked for in one call, as the OpenAI chat request that every server takes. Pure."""

from collections.abc import Sequence
from typing import Any

from core.budget import estimate_tokens
from core.jobs import Request
from core.layers import Layer
from core.plans import Kind, Limits, Task
from core.prompts import (
    CHAT_TEMPLATE_TOKENS,
    LONGEST_BEFORE_CHARACTERS,
    Prompt,
    messages_for,
)


def chat_request(
    call_id: str,
    task: Task,
    layer: Layer,
    *,
    slots: Sequence[str],
    request: Request,
    boundary: str,
    transcript_words: int,
    limits: Limits,
) -> dict[str, Any]:
    """Return the body of `/v1/chat/completions` for one call.

    `slots` are the calls whose texts make up a stage, in order: a part is told which of how many it is.
    `limits` are what the task was planned with. Where prompts have grown since, the answer keeps the room
    that was planned for it, and an endpoint that is too small for both says so.
    `boundary` marks where the material begins and ends; its author must not have known it.
    """
    part, parts = (slots.index(call_id) + 1, len(slots)) if call_id in slots else (1, 1)
    before = ""
    if task.kind is Kind.NOTES and task.first > 0:
        before = layer.pieces[task.first - 1][-LONGEST_BEFORE_CHARACTERS:].partition(" ")[2]
    prompt = Prompt(
        text="\n".join(layer.pieces[task.first : task.last]),
        boundary=boundary,
        words=task.ask,
        transcript_words=transcript_words,
        language=request.language,
        prompts=request.prompt,
        with_times=request.with_times,
        part=part,
        parts=parts,
        before=before,
    )
    messages = messages_for(task.kind, task.layer, prompt)
    prompt_tokens = sum(estimate_tokens(message["content"]) for message in messages)
    room = limits.context_tokens - prompt_tokens - CHAT_TEMPLATE_TOKENS
    planned = limits.answer_tokens(task.words)
    return {
        "model": request.model,
        "messages": messages,
        "max_tokens": min(request.max_tokens, max(room, planned)),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stream": False,
    }
