"""The summary to its presigned URL. One that can't be put goes into the manifest: it is paid for."""

import hashlib
import time

import requests

from core.runpod.work_order import LONGEST_SUMMARY_BYTES
from worker.http import CONNECT_SECONDS, MOST_TRIES, Sleep, may_be_called, new_session, pause

_ANSWER_SECONDS = 60


def sha256_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def deliver(body: bytes, put_url: str, *, sleep: Sleep = time.sleep) -> bool:
    """Put it, and say whether it was taken."""
    if not may_be_called(put_url) or len(body) > LONGEST_SUMMARY_BYTES:
        return False
    with new_session() as session:
        for tries in range(1, MOST_TRIES + 1):
            status = _put(session, body, put_url)
            if status == requests.codes.ok:
                return True
            if 0 < status < requests.codes.internal_server_error:
                return False  # refused or expired, and so it will be
            if tries < MOST_TRIES:
                pause(tries, sleep=sleep)
    return False


def _put(session: requests.Session, body: bytes, put_url: str) -> int:
    """Return the answer's status, or 0 if there was none."""
    try:
        with session.put(
            put_url,
            data=body,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, _ANSWER_SECONDS),
        ) as answer:
            return answer.status_code
    except requests.RequestException:
        return 0
