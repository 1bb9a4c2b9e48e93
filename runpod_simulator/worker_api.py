"""The routes that RunPod has for its workers, as the `runpod` SDK calls them.

What they answer was found by running the SDK, what RunPod itself answers is known only in part:
docs/runpod-simulator.md says which.
"""

import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from .config import Config
from .dispatch import Dispatch, Handover
from .endpoint import Endpoint
from .jobs import Job
from .posts import Progress, RefusedPostError, Report, read_chunk, read_post
from .workers import Answer
from .workers.fleet import Fleet

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SDK_PING_MS = 10_000  # what the SDK does by itself; it counts whole seconds
_PINGS_PER_TIMEOUT = 4

log = logging.getLogger(__name__)


def worker_environment(config: Config, url: str) -> dict[str, str]:
    """The variables that RunPod sets for one worker. Each call names another worker.

    The marks $ID and $RUNPOD_POD_ID are for the SDK to fill in, which appends `&...` to the URLs.
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
    """None, unless the jobs of this endpoint wait for such workers."""
    if endpoint.fleet is None or endpoint.dispatch is None:
        return []
    api = _WorkerApi(endpoint, endpoint.fleet, endpoint.dispatch)
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
    def __init__(self, endpoint: Endpoint, fleet: Fleet, dispatch: Dispatch) -> None:
        self._endpoint = endpoint
        self._config = endpoint.config
        self._fleet = fleet
        self._dispatch = dispatch
        key = endpoint.config.worker_key
        self._keys = {key.encode(), f"Bearer {key}".encode()}

    def guarded(self, operation: str, handler: Handler) -> Handler:
        """Checks the workers' key first; counts every request."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self._endpoint.calls[operation] += 1
            given = request.headers.get("Authorization", "").encode()
            if not any(hmac.compare_digest(given, key) for key in self._keys):
                log.warning("/%s refused: no key of a worker or a wrong one", operation)
                return web.json_response({"error": "unauthorized"}, status=401)
            self._fleet.hear(request.match_info["worker"])
            return await handler(request)

        return answer

    async def take(self, request: web.Request) -> web.StreamResponse:
        handover = await self._handover(request, 1)
        return _given(request, handover) or web.json_response(_told(handover.jobs[0]))

    async def take_batch(self, request: web.Request) -> web.StreamResponse:
        size = request.query.get("batch_size", "")
        handover = await self._handover(request, int(size) if size.isdigit() else 1)
        return _given(request, handover) or web.json_response([_told(one) for one in handover.jobs])

    async def stop(self, request: web.Request) -> web.StreamResponse:
        worker_id = request.match_info["worker"]
        job_ids = await self._fleet.wait_for_stops(worker_id, self._config.long_poll_seconds)
        return web.json_response({"jobsToStop": job_ids}) if job_ids else _nothing()

    async def ping(self, request: web.Request) -> web.StreamResponse:
        worker_id, named = request.match_info["worker"], request.query.get("job_id", "")
        self._fleet.ping(worker_id, named.split(",") if named else ())
        if request.query.get("status") == "unhealthy":
            log.warning("worker %s found itself unfit", worker_id)
            self._fleet.hear(worker_id).is_unhealthy = True
        return web.json_response({})

    async def done(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        job = self._held(request)
        if isinstance(job, web.Response):
            return job
        limit = self._config.runsync_result_max_mib
        if not job.request.is_sync:
            limit = self._config.run_result_max_mib
        try:
            posted = read_post(body, limit)
        except RefusedPostError as exc:
            # Seen by users of RunPod: the worker is told 400, its job is COMPLETED without output.
            log.warning("result of job %s refused with 400", job.id)
            self._fleet.report(job.id, Answer())
            return _error(400, str(exc))
        if isinstance(posted, Progress):
            self._fleet.name(job.id)
            job.output = posted.output
            return web.json_response({})
        return self._end(request, job, posted)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        job = self._held(request)
        if isinstance(job, web.Response):
            return job
        self._fleet.name(job.id)
        try:
            job.stream.append(read_chunk(body, self._config.stream_chunk_max_mib))
        except RefusedPostError as exc:
            log.warning("part of the stream of job %s refused with 400", job.id)
            return _error(400, str(exc))
        return web.json_response({})

    async def _handover(self, request: web.Request, count: int) -> Handover:
        return await self._dispatch.take(
            request.match_info["worker"],
            count,
            self._config.long_poll_seconds,
            lambda: request.transport is None or request.transport.is_closing(),
        )

    def _held(self, request: web.Request) -> Job | web.Response:
        """The job that this worker runs, or what it is told instead."""
        worker_id, job_id = request.match_info["worker"], request.match_info["id"]
        job = self._endpoint.known(job_id)
        if job is None:
            return _error(404, "job not found")
        if not self._fleet.holds(worker_id, job_id):
            log.warning("worker %s posted for job %s, which it does not run", worker_id, job_id)
            return _error(400, "this worker does not run this job")
        return job

    def _end(self, request: web.Request, job: Job, report: Report) -> web.StreamResponse:
        if job.suffers("job-done-error", job.plan.done_errors):
            return _server_error()
        if job.suffers("job-done-lost", job.plan.done_losses):
            return _hung_up(request)
        if report.wants_refresh:
            worker = self._fleet.hear(request.match_info["worker"])
            worker.refreshes += 1
            log.info("worker %s wants to be restarted", worker.id)
        self._fleet.report(job.id, report.answer)
        if job.suffers("job-done-repeated", job.plan.done_repeats):
            return _server_error()
        return web.json_response({})


def _given(request: web.Request, handover: Handover) -> web.StreamResponse | None:
    """None if there are jobs to tell."""
    if handover.is_refused:
        return _server_error()
    if handover.is_unanswered:
        return _hung_up(request)
    return None if handover.jobs else _nothing()


def _told(job: Job) -> dict[str, object]:
    return {"id": job.id, "input": job.request.input}


def _nothing() -> web.Response:
    return web.Response(status=204)


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _server_error() -> web.Response:
    return _error(500, "internal server error")


def _hung_up(request: web.Request) -> web.Response:
    """What is returned reaches nobody."""
    if request.transport:
        request.transport.abort()
    return _nothing()
