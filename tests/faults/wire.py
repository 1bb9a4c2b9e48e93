"""Stands between the functions and AWS and RunPod: sees each call, and lets one of them fail once."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import requests
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tests.faults.sites import Site, trail_here


class Fault(StrEnum):
    """How a call fails. A failed call has used up the repetitions that botocore or urllib3 make."""

    ERROR = "5xx before it was done"
    THROTTLED = "throttled"
    ERROR_AFTER = "5xx after it was done"
    TIMEOUT = "done but not answered"
    REPEATED = "done, answer lost and repeated by the SDK"
    KILLED = "killed before"
    KILLED_AFTER = "killed after"


_OF_READS = (Fault.ERROR, Fault.THROTTLED, Fault.TIMEOUT, Fault.KILLED_AFTER)
_OF_HTTP = tuple(fault for fault in Fault if fault is not Fault.REPEATED)


def faults_of(site: Site) -> tuple[Fault, ...]:
    """Return the ways in which a site's call can fail with different consequences."""
    if site.is_read:
        return _OF_READS
    return _OF_HTTP if " /" in site.operation else tuple(Fault)


class Killed(BaseException):
    """The function dies here, and nothing that it would have done afterwards happens."""


@dataclass(frozen=True)
class Plan:
    """Which call fails, and how."""

    site: Site
    occurrence: int  # 1 is the site's first call of the run
    fault: Fault


@dataclass
class Wire:
    """One run's calls. `on_sent` gets each message that SQS took, with its delay in seconds."""

    plan: Plan | None
    on_sent: Callable[[str, int], None]
    runpod_ids: Callable[[], list[str]]
    fork: Callable[[Site, int], Plan | None] = lambda site, occurrence: None  # for more plans
    function: str = ""  # which one runs
    stage: int = 0  # the job's, as it began
    is_dead: bool = False
    has_failed: bool = False  # the planned call was made, and failed
    seen: Counter[Site] = field(default_factory=Counter)
    first_in_stage: dict[tuple[Site, int], int] = field(default_factory=dict)
    _thread: threading.local = field(default_factory=threading.local)

    def begins(self, function: str, stage: int) -> None:
        self.function, self.stage, self.is_dead = function, stage, False

    # ---- AWS, by botocore's events ----------------------------------------------------------

    def before_call(self, model: Any, params: Any, context: Any, **_: Any) -> Any:
        service = model.service_model.service_name
        fault = self._arrives(f"{service}.{model.name}")
        context["fault"] = self._thread.fault = fault
        context["body"] = self._thread.body = params["body"]
        self._thread.operation = model.name
        if fault is Fault.KILLED:
            self._die()
        if fault is Fault.ERROR:
            return SimpleNamespace(status_code=500), _error("InternalServerError")
        if fault is Fault.THROTTLED:
            return SimpleNamespace(status_code=400), _error(_THROTTLED.get(service, "Throttling"))
        return None

    def before_send(self, emit: Callable[..., Any], event_name: str, request: Any) -> None:
        """Carry out a call, then lose its answer, so that the SDK repeats it."""
        if getattr(self._thread, "fault", None) is not Fault.REPEATED:
            return
        self._thread.fault = None
        emit(event_name, request=request)
        self._done(self._thread.operation, self._thread.body)
        self.has_failed = (
            True  # set last: an error of this recorder must not pass for the planned fault
        )
        raise ConnectionClosedError(endpoint_url=request.url)

    def after_call(
        self, http_response: Any, parsed: Any, model: Any, context: Any, **_: Any
    ) -> None:
        fault = context["fault"]
        if fault in {Fault.ERROR, Fault.THROTTLED}:
            return
        if http_response.status_code < 300:
            self._done(model.name, context["body"])
        if fault is Fault.KILLED_AFTER:
            self._die()
        if fault is Fault.TIMEOUT:
            raise ReadTimeoutError(endpoint_url="https://aws.invalid")
        if fault is Fault.ERROR_AFTER:
            http_response.status_code = 500
            parsed.clear()
            parsed.update(_error("InternalServerError"))

    def _done(self, operation: str, body: Any) -> None:
        if operation == "SendMessage":
            sent = json.loads(body)
            self.on_sent(sent["MessageBody"], sent.get("DelaySeconds", 0))

    # ---- RunPod, at requests' adapter -------------------------------------------------------

    def send(
        self, send: Callable[..., requests.Response], adapter: Any, request: Any, **options: Any
    ) -> requests.Response:
        fault = self._arrives(f"{request.method} {self._route(request.path_url)}")
        if fault is Fault.KILLED:
            self._die()
        if fault is Fault.ERROR:
            return _answer(request, 500)
        if fault is Fault.THROTTLED:
            return _answer(request, 429)
        answer = send(adapter, request, **options)
        if fault is Fault.KILLED_AFTER:
            self._die()
        if fault is Fault.TIMEOUT:
            raise requests.ReadTimeout(request=request)
        return _answer(request, 502) if fault is Fault.ERROR_AFTER else answer

    def _route(self, path: str) -> str:
        parts = path.split("/")[3:]  # without /v2/<endpoint id>
        return "/" + "/".join("{id}" if part in self.runpod_ids() else part for part in parts)

    # -----------------------------------------------------------------------------------------

    def _arrives(self, operation: str) -> Fault | None:
        if self.is_dead:
            raise Killed
        site = Site(self.function, operation, trail_here())
        self.seen[site] += 1
        self.first_in_stage.setdefault((site, self.stage), self.seen[site])
        self.plan = plan = self.fork(site, self.seen[site]) or self.plan
        if plan is None or (site, self.seen[site]) != (plan.site, plan.occurrence):
            return None
        self.has_failed = plan.fault is not Fault.REPEATED  # which fails further on
        return plan.fault

    def _die(self) -> None:
        self.is_dead = True
        raise Killed


_THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "sqs": "RequestThrottled",
    "secretsmanager": "ThrottlingException",
}


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "a fault"}, "ResponseMetadata": {}}


def _answer(request: Any, status_code: int) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.request, answer.url = status_code, request, request.url
    answer._content = b"{}"
    return answer
