"""The body of POST /run for one call."""

from datetime import datetime, timedelta
from typing import Any

from core.jobs.call import Call
from core.jobs.callback import CallRef, callback_url
from core.jobs.job import Job
from core.jobs.ports import PresignedUrls
from core.runpod.work_order import WorkOrder
from core.settings import SubmitterSettings
from core.summaries.asks import Ask
from core.summaries.glossary import Glossary
from core.summaries.messages import chat_request
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages

# RunPod's ttl covers queue and run together and deletes the request in any state: we must have given
# it up before.
_TTL_PAST_DEADLINE = timedelta(minutes=10)


def chat_input(ask: Ask, passages: Passages, options: SummaryOptions) -> dict[str, Any]:
    """Return push mode's `input`, in the one format that every worker-vllm takes."""
    return {
        "openai_route": "/v1/chat/completions",
        "openai_input": chat_request(ask, passages, options),
    }


def work_order_input(
    job: Job, call: Call, glossary: Glossary, *, presigned_urls: PresignedUrls, now: datetime
) -> dict[str, Any]:
    """Return pull mode's `input`, with URLs of this attempt's own that last as long as it may."""
    # Three hours at most: the settings bound the deadline, and SigV4 a URL to 7 days.
    lifetime = job.deadline - now + _TTL_PAST_DEADLINE
    to_read = presigned_urls.to_read(job.source, lifetime=lifetime)
    to_deliver = presigned_urls.to_deliver(job.id, call.id, call.attempt.number, lifetime=lifetime)
    order = WorkOrder(
        job_id=job.id,
        name=job.source.key,
        size_bytes=job.source.size_bytes,
        get_url=to_read.url,
        get_headers=to_read.headers,
        put_url=to_deliver.url,
        options=job.options,
        glossary=glossary,
        limits=job.limits,
    )
    return order.as_input()


def request_for(
    job: Job,
    call: Call,
    call_input: dict[str, Any],
    *,
    settings: SubmitterSettings,
    secret: bytes,
) -> dict[str, Any]:
    """Return the whole body around an `input`."""
    ref = CallRef(job.id, call.id, call.attempt.number)
    ttl = settings.retries.job_deadline + _TTL_PAST_DEADLINE
    return {
        "input": call_input,
        "webhook": callback_url(settings.webhook_url, ref, secret),
        "policy": {
            "executionTimeout": settings.execution_timeout // timedelta(milliseconds=1),
            "ttl": ttl // timedelta(milliseconds=1),
        },
    }
