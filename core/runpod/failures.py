"""Why an attempt brought no text, in words of ours; and what the worker of pull mode's codes mean. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.runpod.work_order import TROUBLE_PREFIX, TROUBLES


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an attempt brought no text."""

    code: str
    message: str
    may_help_to_retry: bool


def worker_failure(error: object) -> Failure | None:
    """Return what the worker of pull mode told, or None if it is not its words."""
    if not isinstance(error, str) or not error.startswith(TROUBLE_PREFIX):
        return None
    code = error.removeprefix(TROUBLE_PREFIX).strip()
    if code not in TROUBLES:
        return UNKNOWN_TROUBLE
    return Failure(code=code, message=_MESSAGES[code], may_help_to_retry=TROUBLES[code])


def held_up(why: str) -> Failure:
    """Return why a call failed that was held until its job's time was up."""
    return Failure(
        code="held",
        message=f"it was held for as long as a job may be, and nothing was mended: {why}",
        may_help_to_retry=False,
    )


_MESSAGES: Mapping[str, str] = {
    "fetch-expired": "the worker came to fetch the file when its URL had expired, or the session that"
    " signed it had ended; more workers shorten the queue",
    "fetch-failed": "the worker could not fetch the file from S3, again and again; can its network"
    " reach the bucket?",
    "deleted": "the file was deleted before the worker could fetch it; upload it again",
    "replaced": "the file was replaced before the worker could fetch it; its newer version has a job"
    " of its own",
    "too-large": "the file is larger than the worker takes; split it, or raise the worker's limit",
    "unreadable": "the worker found no transcript in the file: it is empty, damaged, or in no format"
    " that it knows; docs/formats.md lists them",
    "impossible": "the model's context leaves no room for a piece of the transcript; serve the model"
    " with a larger MAX_MODEL_LEN",
    "model-unavailable": "the worker's model server did not start, or went away; look at the worker's"
    " log in RunPod's console",
    "model-failed": "the worker's model server answered errors again and again; look at the worker's"
    " log in RunPod's console",
    "model-refused": "the worker's model server holds the request for invalid; check the model's name"
    " and MaxTokens",
    "bad-order": "the worker does not understand the order; deploy the stack and the worker's image from"
    " the same version of this project",
}

UNKNOWN_TROUBLE = Failure(
    code="worker-error",
    message="the worker reported a trouble that is not known here; deploy the stack and the worker's"
    " image from the same version of this project",
    may_help_to_retry=True,
)
NO_MANIFEST = Failure(
    code="no-manifest",
    message="the endpoint answered without a manifest; in pull mode it must run this project's worker",
    may_help_to_retry=False,
)
NOT_ASKED_FOR = Failure(
    code="unexpected-manifest",
    message="the endpoint answered with a manifest, and a text was asked for",
    may_help_to_retry=False,
)
RESULT_MISSING = Failure(
    code="result-missing",
    message="the worker reported a summary, and none is where it should lie",
    may_help_to_retry=True,
)
RESULT_DAMAGED = Failure(
    code="result-damaged",
    message="what lies where the summary should is not what the worker reported: size, checksum or"
    " encoding differ",
    may_help_to_retry=True,
)
