"""The routes that RunPod has for its workers, as the `runpod` SDK calls them.

The answers were found by running the SDK; RunPod's own are known only in part (README.md, "How sure is each
behaviour?").
"""

import logging
import uuid

from aiohttp import web

from runpod_simulator.config import Config
from runpod_simulator.dispatch import Dispatcher, TakeOutcome
from runpod_simulator.endpoint import Endpoint
from runpod_simulator.jobs import Job
from runpod_simulator.payloads import (
    BadPayload,
    FinalResult,
    ProgressUpdate,
    parse_job_done,
    parse_limited_object,
)
from runpod_simulator.responses import Handler, error, has_key, server_error, unauthorized
from runpod_simulator.workers import WorkerResult
from runpod_simulator.workers.remote import RemoteWorkerPool

_SDK_PING_MS = 10_000  # the SDK's default; it counts whole seconds
_PINGS_PER_TIMEOUT = 4

log = logging.getLogger(__name__)


def worker_environment(config: Config, url: str) -> dict[str, str]:
    """Return the variables that RunPod sets for one worker. Each call names another worker.

    The SDK fills in the placeholders $ID and $RUNPOD_POD_ID, and appends `&...` to the URLs.
    """
    worker_id = uuid.uuid4().hex[:14]
    often_enough_ms = round(config.heartbeat_timeout_seconds * 1000 / _PINGS_PER_TIMEOUT)
    return {
        "RUNPOD_WEBHOOK_GET_JOB": f"{url}/job-take/$ID?gpu=none",
        "RUNPOD_WEBHOOK_POST_OUTPUT": f"{url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none",
        "RUNPOD_WEBHOOK_POST_STREAM": f"{url}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none",
        "RUNPOD_WEBHOOK_PING": f"{url}/ping/$RUNPOD_POD_ID",
        "RUNPOD_PING_INTERVAL": str(max(1_000, min(_SDK_PING_MS, often_enough_ms))),
        "RUNPOD_AI_API_KEY": config.worker_key,
        "RUNPOD_POD_ID": worker_id,
        "RUNPOD_POD_HOSTNAME": f"{worker_id}-64411f2a",
        "RUNPOD_ENDPOINT_ID": config.endpoint,
        # Not RunPod's: its check of the machine wants 4 GB free and a name server on the internet.
        "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true",
    }


def routes(endpoint: Endpoint) -> list[web.RouteDef]:
    """Return none unless the endpoint has remote workers."""
    if endpoint.remote_workers is None or endpoint.dispatcher is None:
        return []
    api = _WorkerApi(endpoint, endpoint.remote_workers, endpoint.dispatcher)
    base = f"/v2/{endpoint.config.endpoint}"
    return [
        web.get(f"{base}/job-take/{{worker}}", api.guarded("job-take", api.take)),
        web.get(f"{base}/job-take-batch/{{worker}}", api.guarded("job-take", api.take_batch)),
        web.get(f"{base}/job-stop/{{worker}}", api.guarded("job-stop", api.stop)),
        web.get(f"{base}/ping/{{worker}}", api.guarded("ping", api.ping)),
        web.post(f"{base}/job-done/{{worker}}/{{id}}", api.guarded("job-done", api.done)),
        web.post(f"{base}/job-stream/{{worker}}/{{id}}", api.guarded("job-stream", api.stream)),
    ]


class _WorkerApi:
    def __init__(
        self, endpoint: Endpoint, remote_workers: RemoteWorkerPool, dispatcher: Dispatcher
    ) -> None:
        self._endpoint = endpoint
        self._config = endpoint.config
        self._remote_workers = remote_workers
        self._dispatcher = dispatcher

    def guarded(self, operation: str, handler: Handler) -> Handler:
        """Check the workers' key first; count every request."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self._endpoint.request_counts[operation] += 1
            if not has_key(request, self._config.worker_key):
                log.warning("/%s rejected: no worker's key or a wrong one", operation)
                return unauthorized()
            self._remote_workers.seen(request.match_info["worker"])
            return await handler(request)

        return answer

    async def take(self, request: web.Request) -> web.StreamResponse:
        outcome = await self._take(request, 1)
        return _answer_without_jobs(request, outcome) or web.json_response(
            _job_json(outcome.jobs[0])
        )

    async def take_batch(self, request: web.Request) -> web.StreamResponse:
        size = request.query.get("batch_size", "")
        outcome = await self._take(request, int(size) if size.isdigit() else 1)
        return _answer_without_jobs(request, outcome) or web.json_response(
            [_job_json(one) for one in outcome.jobs]
        )

    async def stop(self, request: web.Request) -> web.StreamResponse:
        worker_id = request.match_info["worker"]
        job_ids = await self._remote_workers.wait_for_stop_orders(
            worker_id, self._config.long_poll_seconds
        )
        return web.json_response({"jobsToStop": job_ids}) if job_ids else _no_content()

    async def ping(self, request: web.Request) -> web.StreamResponse:
        worker_id, named = request.match_info["worker"], request.query.get("job_id", "")
        self._remote_workers.ping(worker_id, named.split(",") if named else ())
        if request.query.get("status") == "unhealthy":
            log.warning("worker %s reports itself unhealthy", worker_id)
            self._remote_workers.seen(worker_id).is_unhealthy = True
        return web.json_response({})

    async def done(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        job = self._job_of(request)
        if isinstance(job, web.Response):
            return job
        limit = self._config.runsync_result_max_mib
        if not job.request.is_sync:
            limit = self._config.run_result_max_mib
        try:
            posted = parse_job_done(body, limit)
        except BadPayload as exc:
            # As users of RunPod observed: the worker gets 400, and its job is COMPLETED without output.
            log.warning("result of job %s rejected with 400", job.id)
            self._remote_workers.finish(job.id, WorkerResult())
            return error(400, str(exc))
        if isinstance(posted, ProgressUpdate):
            self._remote_workers.keep_alive(job.id)
            job.output = posted.output
            return web.json_response({})
        return self._end(request, job, posted)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        job = self._job_of(request)
        if isinstance(job, web.Response):
            return job
        self._remote_workers.keep_alive(job.id)
        try:
            job.stream.append(parse_limited_object(body, self._config.stream_chunk_max_mib))
        except BadPayload as exc:
            log.warning("stream chunk of job %s rejected with 400", job.id)
            return error(400, str(exc))
        return web.json_response({})

    async def _take(self, request: web.Request, count: int) -> TakeOutcome:
        return await self._dispatcher.take(
            request.match_info["worker"],
            count,
            self._config.long_poll_seconds,
            lambda: request.transport is None or request.transport.is_closing(),
        )

    def _job_of(self, request: web.Request) -> Job | web.Response:
        """Return the job that this worker runs, or the error that it gets."""
        worker_id, job_id = request.match_info["worker"], request.match_info["id"]
        job = self._endpoint.find_hidden(job_id)
        if job is None:
            return error(404, "job not found")
        if not self._remote_workers.runs(worker_id, job_id):
            log.warning("worker %s posted for job %s, which it does not run", worker_id, job_id)
            return error(400, "this worker does not run this job")
        return job

    def _end(self, request: web.Request, job: Job, final: FinalResult) -> web.StreamResponse:
        if job.trigger_fault("job-done-error", job.plan.done_errors):
            return server_error()
        if job.trigger_fault("job-done-lost", job.plan.done_losses):
            return _drop_connection(request)
        if final.wants_refresh:
            worker = self._remote_workers.seen(request.match_info["worker"])
            worker.refreshes += 1
            log.info("worker %s asks to be restarted", worker.id)
        self._remote_workers.finish(job.id, final.result)
        if job.trigger_fault("job-done-repeated", job.plan.done_repeats):
            return server_error()
        return web.json_response({})


def _answer_without_jobs(request: web.Request, outcome: TakeOutcome) -> web.StreamResponse | None:
    """Return None if there are jobs to hand over."""
    if outcome.fails:
        return server_error()
    if outcome.drops_connection:
        return _drop_connection(request)
    return None if outcome.jobs else _no_content()


def _job_json(job: Job) -> dict[str, object]:
    return {"id": job.id, "input": job.request.input}


def _no_content() -> web.Response:
    return web.Response(status=204)


def _drop_connection(request: web.Request) -> web.Response:
    """Abort the connection; the returned response reaches nobody."""
    if request.transport:
        request.transport.abort()
    return _no_content()
