"""The model: an OpenAI-compatible server, in the container vLLM on loopback.

A call is made three times at most, so what the GPU may cost is bounded. A server that is not there yet,
or not any more, is waited for as long as the settings allow; that costs no try.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from core.jobs.call import OVERFLOW
from core.runpod.reports import RunPodReport, RunPodStatus, parse_report
from worker.errors import WorkerError
from worker.http import CONNECT_SECONDS, MOST_TRIES, Sleep, new_session, pause
from worker.settings import WorkerSettings

CHAT_ROUTE = "/v1/chat/completions"
_LIST_SECONDS = 10
_MOST_WAITS_GROWING = 4  # then about eight seconds at a time
_ID = "loopback"  # reports are about RunPod requests, and want an id
_NOT_NOW = frozenset({429, 503})  # busy, or still loading the model: it has taken nothing


class TooLongForModel(Exception):
    """The server refused the prompt as too long."""


@dataclass
class ModelServer:
    """One server, asked by many threads."""

    settings: WorkerSettings
    sleep: Sleep = time.sleep
    clock: Callable[[], float] = time.monotonic
    _session: requests.Session = field(default_factory=new_session)

    def __post_init__(self) -> None:
        adapter = HTTPAdapter(pool_maxsize=self.settings.parallel_calls)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)
        # A kept connection may have been closed meanwhile; finding that out would cost a try.
        self._session.headers["Connection"] = "close"
        if self.settings.model_key:
            self._session.headers["Authorization"] = f"Bearer {self.settings.model_key}"

    def close(self) -> None:
        self._session.close()

    def context_tokens(self, model: str, *, at_most: int) -> int:
        """Return how many tokens one call may have: what the server says if it is less than `at_most`.

        Raises WorkerError where no server answers.
        """
        answer = self._answer("GET", "/v1/models", answer_seconds=_LIST_SECONDS)
        if answer is None:
            raise WorkerError("model-unavailable", "its list of models did not come")
        served = _entries(_json(answer))
        own = [entry for entry in served if entry.get("id") == model] or served
        lengths = [entry.get("max_model_len") for entry in own]
        return min([at_most, *(each for each in lengths if type(each) is int and each > 0)])

    def complete(self, request: Mapping[str, Any]) -> RunPodReport:
        """Return the answer to a chat request. Raises TooLongForModel and WorkerError."""
        for tries in range(1, MOST_TRIES + 1):
            answer = self._answer(
                "POST",
                CHAT_ROUTE,
                answer_seconds=self.settings.model_answer_seconds,
                json=request,
            )
            if answer is not None:
                report = _report(answer)
                if report.failure is None:
                    return report  # an empty one too: the engine asks again in other words
                _raise_if_refused(report)
            if tries < MOST_TRIES:
                pause(tries, sleep=self.sleep)
        if answer is None:
            raise WorkerError("model-unavailable", f"the connection broke {MOST_TRIES} times")
        raise WorkerError("model-failed", f"{MOST_TRIES} tries, at last HTTP {answer.status_code}")

    def pass_on(self, request: Mapping[str, Any]) -> requests.Response:
        """Return the server's own answer to a chat request, whatever it says. Raises WorkerError."""
        answer = self._answer(
            "POST", CHAT_ROUTE, answer_seconds=self.settings.model_answer_seconds, json=request
        )
        if answer is None:
            raise WorkerError("model-unavailable", "the connection broke")
        return answer

    def _answer(
        self, method: str, path: str, *, answer_seconds: int, json: Any = None
    ) -> requests.Response | None:
        """Send once there is a server to take it, or return None if the connection broke after that.

        Raises WorkerError if none was there in time, or if it took too long over its answer.
        """
        gives_up_at = self.clock() + self.settings.model_start_seconds
        waits = 0
        while True:
            try:
                answer = self._session.request(
                    method,
                    self.settings.model_url + path,
                    json=json,
                    timeout=(CONNECT_SECONDS, answer_seconds),
                    allow_redirects=False,
                )
                if answer.status_code not in _NOT_NOW:
                    return answer
            except requests.ReadTimeout:
                raise WorkerError("model-failed", f"no answer in {answer_seconds} s") from None
            except requests.RequestException as exc:
                if not _took_nothing(exc):
                    return None
            if self.clock() >= gives_up_at:
                raise WorkerError("model-unavailable", f"asked {waits + 1} times")
            waits += 1
            pause(min(waits, _MOST_WAITS_GROWING), sleep=self.sleep)


def _took_nothing(exc: requests.RequestException) -> bool:
    """Was no connection made?"""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if exc.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _report(answer: requests.Response) -> RunPodReport:
    """Read an answer as the pipeline reads RunPod's, which hold the same."""
    if answer.status_code == requests.codes.ok:
        return parse_report({"id": _ID, "status": RunPodStatus.COMPLETED, "output": _json(answer)})
    error = f"vLLM returned HTTP {answer.status_code}: {answer.text}"
    return parse_report({"id": _ID, "status": RunPodStatus.FAILED, "error": error})


def _raise_if_refused(report: RunPodReport) -> None:
    if report.failure is None or report.failure.may_help_to_retry:
        return
    if report.failure.code == OVERFLOW:
        raise TooLongForModel
    raise WorkerError("model-refused")


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _entries(body: Any) -> list[dict[str, Any]]:
    entries = body.get("data") if isinstance(body, dict) else None
    return (
        [each for each in entries or () if isinstance(each, dict)]
        if isinstance(entries, list)
        else []
    )
