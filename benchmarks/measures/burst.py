"""Bursts of uploads until RunPod has them all, beside RunPod's own limit for `/run`.

What one upload asks for is recorded from the real handler; a burst plays that on virtual time, thousands of
times: SQS hands messages to as many submitters as it may, RunPod answers 429 above a thousand in ten
seconds, and the client's own policy of retries, and the queue after it, wait until it takes them.

    python -m benchmarks.measures.burst 10000 30
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from urllib3.exceptions import MaxRetryError
from urllib3.response import HTTPResponse

from benchmarks.account import an_account
from benchmarks.figures import Figure
from benchmarks.own_time import own_seconds
from benchmarks.virtual_time import (
    NEW_CONNECTION_SECONDS,
    RUNPOD_SECONDS,
    SECONDS_OF,
    SECONDS_OF_SERVICE,
    SQS_SECONDS,
    WRITE_SECONDS,
    VirtualTime,
    spend,
)
from core.jobs.call import retry_delay
from core.runpod.client import run_retries
from core.summaries.engine import next_round
from core.summaries.goals import Goal, WritingLimits
from core.summaries.passages import numbered
from core.transcripts.reader import read_transcript
from runpod_simulator.config import Config
from runpod_simulator.rate_limits import RateLimiter
from tests.fakes.model import a_transcript

RUN_PER_SECOND = Config().run_limit.per_10_seconds / 10
_RUN = "run"
_WORDS = 10_000  # of each transcript
_TIMEOUT_SECONDS = 60.0
# Lambda begins with five pollers of a queue and adds five a second, up to MaximumConcurrency.
_FIRST_POLLERS, _POLLERS_PER_SECOND = 5, 5.0
_COLD_START_SECONDS = 1.0
_AT_ONCE, _DEFAULT_AT_ONCE = 40, 5  # SubmitterMaxConcurrency: its largest value, its default
_MESSAGE_DELIVERED_SECONDS = 0.05


@dataclass(frozen=True)
class OneUpload:
    """What the submitter does about an upload: its requests in order, and its own computing."""

    requests: tuple[str, ...]  # "dynamodb.UpdateItem", and "run"
    own_seconds: float

    @property
    def seconds(self) -> float:
        return self.own_seconds + sum(map(_seconds_of, self.requests))


@cache
def upload_requests() -> tuple[str, ...]:
    """Record them from the real handler; of the second upload, as secrets are read every five minutes."""
    text = a_transcript(_WORDS)
    with an_account() as account:
        account.upload("first.txt", text)
        account.trace = []
        account.upload("second.txt", text)
        assert not account.failed, account.failed
        return tuple(account.trace)


@cache
def one_upload() -> OneUpload:
    text = a_transcript(_WORDS)
    begun = time.process_time()
    passages = numbered(read_transcript(text.encode(), max_bytes=10**8).turns)
    goal, limits = Goal(words=4_000, boundary="b" * 32), WritingLimits(context_tokens=32_768)
    next_round(passages, goal, limits, [])
    planning_seconds = time.process_time() - begun
    requests = upload_requests()
    return OneUpload(requests, planning_seconds + len(requests) * own_seconds().write)


def _seconds_of(request: str) -> float:
    if request == _RUN:
        return RUNPOD_SECONDS + NEW_CONNECTION_SECONDS
    service, _, operation = request.partition(".")
    return SECONDS_OF.get(operation, SECONDS_OF_SERVICE[service])


@dataclass(frozen=True)
class Burst:
    uploads: int
    seconds: float
    runs: int  # requests for RunPod to run something
    refused: int  # of them, with 429
    returned: int  # attempts that went back to the queue
    taken: int


class _Playing:
    def __init__(self, uploads: int, most_at_once: int, each: OneUpload) -> None:
        self.time = VirtualTime()
        self.uploads = uploads
        self.each = each
        self.most_at_once = most_at_once
        self.messages = [0] * uploads  # attempts made about an upload
        self.limiter = RateLimiter(Config().run_limit)
        self.runs = self.refused = self.returned = self.taken = 0
        self.last_taken_seconds = 0.0
        self._idle = self._environments = self._busy = 0
        again = self.each.requests.index(_RUN)
        self._again = (
            "dynamodb.BatchGetItem",
            "s3.GetObject",
            "s3.GetObject",
            *self.each.requests[again:],
        )

    def play(self) -> Burst:
        second = 0.0
        while second < 60:  # while the pollers grow, there may be room for more
            self.time.after(second, self._deliver)
            second += 0.2
        self._deliver()
        self.time.run()
        return Burst(
            uploads=self.uploads,
            seconds=self.last_taken_seconds,
            runs=self.runs,
            refused=self.refused,
            returned=self.returned,
            taken=self.taken,
        )

    def _room(self) -> int:
        grown = _FIRST_POLLERS + int(_POLLERS_PER_SECOND * self.time.now_seconds)
        return min(self.most_at_once, grown)

    def _deliver(self) -> None:
        while self.messages and self._busy < self._room():
            attempts, is_cold = self.messages.pop(0), self._idle == 0
            self._busy += 1
            self._idle -= 0 if is_cold else 1
            self.time.invoke(
                lambda attempts=attempts, is_cold=is_cold: self._submit(attempts, is_cold=is_cold),  # type: ignore[misc]
                timeout_seconds=_TIMEOUT_SECONDS,
                on_end=lambda _, error: self._ended(error),
            )

    def _ended(self, error: BaseException | None) -> None:
        assert error is None, error
        self._busy -= 1
        self._idle += 1
        self._deliver()

    def _submit(self, attempts: int, *, is_cold: bool) -> None:
        spend(_MESSAGE_DELIVERED_SECONDS + (_COLD_START_SECONDS if is_cold else 0.0))
        requests = self._again if attempts else self.each.requests
        spend(self.each.own_seconds)
        for request in requests:
            if request != _RUN:
                spend(_seconds_of(request))
            elif not self._run():
                self._return(attempts + 1)
                return

    def _run(self) -> bool:
        """Do as the client does: try again as often as its policy says."""
        policy = run_retries()
        while not self._is_taken():
            try:
                policy = policy.increment("POST", "/run", response=HTTPResponse(status=429))
            except MaxRetryError:
                return False
            spend(policy.get_backoff_time())
        self.taken += 1
        self.last_taken_seconds = self.time.now_seconds
        return True

    def _is_taken(self) -> bool:
        self.runs += 1
        spend(NEW_CONNECTION_SECONDS)
        if not self.limiter.acquire(self.time.now_seconds):
            self.refused += 1
            return False
        spend(RUNPOD_SECONDS)
        self.limiter.release()
        return True

    def _return(self, attempts: int) -> None:
        """Record that it was not taken, and have the queue bring it again."""
        spend(WRITE_SECONDS + SQS_SECONDS)
        self.returned += 1

        def arrive() -> None:
            self.messages.append(attempts)
            self._deliver()

        self.time.after(retry_delay(attempts).total_seconds(), arrive)


def burst(uploads: int, most_at_once: int, each: OneUpload) -> Burst:
    random.seed(uploads)  # the client's policy draws its jitter from there
    return _Playing(uploads, most_at_once, each).play()


def figures() -> list[Figure]:
    each = one_upload()
    few, many = (burst(uploads, _AT_ONCE, each) for uploads in (1_000, 10_000))
    crowd = burst(3_000, 2 * _AT_ONCE, each)
    by_default = burst(1_000, _DEFAULT_AT_ONCE, each)
    return [
        _figure(few, _AT_ONCE, most=1.3),
        _figure(many, _AT_ONCE, most=1.3),
        _figure(by_default, _DEFAULT_AT_ONCE),
        Figure(
            group="Queues",
            name=f"requests refused (429) with {_AT_ONCE} submitters",
            value=many.refused / many.runs,
            unit="of all",
            most=0.05,
            note=f"{many.returned:,} of {many.runs:,} attempts went back to the queue",
        ),
        Figure(
            group="Queues",
            name=f"the same with {2 * _AT_ONCE}, twice what RunPod takes",
            value=crowd.refused / crowd.runs,
            unit="of all",
            note=f"{crowd.seconds:.0f} s for 3,000; {crowd.returned:,} attempts went back to the queue",
        ),
        Figure(
            group="Queues",
            name="a submitter's time for one upload",
            value=each.seconds,
            unit="s",
            note=f"{len(each.requests)} requests; {_AT_ONCE} submitters are RunPod's limit times this",
        ),
    ]


def _figure(found: Burst, most_at_once: int, *, most: float | None = None) -> Figure:
    assert found.taken == found.uploads, "an upload was lost"
    return Figure(
        group="Queues",
        name=f"burst of {found.uploads:,} uploads, {most_at_once} submitters",
        value=found.seconds,
        unit="s",
        beside="RunPod's limit for /run",
        beside_value=found.uploads / RUN_PER_SECOND,
        most=most,
        note=f"{found.refused:,} of {found.runs:,} requests refused, none lost",
    )


def main(arguments: Sequence[str]) -> None:
    uploads, *most = map(int, arguments)
    for each in most:
        print(each, burst(uploads, each, one_upload()))


if __name__ == "__main__":
    main(sys.argv[1:])
