"""The body of POST /run for one call."""

from datetime import timedelta
from typing import Any

from core.budget import estimate_tokens
from core.callback import CallRef, callback_url
from core.jobs import Call, Job
from core.plans import Kind
from core.ports import CallbackSecrets
from core.prompts import (
    CHAT_TEMPLATE_TOKENS,
    LONGEST_BEFORE_CHARACTERS,
    Message,
    Prompt,
    messages_for,
)
from core.settings import SubmitterSettings
from submitter.material import Layer

# RunPod's ttl covers queue and run together and deletes the request in any state: we must have given
# it up before.
_TTL_PAST_DEADLINE = timedelta(minutes=10)


def request_for(
    job: Job, call: Call, layer: Layer, *, settings: SubmitterSettings, secrets: CallbackSecrets
) -> dict[str, Any]:
    """Return it in the one format that every worker-vllm takes."""
    asked = job.request
    messages = _messages(job, call, layer)
    prompt_tokens = sum(estimate_tokens(message["content"]) for message in messages)
    room = settings.context_tokens - prompt_tokens - CHAT_TEMPLATE_TOKENS
    ref = CallRef(job.id, call.id, call.attempt.number)
    ttl = settings.retries.job_deadline + _TTL_PAST_DEADLINE
    return {
        "input": {
            "openai_route": "/v1/chat/completions",
            "openai_input": {
                "model": asked.model,
                "messages": messages,
                "max_tokens": min(asked.max_tokens, room),
                "temperature": asked.temperature,
                "top_p": asked.top_p,
                "stream": False,
            },
        },
        "webhook": callback_url(settings.webhook_url, ref, secrets.current()),
        "policy": {
            "executionTimeout": settings.execution_timeout // timedelta(milliseconds=1),
            "ttl": ttl // timedelta(milliseconds=1),
        },
    }


def _messages(job: Job, call: Call, layer: Layer) -> list[Message]:
    task = call.task
    part, parts = (job.slots.index(call.id) + 1, len(job.slots)) if call.id in job.slots else (1, 1)
    before = ""
    if task.kind is Kind.NOTES and task.first > 0:
        before = layer.pieces[task.first - 1][-LONGEST_BEFORE_CHARACTERS:].partition(" ")[2]
    prompt = Prompt(
        text="\n".join(layer.pieces[task.first : task.last]),
        boundary=job.id,  # hashes the file's version: its author can't have written it inside
        words=task.ask,
        transcript_words=job.words_in,
        language=job.request.language,
        prompts=job.request.prompt,
        with_times=job.request.with_times,
        part=part,
        parts=parts,
        before=before,
    )
    return messages_for(task.kind, task.layer, prompt)
