"""What is read from RunPod, and the webhook URL tried as RunPod would call it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from cli import checks
from cli.doctor.aws import Account, Note, Unreadable
from cli.doctor.readings import SUBMITTER, Answer, Function, Health, Readings
from cli.endpoint.api import RUNPOD_URL, Management, ManagementError
from core.runpod.client import USER_AGENT

_CONNECT_SECONDS = 3
_NOT_ALLOWED = frozenset({401, 403})
_NOT_FOUND = 404
# The path of a callback whose token can't be right: refused before anything is read.
_NOBODYS_CALLBACK = "/doctor/doctor/1/doctor"
_LEVELS = ("NONE", "LOW", "MEDIUM", "HIGH")
_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How what is outside AWS is reached."""

    management_url: str = ""  # "" is RunPod's own, or the simulator's beside a simulated endpoint
    management_key: str = field(default="", repr=False)  # "": the stack's own is tried
    answer_seconds: float = 6.0  # a receiver may have to start


class Outside:
    """One method for each reading; each may be called in a thread of its own."""

    def __init__(self, account: Account, first: Readings, reach: Reach, note: Note) -> None:
        self._account = account
        self._first = first
        self._reach = reach
        self._note = note

    def key_secret(self) -> str:
        return self._key[1]

    def health(self) -> Health:
        url = f"{self._endpoint_url}/health"
        try:
            answer = _session().get(
                url,
                headers={"Authorization": f"Bearer {self._usable_key()}"},
                timeout=self._patience,
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            return Health(status=0, problem=f"does not answer ({type(exc).__name__})")
        self._note("RunPod", answer.headers.get("Date", ""))
        body = _object_in(answer)
        return Health(
            status=answer.status_code, workers=_counts(body, "workers"), jobs=_counts(body, "jobs")
        )

    def is_key_restricted(self) -> bool:
        try:
            Management(self._management_url, self._usable_key()).endpoints()
        except ManagementError as exc:
            if exc.status in _NOT_ALLOWED:
                return True
            raise
        return False

    def endpoint(self) -> Mapping[str, Any] | None:
        endpoint_id = self._endpoint_url.rsplit("/", 1)[-1]
        try:
            return dict(self._asked(lambda api: api.endpoint(endpoint_id)))
        except ManagementError as exc:
            if exc.status == _NOT_FOUND:
                return None
            raise

    def stock(self) -> Mapping[str, str]:
        """Return the best availability in each GPU pool."""
        best: dict[str, str] = {}
        for gpu in self._asked(lambda api: api.gpus_in_stock()):
            pool, level = gpu.get("pool"), gpu.get("availability")
            if pool and level in _LEVELS:
                best[pool] = max(best.get(pool, "NONE"), level, key=_LEVELS.index)
        return best

    def webhook(self) -> Answer:
        """Call back with a token that can't be right: 401 is what a receiver in order answers."""
        url, host = _reachable(self._submitter.environment.get("WEBHOOK_URL", ""))
        try:
            answer = _session().post(
                url + _NOBODYS_CALLBACK,
                data="{}",
                headers={"Content-Type": "application/json", **({"Host": host} if host else {})},
                timeout=self._patience,
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            return Answer(status=0, problem=type(exc).__name__)
        return Answer(status=answer.status_code, is_from_receiver="outcome" in _object_in(answer))

    def _asked(self, ask: Callable[[Management], Any]) -> Any:
        own = self._reach.management_key
        try:
            return ask(Management(self._management_url, own or self._usable_key()))
        except ManagementError as exc:
            if own or exc.status not in _NOT_ALLOWED:
                raise
            raise Unreadable(
                "the stack's own key may not read it, as it should be: put a RunPod key that may read"
                " endpoints into RUNPOD_API_KEY for this command"
            ) from None

    @property
    def _patience(self) -> tuple[float, float]:
        return _CONNECT_SECONDS, self._reach.answer_seconds

    @property
    def _submitter(self) -> Function:
        return self._first.functions[SUBMITTER]

    @property
    def _endpoint_url(self) -> str:
        return self._first.runpod_url.rstrip("/")

    @property
    def _management_url(self) -> str:
        parts = urlsplit(self._endpoint_url)
        simulated = f"{parts.scheme}://{parts.netloc}" if parts.hostname in _LOCAL_HOSTS else ""
        return self._reach.management_url or simulated or RUNPOD_URL

    @cached_property
    def _key(self) -> tuple[str, str]:
        name = self._submitter.environment.get("RUNPOD_API_KEY_SECRET", "")
        key, problem = self._account.secret(name)
        return key, problem or checks.problem_with_key(key)

    def _usable_key(self) -> str:
        key, problem = self._key
        if problem:
            raise Unreadable("there is no usable key")
        return key


def _session() -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    return session


def _reachable(url: str) -> tuple[str, str]:
    """Return a URL to send to, and the Host to say: not every system takes *.localhost for itself."""
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url, ""
    return urlunsplit(parts._replace(netloc=f"127.0.0.1:{parts.port or 80}")), parts.netloc


def _object_in(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _counts(body: Mapping[str, Any], name: str) -> dict[str, int]:
    held = body.get(name)
    pairs = held.items() if isinstance(held, dict) else ()
    return {str(key): value for key, value in pairs if isinstance(value, int)}
