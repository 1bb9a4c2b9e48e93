"""Runs one execution of a job on the endpoint's worker, with the faults that its scenarios ask for."""

import asyncio
import json
import logging
import time
import traceback
from dataclasses import dataclass

from runpod_simulator.clock import Clock
from runpod_simulator.config import Config
from runpod_simulator.jobs import Job, JobResult, JobStatus
from runpod_simulator.scenarios import EXECUTION_TIMEOUT_ERROR, WORKER_LOST_ERROR
from runpod_simulator.workers import Worker, WorkerLost, WorkItem
from runpod_simulator.workers.remote import RemoteWorkerPool

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Execution:
    result: JobResult | None  # None: the worker died without a report, and the job is queued again
    seconds: float


class Executor:
    def __init__(self, config: Config, clock: Clock, worker: Worker) -> None:
        self._config = config
        self._clock = clock
        self._worker = worker
        # A remote worker takes as long as it takes.
        is_remote = isinstance(worker, RemoteWorkerPool)
        self._least_seconds = 0.0 if is_remote else config.execution_seconds

    async def execute(self, job: Job) -> Execution:
        plan, limit_seconds = job.plan, job.request.execution_timeout_seconds
        if job.executions <= plan.crashes or plan.error or plan.times_out:
            return await self._fail_as_planned(job)
        if self._least_seconds > limit_seconds:
            await self._clock.sleep(limit_seconds)
            return _failed(EXECUTION_TIMEOUT_ERROR, limit_seconds)
        return await self._work(job)

    async def _fail_as_planned(self, job: Job) -> Execution:
        plan, limit_seconds = job.plan, job.request.execution_timeout_seconds
        seconds = min(self._config.execution_seconds, limit_seconds)
        await self._clock.sleep(seconds)
        if job.executions <= plan.crashes:
            return Execution(result=None, seconds=seconds)
        if plan.times_out:
            return Execution(result=JobResult(status=JobStatus.TIMED_OUT), seconds=limit_seconds)
        if plan.error == EXECUTION_TIMEOUT_ERROR:
            seconds = limit_seconds
        return _failed(plan.error, seconds, output=plan.partial_output)

    async def _work(self, job: Job) -> Execution:
        plan, limit_seconds = job.plan, job.request.execution_timeout_seconds
        item = WorkItem(
            job_id=job.id,
            worker_id=job.worker_id,
            input=job.request.input,
            manner=plan.manner,
        )
        started_at = time.monotonic()
        try:
            async with asyncio.timeout(limit_seconds):
                worked = await self._worker.run(item)
        except TimeoutError:
            return _failed(EXECUTION_TIMEOUT_ERROR, limit_seconds)
        except WorkerLost:
            return _lost(job, time.monotonic() - started_at)
        except Exception as exc:  # RunPod's SDK reports whatever a handler raises
            log.error("job %s: the worker raised %s", job.id, type(exc).__name__)  # noqa: TRY400 (no texts in logs)
            return _failed(_handler_error(exc), self._least_seconds)
        real_seconds = time.monotonic() - started_at
        await self._clock.sleep(self._least_seconds - real_seconds / self._config.time_scale)
        seconds = max(self._least_seconds, real_seconds)
        if worked.error:
            return _failed(worked.error, seconds, output=worked.output)
        output = None if plan.loses_output else worked.output
        return Execution(
            result=JobResult(status=JobStatus.COMPLETED, output=output), seconds=seconds
        )


def _failed(error: str, seconds: float, *, output: object = None) -> Execution:
    result = JobResult(status=JobStatus.FAILED, error=error, output=output)
    return Execution(result=result, seconds=seconds)


def _lost(job: Job, seconds: float) -> Execution:
    """Queue the job again the first time; the second time it fails."""
    if job.retries:
        return _failed(WORKER_LOST_ERROR, seconds)
    return Execution(result=None, seconds=seconds)


def _handler_error(exc: Exception) -> str:
    """What RunPod's SDK reports: a string that holds JSON."""
    return json.dumps(
        {
            "error_type": str(type(exc)),
            "error_message": str(exc),
            "error_traceback": "".join(traceback.format_exception(exc)),
        }
    )
