"""The body of POST /run for one call."""

from datetime import timedelta
from typing import Any

from core.asks import chat_request
from core.callback import CallRef, callback_url
from core.jobs import Call, Job
from core.layers import Layer
from core.ports import CallbackSecrets
from core.settings import SubmitterSettings

# RunPod's ttl covers queue and run together and deletes the request in any state: we must have given
# it up before.
_TTL_PAST_DEADLINE = timedelta(minutes=10)


def request_for(
    job: Job, call: Call, layer: Layer, *, settings: SubmitterSettings, secrets: CallbackSecrets
) -> dict[str, Any]:
    """Return it in the one format that every worker-vllm takes."""
    ref = CallRef(job.id, call.id, call.attempt.number)
    ttl = settings.retries.job_deadline + _TTL_PAST_DEADLINE
    return {
        "input": {
            "openai_route": "/v1/chat/completions",
            "openai_input": chat_request(
                call.id,
                call.task,
                layer,
                slots=job.slots,
                request=job.request,
                boundary=job.id,  # hashes the file's version: its author can't have known it
                transcript_words=job.words_in,
                context_tokens=settings.context_tokens,
            ),
        },
        "webhook": callback_url(settings.webhook_url, ref, secrets.current()),
        "policy": {
            "executionTimeout": settings.execution_timeout // timedelta(milliseconds=1),
            "ttl": ttl // timedelta(milliseconds=1),
        },
    }
