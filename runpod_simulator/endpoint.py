"""Runs the jobs of one endpoint: hands them to workers, ends them, calls back."""

import asyncio
import contextlib
import json
import logging
import time
import traceback
from collections import Counter
from typing import Any

from .bell import Bell
from .clock import Clock
from .config import Config
from .dispatch import Dispatch
from .jobs import Book, Job, Request, Result, Status
from .records import JobRecord, record_of
from .rules import Rulebook
from .scenarios import EXECUTION_TIMEOUT_ERROR, WORKER_LOST_ERROR, Plan
from .webhooks import Deliverer, Delivery, host_of
from .workers import Task, Worker, WorkerLostError
from .workers.extractive import ExtractiveWorker
from .workers.fleet import Fleet, RemoteWorker
from .workers.openai import OpenAIWorker

EARLY_ANSWER_MAX_SECONDS = 30.0  # real; /run waits no longer for its own early callback

log = logging.getLogger(__name__)


class Endpoint:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = Clock(config.time_scale)
        self.rulebook = Rulebook(config.scenarios, seed=config.seed)
        self.calls: Counter[str] = Counter()  # requests by operation, refused ones too
        self._bell = Bell()
        self._worker = _worker(config, self._bell)
        self.fleet = self._worker if isinstance(self._worker, Fleet) else None
        self._book = Book(
            max_workers=0 if self.fleet else config.max_workers,  # a fleet takes jobs by itself
            queue_delay_seconds=config.queue_delay_seconds,
        )
        self.dispatch = (
            Dispatch(self._book, self.fleet, self.clock, self._bell, self._start)
            if self.fleet
            else None
        )
        self._deliverer = Deliverer(config, self.clock)
        self._wake = asyncio.Event()
        self._over: dict[str, asyncio.Event] = {}
        self._called_back: dict[str, asyncio.Event] = {}
        self._executions: dict[str, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._in_background(self._serve())

    async def close(self) -> None:
        self._bell.ring_for_good()
        tasks = [*self._background, *self._executions.values()]
        for task in tasks:
            task.cancel()
        for event in (*self._over.values(), *self._called_back.values()):
            event.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._worker.close()
        await self._deliverer.close()

    def submit(self, request: Request, plan: Plan, scenarios: tuple[str, ...]) -> Job:
        job = self._book.submit(request, plan, scenarios, self.clock.now())
        self._over[job.id] = asyncio.Event()
        if plan.webhook_before_answer and request.webhook:
            self._called_back[job.id] = asyncio.Event()
        log.info(
            "job %s accepted%s%s",
            job.id,
            f", webhook to {host_of(request.webhook)}" if request.webhook else "",
            f", scenarios {', '.join(scenarios)}" if scenarios else "",
        )
        self._wake.set()
        return job

    def find(self, job_id: str) -> Job | None:
        return self._book.find(job_id, self.clock.now())

    def known(self, job_id: str) -> Job | None:
        """Also while `/status` does not know it yet."""
        return self._book.jobs.get(job_id)

    def cancel(self, job: Job) -> None:
        if self._book.cancel(job, self.clock.now()):
            self._stop(job)
            self._announce(job)

    def retry(self, job: Job) -> None:
        """
        Raises:
            IllegalMoveError: it is neither FAILED nor TIMED_OUT.
        """
        self._book.retry(job, self.clock.now())
        self._over[job.id] = asyncio.Event()
        log.info("job %s queued again by /retry", job.id)
        self._wake.set()

    def purge(self) -> int:
        removed = self._book.purge()
        for job in removed:
            self._forget(job)
        log.info("queue purged of %d jobs", len(removed))
        return len(removed)

    def health(self) -> dict[str, dict[str, int]]:
        workers = {"workers": self.fleet.health()} if self.fleet else {}
        return self._book.health() | workers

    def records(self) -> list[JobRecord]:
        return [record_of(job) for job in self._book.jobs.values()]

    def workers(self) -> list[RemoteWorker]:
        return list(self.fleet.workers.values()) if self.fleet else []

    def deliveries(self) -> list[Delivery]:
        return list(self._deliverer.deliveries)

    async def wait_until_over(self, job: Job, seconds: float) -> None:
        """At most `seconds` of RunPod's."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.clock.real_seconds(seconds)):
                await self._over[job.id].wait()

    async def wait_until_called_back(self, job: Job) -> None:
        """Until the first attempt of its webhook was answered, or it has none and is over."""
        event = self._called_back.get(job.id) or self._over[job.id]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EARLY_ANSWER_MAX_SECONDS):
                await event.wait()

    async def _serve(self) -> None:
        while True:
            now = self.clock.now()
            for job in self._book.remove_ended(now):
                log.info("job %s (%s) removed: its time is over", job.id, job.status)
                self._stop(job)
                self._forget(job)
            for job in self._book.start_ready(now):
                self._start(job)
            self._bell.ring()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    self.clock.real_seconds(self._book.next_event_at() - now)
                ):
                    await self._wake.wait()

    def _start(self, job: Job) -> None:
        log.info("job %s started, execution %d", job.id, job.executions)
        self._executions[job.id] = asyncio.create_task(self._execute(job))

    async def _execute(self, job: Job) -> None:
        result, seconds = await self._outcome(job)
        self._executions.pop(job.id, None)
        if result is None:
            self._book.requeue(job, self.clock.now())
            log.warning("job %s lost its worker, queued again", job.id)
        else:
            self._book.finish(job, result, self.clock.now(), seconds)
            self._announce(job)
        self._wake.set()

    async def _outcome(self, job: Job) -> tuple[Result | None, float]:
        """How this execution ends and how long it took; None when the worker dies without a word."""
        limit_seconds = job.request.execution_timeout_seconds
        planned_seconds = min(self.config.execution_seconds, limit_seconds)
        if job.executions > job.plan.crashes and not (job.plan.error or job.plan.times_out):
            if self.fleet:
                return await self._work(job, 0.0, limit_seconds)
            if self.config.execution_seconds <= limit_seconds:
                return await self._work(job, planned_seconds, limit_seconds)
            await self.clock.sleep(limit_seconds)
            return Result(status=Status.FAILED, error=EXECUTION_TIMEOUT_ERROR), limit_seconds
        await self.clock.sleep(planned_seconds)
        if job.executions <= job.plan.crashes:
            return None, planned_seconds
        if job.plan.times_out:
            return Result(status=Status.TIMED_OUT), limit_seconds
        seconds = limit_seconds if job.plan.error == EXECUTION_TIMEOUT_ERROR else planned_seconds
        failed = Result(status=Status.FAILED, error=job.plan.error, output=job.plan.partial_output)
        return failed, seconds

    async def _work(
        self, job: Job, planned_seconds: float, limit_seconds: float
    ) -> tuple[Result | None, float]:
        plan = job.plan
        task = Task(
            job_id=job.id,
            worker_id=job.worker_id,
            input=job.request.input,
            length_fraction=plan.length_fraction,
            cut=plan.cut,
        )
        began_at = time.monotonic()
        try:
            async with asyncio.timeout(limit_seconds):
                answer = await self._worker.run(task)
        except TimeoutError:
            return Result(status=Status.FAILED, error=EXECUTION_TIMEOUT_ERROR), limit_seconds
        except WorkerLostError:
            return _lost(job), time.monotonic() - began_at
        except Exception as exc:  # RunPod's SDK reports whatever a handler raises
            log.error("job %s: the worker raised %s", job.id, type(exc).__name__)  # noqa: TRY400 (no texts in logs)
            return Result(status=Status.FAILED, error=_handler_error(exc)), planned_seconds
        worked_seconds = time.monotonic() - began_at
        await self.clock.sleep(planned_seconds - worked_seconds / self.config.time_scale)
        seconds = max(planned_seconds, worked_seconds)
        if answer.error:
            failed = Result(status=Status.FAILED, error=answer.error, output=answer.output)
            return failed, seconds
        return Result(
            status=Status.COMPLETED, output=None if plan.loses_output else answer.output
        ), seconds

    def _stop(self, job: Job) -> None:
        if execution := self._executions.pop(job.id, None):
            execution.cancel()
        self._wake.set()

    def _forget(self, job: Job) -> None:
        for events in (self._over, self._called_back):
            if event := events.pop(job.id, None):
                event.set()

    def _announce(self, job: Job) -> None:
        log.info("job %s is %s", job.id, job.status)
        self._over[job.id].set()
        if not job.request.webhook:
            return
        if job.status is Status.TIMED_OUT and not self.config.webhook_on_timed_out:
            return
        self._in_background(self._call_back(job, job.plan, job.webhook_body()))

    async def _call_back(self, job: Job, plan: Plan, told: dict[str, Any]) -> None:
        announces = "null" if plan.webhook_body_is_null else told["status"]
        body = b"null" if plan.webhook_body_is_null else _json(told)
        attempted = self._called_back.get(job.id)
        await self.clock.sleep(plan.webhook_extra_seconds)
        for _ in range(plan.webhook_copies):
            await self._deliverer.deliver(job.id, told["webhook"], announces, body, attempted)
        if plan.webhook_goes_back:
            left_out = {"output", "error", "executionTime"}
            earlier = {name: value for name, value in told.items() if name not in left_out}
            earlier["status"] = Status.IN_PROGRESS.value
            await self._deliverer.deliver(
                job.id, told["webhook"], earlier["status"], _json(earlier)
            )

    def _in_background(self, coroutine: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (exc := task.exception()):
            log.critical("the simulator itself failed: %s", type(exc).__name__)


def _worker(config: Config, bell: Bell) -> Worker:
    if config.worker == "platform":
        return Fleet(heartbeat_timeout_seconds=config.heartbeat_timeout_seconds, bell=bell)
    if config.worker == "openai":
        return OpenAIWorker(
            base_url=config.model_url,
            key=config.model_key,
            model_name=config.model_name,
            timeout_seconds=config.model_timeout_seconds,
            output_shape=config.output_shape,
        )
    return ExtractiveWorker(
        max_model_len=config.max_model_len,
        output_shape=config.output_shape,
        model_name=config.model_name,
        max_workers=config.max_workers,
    )


def _lost(job: Job) -> Result | None:
    """None the first time: the job is dispatched once more."""
    return Result(status=Status.FAILED, error=WORKER_LOST_ERROR) if job.retries else None


def _handler_error(exc: Exception) -> str:
    """RunPod's SDK: a string that holds JSON."""
    return json.dumps(
        {
            "error_type": str(type(exc)),
            "error_message": str(exc),
            "error_traceback": "".join(traceback.format_exception(exc)),
        }
    )


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
