"""A RunPod Serverless endpoint over HTTP: submit, poll, cancel.

What may be repeated here is only what RunPod surely did not take: a 429, or a connection that was
never made. RunPod has no idempotency key, so after any other error the caller decides, on record. TLS
that fails is such an error: it can fail after the request was read.

A CDN stands before RunPod. What it answers by itself says nothing about the key or the request.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Retry

from core.errors import (
    BadBody,
    RunPodBusy,
    RunPodError,
    RunPodFailed,
    RunPodKeyUnusable,
    RunPodRefused,
    RunPodSilent,
    SecretUnusable,
)
from core.runpod import reports
from core.runpod.health import EndpointHealth
from core.runpod.reports import RunPodReport

_CONNECT_SECONDS = 5
_RUN_ANSWER_SECONDS = 20
_STATUS_ANSWER_SECONDS = 10
_HEALTH_ANSWER_SECONDS = 5
_MOST_KEPT = 64  # connections: as many as the sweeper has threads that ask, and more
_RUN = "/run"
_MOST_REFUSED = 3  # times that one request is tried again after a 429
_SHARE_WHEN_ASKING = 0.3
# Cloudflare stands before RunPod and turns some default user agents away (error 1010).
USER_AGENT = "transcript-summaries/0.1"


class ApiKey(Protocol):
    def value(self) -> str:
        """Return the key. Raises SecretUnusable."""

    def refetched(self) -> str:
        """Return the key afresh: it may have been replaced. Raises SecretUnusable."""


class _Spread(Retry):
    """Comes back after some seconds, by chance, from the first time on.

    RunPod counts requests by ten seconds: whoever comes back at once, as urllib3 does the first time, finds
    it as full as before, and whoever was refused together would come back together.
    """

    def get_backoff_time(self) -> float:
        refused = len(self.history)
        return refused * random.uniform(self.backoff_factor, 3 * self.backoff_factor)  # noqa: S311 - no secret


def retries(backoff_seconds: float, *, kind: type[Retry] = Retry) -> Retry:
    """Return what is tried again: only what was surely not taken."""
    return kind(
        total=4,
        connect=2,
        status=_MOST_REFUSED,
        read=0,
        other=0,
        redirect=0,
        allowed_methods=None,
        status_forcelist={429},
        backoff_factor=backoff_seconds,
        backoff_jitter=backoff_seconds,
        respect_retry_after_header=False,  # it could outlast the function; the queue waits longer
        raise_on_status=False,
    )


def run_retries(backoff_seconds: float = 1.0) -> Retry:
    """Return how `/run` is tried again: for 6 to 18 seconds, then the queue brings it again."""
    return retries(backoff_seconds, kind=_Spread)


class HttpRunPod:
    """The RunPod port, through `requests`."""

    def __init__(self, endpoint: str, api_key: ApiKey, *, backoff_seconds: float = 1.0) -> None:
        """`backoff_seconds` is the least wait of a request that was refused."""
        self._endpoint = endpoint
        self._api_key = api_key
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        asking = retries(_SHARE_WHEN_ASKING * backoff_seconds)  # it has seconds, not a minute
        for prefix, policy in (
            ("https://", asking),
            ("http://", asking),
            (endpoint + _RUN, run_retries(backoff_seconds)),
        ):
            self._session.mount(prefix, HTTPAdapter(max_retries=policy, pool_maxsize=_MOST_KEPT))
        self._keeps_connections = False

    @contextmanager
    def keeping_connections(self) -> Iterator[None]:
        """Ask for many statuses over connections that are kept, for as long as the function surely runs.

        A handshake takes longer than such a request does otherwise, and twice its computing.
        """
        self._keeps_connections = True
        try:
            yield
        finally:
            self._keeps_connections = False
            self._session.close()  # none is there to be found dead by the next invocation

    def check_key(self) -> None:
        self._key()

    def run(self, request: Mapping[str, Any]) -> str:
        answer = self._send("POST", _RUN, answer_seconds=_RUN_ANSWER_SECONDS, json=request)
        self._raise_unless_ok(answer)
        body = _object_in(answer)
        runpod_id = body.get("id")
        if not reports.is_runpod_id(runpod_id):
            # RunPod's own command line tool: such an answer "is not a job at all".
            raise RunPodRefused(
                "RunPod answered 200 without a job id; check the endpoint's settings"
            )
        return runpod_id

    def status(self, runpod_id: str) -> RunPodReport:
        path = f"/status/{quote(runpod_id, safe='')}"
        answer = self._send("GET", path, answer_seconds=_STATUS_ANSWER_SECONDS)
        if answer.status_code == requests.codes.not_found:
            return reports.gone(runpod_id)
        self._raise_unless_ok(answer)
        try:
            return reports.parse_report(_object_in(answer))
        except BadBody as exc:
            raise RunPodFailed(f"RunPod's status of request {runpod_id} is not a job") from exc

    def cancel(self, runpod_id: str) -> None:
        path = f"/cancel/{quote(runpod_id, safe='')}"
        answer = self._send("POST", path, answer_seconds=_STATUS_ANSWER_SECONDS)
        if answer.status_code != requests.codes.not_found:
            self._raise_unless_ok(answer)

    def health(self) -> EndpointHealth:
        """Return how the endpoint is. Raises what `status` raises."""
        answer = self._send("GET", "/health", answer_seconds=_HEALTH_ANSWER_SECONDS)
        self._raise_unless_ok(answer)
        try:
            return EndpointHealth.parse(_object_in(answer))
        except BadBody as exc:
            raise RunPodFailed(str(exc)) from exc

    def _send(
        self,
        method: str,
        path: str,
        *,
        answer_seconds: float,
        json: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """Send once, and once more with a fresh key if the key was turned away."""
        key = self._key()
        answer = self._exchange(method, path, key, answer_seconds, json)
        if answer.status_code == requests.codes.unauthorized:
            fresh = self._key(is_refused=True)
            if fresh != key:
                answer = self._exchange(method, path, fresh, answer_seconds, json)
        return answer

    def _key(self, *, is_refused: bool = False) -> str:
        try:
            return self._api_key.refetched() if is_refused else self._api_key.value()
        except SecretUnusable as exc:
            raise RunPodKeyUnusable(f"no API key for RunPod: {exc}") from exc

    def _exchange(
        self,
        method: str,
        path: str,
        key: str,
        answer_seconds: float,
        json: Mapping[str, Any] | None,
    ) -> requests.Response:
        # Exceptions of requests name the URL, and the errors here don't repeat even that.
        try:
            return self._session.request(
                method,
                self._endpoint + path,
                json=json,
                headers={"Authorization": f"Bearer {key}"} | self._connection_header(path),
                timeout=(_CONNECT_SECONDS, answer_seconds),
                allow_redirects=False,
            )
        except requests.ConnectionError as exc:
            raise _connection_error(exc) from exc
        except requests.RequestException as exc:
            raise RunPodSilent("RunPod did not answer in time") from exc

    def _connection_header(self, path: str) -> dict[str, str]:
        """Say that a request's connection is its own, unless many are made that may well be lost.

        A kept connection can have died while the function was frozen, and a request to run something
        that is lost on it could have been taken.
        """
        is_kept = self._keeps_connections and path != _RUN
        return {} if is_kept else {"Connection": "close"}

    @staticmethod
    def _raise_unless_ok(answer: requests.Response) -> None:
        code = answer.status_code
        if code == requests.codes.ok:
            return
        if code == requests.codes.too_many_requests:
            raise RunPodBusy("RunPod is taking no more requests for now (429)")
        if code == requests.codes.unauthorized or (
            code == requests.codes.forbidden and _is_runpods_own(answer)
        ):
            raise RunPodKeyUnusable(
                f"RunPod refused the API key with {code}: it is wrong, was revoked, or may not use this"
                " endpoint; put a valid key into the secret that RunpodApiKeySecretName names"
            )
        if code == requests.codes.forbidden:
            raise RunPodBusy("what stands before RunPod turned the request away (403)")
        if code >= requests.codes.internal_server_error or code in _PASSING:
            raise RunPodFailed(f"RunPod answered {code}")
        hint = _HINTS.get(code, "see RunPod's console")
        raise RunPodRefused(f"RunPod refused the request with {code}: {hint}")


_PASSING = frozenset({408, 425})  # a request that came too slowly, or too early

_HINTS = {
    400: "it holds the request for malformed or too large",
    404: "there is no such endpoint; check RunpodApiEndpoint",
    413: "the request is too large",
}


def _is_runpods_own(answer: requests.Response) -> bool:
    """Does RunPod's API speak, and not the CDN before it?

    RunPod answers with JSON objects; Cloudflare with a page, with `error code: 1010`, or with an object
    that names itself.
    """
    if "cf-mitigated" in answer.headers:
        return False
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and "cloudflare_error" not in body


def _connection_error(exc: requests.ConnectionError) -> RunPodError:
    """Distinguish a connection that was never made from one that broke with the request on its way."""
    if isinstance(exc, requests.exceptions.SSLError):
        return RunPodSilent("the secure connection to RunPod failed before it answered")
    reason = getattr(exc.args[0], "reason", None) if exc.args else None
    if isinstance(reason, NewConnectionError | NameResolutionError | ConnectTimeoutError):
        return RunPodBusy("no connection to RunPod could be made")
    return RunPodSilent("the connection to RunPod broke before it answered")


def _object_in(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        raise RunPodFailed("RunPod answered with something that is not JSON") from None
    if not isinstance(body, dict):
        raise RunPodFailed("RunPod answered with JSON that is not an object")
    return body
