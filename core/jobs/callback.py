"""The callback URL and its token: made and checked side by side, so that the two can't drift.

RunPod signs nothing and sends no header of ours, so the proof that a callback answers a request we
made is in the URL: `{webhook}/{job}/{call}/{attempt}/{token}`, where the token is
base64url(HMAC-SHA256(secret, "callback-v1 job call attempt")). One attempt's token opens nothing else.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import BadToken

_JOB_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CALL_ID = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_ATTEMPT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True)
class CallRef:
    """Which attempt of which call of which job."""

    job_id: str
    call_id: str
    attempt: int

    @classmethod
    def parse(cls, job_id: object, call_id: object, attempt: object) -> "CallRef":
        """Read the three from a URL's path.

        Raises BadToken for anything that no URL of ours can hold, so that it never reaches the store.
        """
        parts = (job_id, call_id, attempt)
        patterns = (_JOB_ID, _CALL_ID, _ATTEMPT)
        for part, pattern in zip(parts, patterns, strict=True):
            if not isinstance(part, str) or not pattern.fullmatch(part):
                raise BadToken("the path is not a callback's")
        return cls(str(job_id), str(call_id), int(str(attempt)))


def token_for(ref: CallRef, secret: bytes) -> str:
    """Return the token of one attempt: 43 URL-safe characters."""
    if not secret:
        raise BadToken("an empty secret proves nothing")
    message = f"callback-v1 {ref.job_id} {ref.call_id} {ref.attempt}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_token_of(ref: CallRef, token: object, secrets: Iterable[bytes]) -> bool:
    """Was this token made for this attempt with one of the live secrets?

    Every secret is compared, in constant time, whatever the earlier ones said.
    """
    if not isinstance(token, str):
        return False
    claimed = token.encode("utf-8", "surrogatepass")
    matches = [
        hmac.compare_digest(token_for(ref, secret).encode(), claimed)
        for secret in secrets
        if secret
    ]
    return any(matches)


def callback_url(webhook_url: str, ref: CallRef, secret: bytes) -> str:
    """Return the URL that RunPod shall call. It is a secret: it never reaches a log."""
    path = f"{ref.job_id}/{ref.call_id}/{ref.attempt}/{token_for(ref, secret)}"
    return f"{webhook_url.rstrip('/')}/{path}"
