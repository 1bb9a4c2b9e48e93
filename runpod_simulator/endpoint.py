"""Runs the jobs of one endpoint: hands them to workers, records how they end, sends their webhooks."""

import asyncio
import contextlib
import json
import logging
from collections import Counter
from typing import Any

from runpod_simulator.clock import Clock
from runpod_simulator.config import Config
from runpod_simulator.dispatch import Dispatcher
from runpod_simulator.execution import Executor
from runpod_simulator.fault_plan import FaultPlan
from runpod_simulator.job_queue import JobQueue
from runpod_simulator.jobs import Job, JobRequest, JobStatus
from runpod_simulator.notifier import Notifier
from runpod_simulator.records import JobRecord, record_of
from runpod_simulator.rules import ScenarioRules
from runpod_simulator.webhooks import Delivery, WebhookSender, host_of
from runpod_simulator.workers import Worker
from runpod_simulator.workers.model import ModelWorker, WritingModel
from runpod_simulator.workers.openai import OpenAIWorker
from runpod_simulator.workers.remote import RemoteWorker, RemoteWorkerPool

_EARLY_CALLBACK_TIMEOUT_SECONDS = 30.0  # real; how long /run waits for its own early callback

log = logging.getLogger(__name__)


class Endpoint:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.clock = Clock(config.time_scale)
        self.rules = ScenarioRules(config.scenarios, seed=config.seed)
        self.request_counts: Counter[str] = Counter()  # by operation, rejected requests too
        self._poll_notifier = Notifier()  # wakes the long polls of remote workers
        self._worker = _new_worker(config, self._poll_notifier)
        self._executor = Executor(config, self.clock, self._worker)
        self.remote_workers = self._worker if isinstance(self._worker, RemoteWorkerPool) else None
        self._queue = JobQueue(
            max_workers=0 if self.remote_workers else config.max_workers,  # remote ones poll
            queue_delay_seconds=config.queue_delay_seconds,
        )
        self.dispatcher = (
            Dispatcher(
                self._queue, self.remote_workers, self.clock, self._poll_notifier, self._start
            )
            if self.remote_workers
            else None
        )
        self.stock: dict[str, str] = {}  # availability by GPU pool, where it is not the usual one
        self.shown_workers: dict[str, int] = {}  # what /health says in place of what is
        self._webhooks = WebhookSender(config, self.clock)
        self._queue_changed = asyncio.Event()
        self._ended: dict[str, asyncio.Event] = {}  # by job id
        self._called_back: dict[str, asyncio.Event] = {}
        self._executions: dict[str, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._in_background(self._run_queue())

    async def close(self) -> None:
        self._poll_notifier.close()
        tasks = [*self._background, *self._executions.values()]
        for task in tasks:
            task.cancel()
        for event in (*self._ended.values(), *self._called_back.values()):
            event.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._worker.close()
        await self._webhooks.close()

    def submit(self, request: JobRequest, plan: FaultPlan, scenarios: tuple[str, ...]) -> Job:
        job = self._queue.submit(request, plan, scenarios, self.clock.now())
        self._ended[job.id] = asyncio.Event()
        if plan.webhook_before_answer and request.webhook:
            self._called_back[job.id] = asyncio.Event()
        log.info(
            "job %s accepted%s%s",
            job.id,
            f", webhook to {host_of(request.webhook)}" if request.webhook else "",
            f", scenarios {', '.join(scenarios)}" if scenarios else "",
        )
        self._queue_changed.set()
        return job

    def find(self, job_id: str) -> Job | None:
        """What /status finds: not a job that a scenario hides."""
        return self._queue.find(job_id, self.clock.now())

    def find_hidden(self, job_id: str) -> Job | None:
        """Any job that exists, also one that /status does not show yet."""
        return self._queue.jobs.get(job_id)

    def cancel(self, job: Job) -> None:
        if self._queue.cancel(job, self.clock.now()):
            self._stop(job)
            self._announce(job)

    def retry(self, job: Job) -> None:
        """
        Raises:
            IllegalTransition: it is neither FAILED nor TIMED_OUT.
        """
        self._queue.retry(job, self.clock.now())
        self._ended[job.id] = asyncio.Event()
        log.info("job %s queued again by /retry", job.id)
        self._queue_changed.set()

    def purge(self) -> int:
        removed = self._queue.purge()
        for job in removed:
            self._forget(job)
        log.info("queue purged of %d jobs", len(removed))
        return len(removed)

    def health(self) -> dict[str, dict[str, int]]:
        health = self._queue.health()
        if self.remote_workers:
            health |= {"workers": self.remote_workers.health()}
        return health | {"workers": health["workers"] | self.shown_workers}

    def records(self) -> list[JobRecord]:
        return [record_of(job) for job in self._queue.jobs.values()]

    def workers(self) -> list[RemoteWorker]:
        return list(self.remote_workers.workers.values()) if self.remote_workers else []

    def deliveries(self) -> list[Delivery]:
        return list(self._webhooks.deliveries)

    async def wait_until_ended(self, job: Job, timeout_seconds: float) -> None:
        """Wait at most so many RunPod seconds."""
        await _wait(self._ended[job.id], self.clock.real_seconds(timeout_seconds))

    async def wait_until_called_back(self, job: Job) -> None:
        """Wait for the first delivery attempt, or for the end of a job without a webhook."""
        event = self._called_back.get(job.id) or self._ended[job.id]
        await _wait(event, _EARLY_CALLBACK_TIMEOUT_SECONDS)

    async def _run_queue(self) -> None:
        while True:
            now = self.clock.now()
            for job in self._queue.remove_expired(now):
                log.info("job %s (%s) expired and was removed", job.id, job.status)
                self._stop(job)
                self._forget(job)
            for job in self._queue.start_ready(now):
                self._start(job)
            self._poll_notifier.notify_all()
            self._queue_changed.clear()
            until_next_event = self._queue.next_event_at() - now
            await _wait(self._queue_changed, self.clock.real_seconds(until_next_event))

    def _start(self, job: Job) -> None:
        log.info("job %s started, execution %d", job.id, job.executions)
        self._executions[job.id] = asyncio.create_task(self._execute(job))

    async def _execute(self, job: Job) -> None:
        execution = await self._executor.execute(job)
        self._executions.pop(job.id, None)
        if execution.result is None:
            self._queue.requeue(job, self.clock.now())
            log.warning("job %s lost its worker, queued again", job.id)
        else:
            self._queue.finish(job, execution.result, self.clock.now(), execution.seconds)
            self._announce(job)
        self._queue_changed.set()

    def _stop(self, job: Job) -> None:
        if execution := self._executions.pop(job.id, None):
            execution.cancel()
        self._queue_changed.set()

    def _forget(self, job: Job) -> None:
        for events in (self._ended, self._called_back):
            if event := events.pop(job.id, None):
                event.set()

    def _announce(self, job: Job) -> None:
        """Wake what waits for the job's end, and send its webhook."""
        log.info("job %s is %s", job.id, job.status)
        self._ended[job.id].set()
        if not job.request.webhook:
            return
        if job.status is JobStatus.TIMED_OUT and not self.config.webhook_on_timed_out:
            return
        self._in_background(self._call_back(job, job.plan, job.webhook_body()))

    async def _call_back(self, job: Job, plan: FaultPlan, payload: dict[str, Any]) -> None:
        status = "null" if plan.webhook_body_is_null else payload["status"]
        body = b"null" if plan.webhook_body_is_null else _json(payload)
        attempted = self._called_back.get(job.id)
        await self.clock.sleep(plan.webhook_extra_seconds)
        for _ in range(plan.webhook_copies):
            await self._webhooks.deliver(job.id, payload["webhook"], status, body, attempted)
        if plan.webhook_goes_back:
            left_out = {"output", "error", "executionTime"}
            earlier = {name: value for name, value in payload.items() if name not in left_out}
            earlier["status"] = JobStatus.IN_PROGRESS.value
            await self._webhooks.deliver(
                job.id, payload["webhook"], earlier["status"], _json(earlier)
            )

    def _in_background(self, coroutine: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (exc := task.exception()):
            log.critical("the simulator itself failed: %s", type(exc).__name__)


def _new_worker(config: Config, notifier: Notifier) -> Worker:
    if config.worker == "platform":
        return RemoteWorkerPool(
            heartbeat_timeout_seconds=config.heartbeat_timeout_seconds, notifier=notifier
        )
    if config.worker == "openai":
        return OpenAIWorker(
            base_url=config.model_url,
            key=config.model_key,
            model_name=config.model_name,
            timeout_seconds=config.model_timeout_seconds,
            output_shape=config.output_shape,
        )
    model = WritingModel(
        kind=config.worker,
        name=config.model_name,
        max_model_len=config.max_model_len,
        seed=config.seed or 0,
    )
    return ModelWorker(model, output_shape=config.output_shape, max_workers=config.max_workers)


async def _wait(event: asyncio.Event, timeout_seconds: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await event.wait()


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
