"""Gives the jobs that wait to workers that ask for them, one after the other or twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .bell import Bell
from .clock import Clock
from .jobs import Book, Job, Status
from .workers.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What one request to job-take gets: jobs, or trouble instead."""

    jobs: list[Job] = field(default_factory=list)
    is_refused: bool = False  # 500, nothing was taken
    is_unanswered: bool = False  # taken, but the worker never hears of it


class Dispatch:
    def __init__(
        self, book: Book, fleet: Fleet, clock: Clock, bell: Bell, start: Callable[[Job], None]
    ) -> None:
        self._book = book
        self._fleet = fleet
        self._clock = clock
        self._bell = bell
        self._start = start

    async def take(
        self, worker_id: str, count: int, wait_seconds: float, is_gone: Callable[[], bool]
    ) -> Handover:
        """At most `count` jobs; none if there is nothing to do for `wait_seconds` real ones.

        `is_gone` tells that the worker has hung up: a job given to it now would be lost.
        """
        ends_at = time.monotonic() + wait_seconds
        while not (is_gone() or self._bell.is_over):
            handover = self._hand_over(worker_id, count)
            left = ends_at - time.monotonic()
            if handover.jobs or handover.is_refused or left <= 0:
                return handover
            until_ready = self._clock.real_seconds(self._book.next_ready_at() - self._clock.now())
            await self._bell.wait(left if until_ready is None else min(left, until_ready))
        return Handover()

    def _hand_over(self, worker_id: str, count: int) -> Handover:
        chosen = [*self._doubles(worker_id), *self._book.ready(self._clock.now())][:count]
        # A list, so that every job counts what it suffered.
        if any([job.suffers("job-take-error", job.plan.take_errors) for job in chosen]):  # noqa: C419
            return Handover(is_refused=True)
        for job in chosen:
            self._give(job, worker_id)
        lost = [job.suffers("job-take-unanswered", job.plan.take_answers_lost) for job in chosen]
        return Handover(jobs=chosen, is_unanswered=any(lost))

    def _doubles(self, worker_id: str) -> list[Job]:
        return [
            job
            for job in self._book.jobs.values()
            if job.plan.is_given_twice
            and job.status is Status.IN_PROGRESS
            and self._fleet.is_wanted_twice(worker_id, job.id)
        ]

    def _give(self, job: Job, worker_id: str) -> None:
        self._fleet.took(worker_id, job.id)
        if job.status is Status.IN_PROGRESS:
            job.executions += 1
            self._fleet.join(worker_id, job.id)
        else:
            self._book.start(job, worker_id, self._clock.now())
            self._start(job)
