"""RunPod's HTTP interface: routes, authentication, limits, status codes and bodies."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from runpod_simulator import control_api, worker_api
from runpod_simulator.endpoint import Endpoint
from runpod_simulator.fault_plan import FaultPlan
from runpod_simulator.jobs import IllegalTransition, Job
from runpod_simulator.management import routes as management
from runpod_simulator.payloads import MIB, BadPayload
from runpod_simulator.rate_limits import RateLimiter
from runpod_simulator.responses import Handler, error, has_key, server_error, unauthorized
from runpod_simulator.submissions import (
    RUN_MAX_MIB,
    RUNSYNC_MAX_MIB,
    Submission,
    parse_submission,
)

_RUNSYNC_WAIT_SECONDS, _RUNSYNC_WAIT_MS = 90.0, (1_000, 300_000)

log = logging.getLogger(__name__)


def application(endpoint: Endpoint) -> web.Application:
    api = _Api(endpoint)
    app = web.Application(client_max_size=0)  # bodies are limited here, with RunPod's error text
    base = f"/v2/{endpoint.config.endpoint}"
    app.add_routes(
        [
            web.post(f"{base}/run", api.guarded("run", api.run)),
            web.post(f"{base}/runsync", api.guarded("runsync", api.runsync)),
            web.get(f"{base}/status/{{id}}", api.guarded("status", api.status)),
            web.post(f"{base}/status/{{id}}", api.guarded("status", api.status)),  # before 2025
            web.post(f"{base}/cancel/{{id}}", api.guarded("cancel", api.cancel)),
            web.post(f"{base}/retry/{{id}}", api.guarded("retry", api.retry)),
            web.post(f"{base}/purge-queue", api.guarded("purge-queue", api.purge_queue)),
            web.get(f"{base}/stream/{{id}}", api.guarded("stream", api.stream)),
            web.post(f"{base}/stream/{{id}}", api.guarded("stream", api.stream)),
            web.get(f"{base}/health", api.guarded("health", api.health)),
            *management.routes(endpoint),
            *worker_api.routes(endpoint),
            *control_api.routes(endpoint),
            web.route("*", "/{path:.*}", _unknown),
        ]
    )
    return app


class _Api:
    def __init__(self, endpoint: Endpoint) -> None:
        config = endpoint.config
        self._endpoint = endpoint
        self._limiters = {
            "run": RateLimiter(config.run_limit),
            "runsync": RateLimiter(config.runsync_limit),
            "status": RateLimiter(config.status_limit),
            "stream": RateLimiter(config.status_limit),
            "cancel": RateLimiter(config.cancel_limit),
            "purge-queue": RateLimiter(config.purge_limit),
        }

    def guarded(self, operation: str, handler: Handler) -> Handler:
        """Check key and limits first; count every request."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self._endpoint.request_counts[operation] += 1
            if not has_key(request, self._endpoint.config.api_key):
                log.warning("/%s rejected: no key or a wrong one", operation)
                return unauthorized()
            limiter = self._limiters.get(operation)
            if limiter is None:
                return await handler(request)
            if not limiter.acquire(self._endpoint.clock.now()):
                log.warning("/%s rejected: above the rate limit", operation)
                return _error_for(429)
            try:
                return await handler(request)
            finally:
                limiter.release()

        return answer

    async def run(self, request: web.Request) -> web.StreamResponse:
        return await self._submit(request, RUN_MAX_MIB, self._run_answer)

    async def runsync(self, request: web.Request) -> web.StreamResponse:
        return await self._submit(request, RUNSYNC_MAX_MIB, self._runsync_answer)

    async def status(self, request: web.Request) -> web.StreamResponse:
        job = self._endpoint.find(request.match_info["id"])
        return web.json_response(job.status_body()) if job else _job_not_found()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        job = self._endpoint.find(request.match_info["id"])
        if job is None:
            return _job_not_found()
        chunks, job.stream = job.stream, []  # each is returned once
        return web.json_response({"status": job.status, "stream": chunks})

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        job = self._endpoint.find(request.match_info["id"])
        if job is None:
            return _job_not_found()
        self._endpoint.cancel(job)
        return web.json_response({"id": job.id, "status": job.status})

    async def retry(self, request: web.Request) -> web.StreamResponse:
        job = self._endpoint.find(request.match_info["id"])
        if job is None:
            return _job_not_found()
        try:
            self._endpoint.retry(job)
        except IllegalTransition:
            return error(
                400, f"only a FAILED or TIMED_OUT job can be retried, this one is {job.status}"
            )
        return web.json_response({"id": job.id, "status": job.status})

    async def purge_queue(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"removed": self._endpoint.purge(), "status": "completed"})

    async def health(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._endpoint.health())

    async def _submit(
        self,
        request: web.Request,
        max_mib: int,
        answer: Callable[[web.Request, Job, FaultPlan], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            body = await _read(request, max_mib)
            submission = self._parse_submission(request, body)
            names, plan = self._endpoint.rules.choose(body, submission.simulate)
        except BadPayload as exc:
            log.warning("submission rejected with 400")
            return error(400, str(exc))
        if plan.reject_status:
            log.info("submission rejected with %d by scenario", plan.reject_status)
            return _error_for(plan.reject_status)
        if plan.answer == "without-id":
            return web.json_response({"error": "the job could not be queued"})
        return await answer(request, self._endpoint.submit(submission.request, plan, names), plan)

    def _parse_submission(self, request: web.Request, body: bytes) -> Submission:
        is_sync = request.path.endswith("/runsync")
        return parse_submission(
            body, request.headers.get("X-Simulate", ""), self._endpoint.config, is_sync=is_sync
        )

    async def _run_answer(
        self, request: web.Request, job: Job, plan: FaultPlan
    ) -> web.StreamResponse:
        if plan.webhook_before_answer:
            await self._endpoint.wait_until_called_back(job)
        if plan.answer == "dropped" and request.transport:
            request.transport.abort()
        return web.json_response({"id": job.id, "status": "IN_QUEUE"})

    async def _runsync_answer(
        self, request: web.Request, job: Job, _plan: FaultPlan
    ) -> web.StreamResponse:
        await self._endpoint.wait_until_ended(job, _wait_seconds(request))
        return web.json_response(job.status_body())


async def _read(request: web.Request, max_mib: int) -> bytes:
    """Read a body to its end, even one over the limit: a client still sending would miss the answer."""
    body, size = bytearray(), 0
    async for chunk in request.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size <= max_mib * MIB:
            body += chunk
    if size > max_mib * MIB:
        raise BadPayload(f"exceeded max body size of {max_mib}MiB")
    return bytes(body)


def _wait_seconds(request: web.Request) -> float:
    lowest, highest = _RUNSYNC_WAIT_MS
    given = request.query.get("wait", "")
    if not given.isdigit():
        return _RUNSYNC_WAIT_SECONDS
    return min(max(int(given), lowest), highest) / 1000


async def _unknown(request: web.Request) -> web.StreamResponse:
    """Answer for another endpoint id, or an operation that is not simulated."""
    log.warning("%s of an unknown endpoint or operation", request.method)
    return error(404, "endpoint not found")


def _job_not_found() -> web.Response:
    return web.json_response(
        {"status": 404, "title": "Not Found", "detail": "job not found"}, status=404
    )


def _error_for(status: int) -> web.Response:
    match status:
        case 401:
            return unauthorized()
        case 429:
            return error(429, "too many requests")
        case 500:
            return server_error()
    page = f"<html><head><title>{status}</title></head><body><h1>Bad gateway</h1></body></html>"
    return web.Response(text=page, content_type="text/html", status=status)
