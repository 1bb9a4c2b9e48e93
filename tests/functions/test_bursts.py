"""More uploads at once than RunPod takes: each reaches it once, over HTTP, however often it is refused."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pytest
from urllib3.exceptions import MaxRetryError
from urllib3.response import HTTPResponse

from core.jobs.call import CallState
from core.jobs.job import Job
from core.runpod.client import HttpRunPod, run_retries
from runpod_simulator.config import Config, Limit
from runpod_simulator.in_process import Simulator, running_simulator
from tests.functions.pipeline import Pipeline

UPLOADS = 25
TRANSCRIPT = "Mara: The pump holds.\nIlse: Then we buy a second one.\n"


class Key:
    def __init__(self, value: str) -> None:
        self._value = value

    def value(self) -> str:
        return self._value

    refetched = value


@pytest.fixture
def crowded() -> Iterator[Simulator]:
    """A RunPod that takes a few requests in a short time, and answers 429 to all others."""
    limit = Limit(per_10_seconds=5, concurrent=4)
    config = Config(time_scale=0.1, run_limit=limit, max_workers=0, ttl_seconds=10**6)
    with running_simulator(config) as simulator:
        yield simulator


@dataclass
class Crowd:
    """Submitters at work at the same time, and the queue that brings messages again."""

    simulator: Simulator
    pipeline: Pipeline = field(default_factory=Pipeline)
    _lock: Lock = field(default_factory=Lock)

    def upload(self, number: int) -> list[Job]:
        runpod: Any = HttpRunPod(
            self.simulator.url, Key(self.simulator.api_key), backoff_seconds=0.1
        )
        self.pipeline.runpod = runpod
        with ThreadPoolExecutor(16) as submitters:
            jobs = list(
                submitters.map(
                    lambda each: self.pipeline.upload(TRANSCRIPT, f"calls/{each}.txt"),
                    range(number),
                )
            )
            while self.pipeline.queue.sent:
                messages, self.pipeline.queue.sent = self.pipeline.queue.sent, []
                list(
                    submitters.map(
                        lambda sent: self.pipeline.submitter.next_attempt(*sent[:2]), messages
                    )
                )
        return jobs


class TestABurst:
    def test_reaches_runpod_whole_and_once(self, crowded: Simulator) -> None:
        crowd = Crowd(crowded)

        jobs = crowd.upload(UPLOADS)

        calls = [call for job in jobs for call in crowd.pipeline.history(job)[1]]
        assert Counter(call.state for call in calls) == {CallState.SUBMITTED: UPLOADS}
        ids = {job.id for job in crowded.jobs()}
        assert {call.attempt.runpod_id for call in calls} == ids
        assert len(ids) == UPLOADS
        assert crowded.requests()["run"] > UPLOADS  # some were refused

    def test_costs_no_attempt_that_is_paid_for(self, crowded: Simulator) -> None:
        crowd = Crowd(crowded)

        jobs = crowd.upload(UPLOADS)

        calls = [call for job in jobs for call in crowd.pipeline.history(job)[1]]
        assert {call.paid_attempts for call in calls} == {1}


class TestWhoeverIsRefused:
    def test_comes_back_spread_over_the_seconds_that_runpod_counts(self) -> None:
        first_waits = [waits()[0] for _ in range(200)]

        assert max(first_waits) - min(first_waits) > 1.5

    def test_waits_no_longer_than_a_submitter_has(self) -> None:
        assert all(sum(waits()) < 20 for _ in range(200))

    def test_tries_three_times_before_the_queue_brings_it_again(self) -> None:
        assert len(waits()) == 3


def waits() -> list[float]:
    """Return the seconds that the client waits after each 429 of a request to run something."""
    policy, found = run_retries(), []
    while True:
        try:
            policy = policy.increment("POST", "/run", response=HTTPResponse(status=429))
        except MaxRetryError:
            return found
        found.append(policy.get_backoff_time())
