"""The HTTP interface of the management API: key, rate limit, bodies, answers and problems."""

import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from runpod_simulator.config import Config
from runpod_simulator.endpoint import Endpoint
from runpod_simulator.management.bodies import problems_with
from runpod_simulator.management.gpus import gpus
from runpod_simulator.management.state import Account, Refused, shown
from runpod_simulator.responses import is_bearer

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
_WINDOW_SECONDS = 60.0
_MODEL = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"  # unless another one was chosen
_Answer = Callable[[web.Request, Any], web.Response]

log = logging.getLogger(__name__)


def routes(endpoint: Endpoint) -> list[web.RouteDef]:
    api = _Management(endpoint)
    one, of_template = "/v2/serverless/{id}", "/v2/templates/{id}"
    return [
        web.get("/v2/serverless", api.guarded("listEndpoints", api.list_endpoints)),
        web.post("/v2/serverless", api.guarded("createEndpoint", api.create_endpoint)),
        web.get(one, api.guarded("getEndpoint", api.get_endpoint)),
        web.patch(one, api.guarded("updateEndpoint", api.update_endpoint)),
        web.delete(one, api.guarded("deleteEndpoint", api.delete_endpoint)),
        web.get("/v2/catalog/gpus", api.guarded("listGpuTypes", api.list_gpus)),
        web.get("/v2/templates", api.guarded("listTemplates", api.list_templates)),
        web.post("/v2/templates", api.guarded("createTemplate", api.create_template)),
        web.get(of_template, api.guarded("getTemplate", api.get_template)),
        web.patch(of_template, api.guarded("updateTemplate", api.update_template)),
        web.delete(of_template, api.guarded("deleteTemplate", api.delete_template)),
    ]


class _Management:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._config = endpoint.config
        self._account = Account()
        self._account.add_endpoint(_simulated(endpoint.config), endpoint.config.endpoint)
        self._window_began_at, self._requests_in_window = -math.inf, 0

    def guarded(
        self, operation: str, answer: _Answer
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Check key, limit and body first; count every request."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._endpoint.request_counts[operation] += 1
            if refusal := self._refusal(request):
                log.warning("%s rejected with %d", operation, refusal.status)
                return refusal
            try:
                response = answer(request, await _body(request, operation))
            except _Invalid as exc:
                log.warning("%s rejected with 422", operation)
                response = _problem(422, "Request validation failed.", exc.problems)
            except Refused as exc:
                log.warning("%s rejected with %d", operation, exc.status)
                response = _problem(exc.status, str(exc))
            return self._with_quota(response)

        return handle

    def list_endpoints(self, request: web.Request, _body: Any) -> web.Response:
        origin = _origin(request)
        listed = [shown(each, origin) for each in self._account.endpoints.values()]
        return web.json_response({"endpoints": listed})

    def create_endpoint(self, request: web.Request, body: Any) -> web.Response:
        made = self._account.add_endpoint(body)
        return web.json_response(shown(made, _origin(request)), status=201)

    def get_endpoint(self, request: web.Request, _body: Any) -> web.Response:
        return web.json_response(shown(_one(self._account.endpoints, request), _origin(request)))

    def update_endpoint(self, request: web.Request, body: Any) -> web.Response:
        changed = self._account.change_endpoint(request.match_info["id"], body)
        return web.json_response(shown(changed, _origin(request)))

    def delete_endpoint(self, request: web.Request, _body: Any) -> web.Response:
        self._account.delete_endpoint(request.match_info["id"])
        return web.Response(status=204)

    def list_gpus(self, request: web.Request, _body: Any) -> web.Response:
        has_stock = request.query.get("include") == "AVAILABILITY"
        if has_stock and request.query.get("product") != "SERVERLESS":
            raise Refused(
                422, "product is required with include=AVAILABILITY; SERVERLESS is simulated"
            )
        return web.json_response({"gpus": gpus(self._endpoint.stock if has_stock else None)})

    def list_templates(self, _request: web.Request, _body: Any) -> web.Response:
        return web.json_response({"templates": list(self._account.templates.values())})

    def create_template(self, _request: web.Request, body: Any) -> web.Response:
        return web.json_response(self._account.add_template(body), status=201)

    def get_template(self, request: web.Request, _body: Any) -> web.Response:
        return web.json_response(_one(self._account.templates, request))

    def update_template(self, request: web.Request, body: Any) -> web.Response:
        changed = self._account.change_template(request.match_info["id"], body)
        return web.json_response(changed)

    def delete_template(self, request: web.Request, _body: Any) -> web.Response:
        self._account.delete_template(request.match_info["id"])
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        config = self._config
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _problem(401, "missing bearer token")
        if not is_bearer(request, config.management_key or config.api_key):
            if is_bearer(request, config.api_key):  # of an endpoint alone
                return self._with_quota(_problem(403, "access denied"))
            return _problem(401, "invalid bearer token")
        now = self._endpoint.clock.now()
        if now >= self._window_began_at + _WINDOW_SECONDS:
            self._window_began_at, self._requests_in_window = now, 0
        if self._requests_in_window >= config.management_per_minute:
            refusal = _problem(429, "rate limit exceeded for the minute window")
            refusal.headers["Retry-After"] = str(self._seconds_left())
            return self._with_quota(refusal)
        self._requests_in_window += 1
        return None

    def _with_quota(self, response: web.Response) -> web.Response:
        quota = self._config.management_per_minute
        left = quota - self._requests_in_window
        response.headers["RateLimit"] = f'"minute";r={left};t={self._seconds_left()}'
        response.headers["RateLimit-Policy"] = f'"minute";q={quota};w={_WINDOW_SECONDS:.0f}'
        return response

    def _seconds_left(self) -> int:
        """Real seconds, as a client waits them."""
        left = self._window_began_at + _WINDOW_SECONDS - self._endpoint.clock.now()
        return math.ceil(max(0.0, left) * self._config.time_scale) if math.isfinite(left) else 0


class _Invalid(Exception):
    def __init__(self, problems: list[str]) -> None:
        super().__init__("Request validation failed.")
        self.problems = problems


async def _body(request: web.Request, operation: str) -> Any:
    """Return the body if the operation has one.

    Raises:
        Refused: it is not JSON.
        _Invalid: it does not fit the operation's schema.
    """
    if request.method not in {"POST", "PATCH"}:
        return None
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused(400, "request body is not JSON") from None
    if problems := problems_with(operation, body):
        raise _Invalid(problems)
    return body


def _simulated(config: Config) -> dict[str, Any]:
    """The endpoint whose jobs are simulated, as somebody would have set it up by hand."""
    return {
        "name": config.endpoint,
        "type": "QUEUE",
        "image": "runpod/worker-v1-vllm:v2.25.2",
        "disk": 150,
        "env": {
            "MODEL_NAME": config.model_name or _MODEL,
            "MAX_MODEL_LEN": str(config.max_model_len),
        },
        "gpu": {"pools": ["ADA_80_PRO"], "count": 1},
        "workers": {"min": 0, "max": config.max_workers, "idleTimeout": 5},
        "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4},
        "timeout": int(config.execution_timeout_seconds * 1000),
        "flashboot": "FLASHBOOT",
    }


def _one(held: dict[str, dict[str, Any]], request: web.Request) -> dict[str, Any]:
    one = held.get(request.match_info["id"])
    if one is None:
        raise Refused(404, "resource not found")
    return one


def _origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _problem(status: int, detail: str, errors: list[str] | None = None) -> web.Response:
    body: dict[str, Any] = {"title": _TITLES[status], "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return web.json_response(body, status=status, content_type="application/problem+json")
