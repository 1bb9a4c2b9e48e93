"""RunPod's HTTP interface: routes, authentication, limits, status codes and bodies."""

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from . import control, worker_api
from .config import Config
from .endpoint import Endpoint
from .intake import MIB, RUN_MAX_MIB, RUNSYNC_MAX_MIB, RefusedError, Submission, read_submission
from .jobs import IllegalMoveError, Job
from .limits import RateLimiter
from .scenarios import Plan

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_RUNSYNC_WAIT_SECONDS, _RUNSYNC_WAIT_MS = 90.0, (1_000, 300_000)
_REFUSALS = {401: "unauthorized", 429: "too many requests", 500: "internal server error"}

log = logging.getLogger(__name__)


def application(endpoint: Endpoint) -> web.Application:
    api = _Api(endpoint)
    app = web.Application(client_max_size=0)  # bodies are measured and refused in RunPod's words
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
            *worker_api.routes(endpoint),
            *control.routes(endpoint),
            web.route("*", "/{path:.*}", _unknown),
        ]
    )
    return app


class _Api:
    def __init__(self, endpoint: Endpoint) -> None:
        config = endpoint.config
        self._endpoint = endpoint
        self._keys = {f"Bearer {config.api_key}".encode(), config.api_key.encode()}
        self._limiters = {
            "run": RateLimiter(config.run_limit),
            "runsync": RateLimiter(config.runsync_limit),
            "status": RateLimiter(config.status_limit),
            "stream": RateLimiter(config.status_limit),
            "cancel": RateLimiter(config.cancel_limit),
            "purge-queue": RateLimiter(config.purge_limit),
        }

    def guarded(self, operation: str, handler: Handler) -> Handler:
        """Checks key and limits first; counts every request."""

        async def answer(request: web.Request) -> web.StreamResponse:
            self._endpoint.calls[operation] += 1
            given = request.headers.get("Authorization", "").encode()
            if not any(hmac.compare_digest(given, key) for key in self._keys):
                log.warning("/%s refused: no key or a wrong one", operation)
                return _refusal(401)
            limiter = self._limiters.get(operation)
            if limiter is None:
                return await handler(request)
            if not limiter.enter(self._endpoint.clock.now()):
                log.warning("/%s refused: above the rate limit", operation)
                return _refusal(429)
            try:
                return await handler(request)
            finally:
                limiter.leave()

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
        chunks, job.stream = job.stream, []  # each is told once
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
        except IllegalMoveError:
            return _error(
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
        answer: Callable[[web.Request, Job, Plan], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            body = await _read(request, max_mib)
            sent = self._read_submission(request, body)
            names, plan = self._endpoint.rulebook.choose(body, sent.simulate)
        except RefusedError as exc:
            log.warning("submission refused with 400")
            return _error(400, str(exc))
        if plan.refuse_status:
            log.info("submission refused with %d by scenario", plan.refuse_status)
            return _refusal(plan.refuse_status)
        if plan.answer == "without-id":
            return web.json_response({"error": "the job could not be queued"})
        return await answer(request, self._endpoint.submit(sent.request, plan, names), plan)

    def _read_submission(self, request: web.Request, body: bytes) -> Submission:
        is_sync = request.path.endswith("/runsync")
        return read_submission(
            body, request.headers.get("X-Simulate", ""), self._endpoint.config, is_sync=is_sync
        )

    async def _run_answer(self, request: web.Request, job: Job, plan: Plan) -> web.StreamResponse:
        if plan.webhook_before_answer:
            await self._endpoint.wait_until_called_back(job)
        if plan.answer == "dropped" and request.transport:
            request.transport.abort()
        return web.json_response({"id": job.id, "status": "IN_QUEUE"})

    async def _runsync_answer(
        self, request: web.Request, job: Job, _plan: Plan
    ) -> web.StreamResponse:
        await self._endpoint.wait_until_over(job, _wait_seconds(request))
        return web.json_response(job.status_body())


async def _read(request: web.Request, max_mib: int) -> bytes:
    """Reads all that is sent, even if it is too much: a client still sending would miss the answer."""
    body, size = bytearray(), 0
    async for chunk in request.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size <= max_mib * MIB:
            body += chunk
    if size > max_mib * MIB:
        msg = f"exceeded max body size of {max_mib}MiB"
        raise RefusedError(msg)
    return bytes(body)


def _wait_seconds(request: web.Request) -> float:
    lowest, highest = _RUNSYNC_WAIT_MS
    given = request.query.get("wait", "")
    if not given.isdigit():
        return _RUNSYNC_WAIT_SECONDS
    return min(max(int(given), lowest), highest) / 1000


async def _unknown(request: web.Request) -> web.StreamResponse:
    """Another endpoint id, or an operation this simulator does not have."""
    log.warning("%s of an unknown endpoint or operation", request.method)
    return _error(404, "endpoint not found")


def _job_not_found() -> web.Response:
    return web.json_response(
        {"status": 404, "title": "Not Found", "detail": "job not found"}, status=404
    )


def _refusal(status: int) -> web.Response:
    if status in _REFUSALS:
        return _error(status, _REFUSALS[status])
    page = f"<html><head><title>{status}</title></head><body><h1>Bad gateway</h1></body></html>"
    return web.Response(text=page, content_type="text/html", status=status)


def _error(status: int, text: str) -> web.Response:
    body: dict[str, Any] = {"error": text}
    return web.json_response(body, status=status)


class Server:
    """The simulator as one thing to start and stop, inside a running event loop."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.endpoint = Endpoint(config)
        # A caller still waiting in /runsync must not hold up the end.
        self._runner = web.AppRunner(
            application(self.endpoint), access_log=None, shutdown_timeout=1.0
        )
        self.port = 0

    @property
    def origin(self) -> str:
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint's base, as in https://api.runpod.ai/v2/<endpoint id>."""
        return f"{self.origin}/v2/{self.config.endpoint}"

    def worker_environment(self) -> dict[str, str]:
        """What a process with RunPod's SDK needs to become a worker of this endpoint."""
        return worker_api.worker_environment(self.config, self.url)

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.config.host, self.config.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.endpoint.start()

    async def stop(self) -> None:
        await self.endpoint.close()
        await self._runner.cleanup()
