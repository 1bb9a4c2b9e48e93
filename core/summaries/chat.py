"""What the model is asked for in one call, as the OpenAI chat request that every server takes. Pure."""

from collections.abc import Sequence
from typing import Any

from core.summaries.levels import Level
from core.summaries.options import SummaryOptions
from core.summaries.plans import Kind, Limits, Task
from core.summaries.prompts import (
    CHAT_TEMPLATE_TOKENS,
    LONGEST_BEFORE_CHARACTERS,
    Prompt,
    messages_for,
)
from core.summaries.tokens import estimate_tokens


def chat_request(
    call_id: str,
    task: Task,
    level: Level,
    *,
    slots: Sequence[str],
    options: SummaryOptions,
    boundary: str,
    transcript_words: int,
    limits: Limits,
) -> dict[str, Any]:
    """Return the body of `/v1/chat/completions` for one call.

    `slots` are the calls whose texts make up a stage, in order: a part is named as which of how many it is.
    `limits` are what the task was planned with. Where prompts have grown since, the answer keeps the room
    that was planned for it, and an endpoint that is too small for both says so.
    `boundary` marks where the material begins and ends; its author must not have known it.
    """
    part, parts = (slots.index(call_id) + 1, len(slots)) if call_id in slots else (1, 1)
    before = ""
    if task.kind is Kind.NOTES and task.first > 0:
        before = level.chunks[task.first - 1][-LONGEST_BEFORE_CHARACTERS:].partition(" ")[2]
    prompt = Prompt(
        text="\n".join(level.chunks[task.first : task.last]),
        boundary=boundary,
        words=task.requested_words,
        transcript_words=transcript_words,
        language=options.language,
        prompts=options.prompt,
        with_times=options.with_times,
        part=part,
        parts=parts,
        before=before,
    )
    messages = messages_for(task.kind, task.level, prompt)
    prompt_tokens = sum(estimate_tokens(message["content"]) for message in messages)
    room = limits.context_tokens - prompt_tokens - CHAT_TEMPLATE_TOKENS
    planned = limits.answer_tokens(task.words)
    return {
        "model": options.model,
        "messages": messages,
        "max_tokens": min(options.max_tokens, max(room, planned)),
        "temperature": options.temperature,
        "top_p": options.top_p,
        "stream": False,
    }
