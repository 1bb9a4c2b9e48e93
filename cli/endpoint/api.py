"""RunPod's management API, version 2: endpoints and templates, over `requests`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from core.runpod.client import USER_AGENT

RUNPOD_URL = "https://api.runpod.io"

_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 30
_LONGEST_DETAIL = 500
_REFUSED = {
    401: "RunPod does not know this key: it is wrong, or was revoked",
    403: "this key may not manage endpoints: the stack's own key should be restricted to its endpoint,"
    " so put one that may read and write endpoints into RUNPOD_API_KEY for this command",
    404: "RunPod has nothing of this id, or this key may not see it",
    429: "RunPod takes no more requests for now: try again in a minute",
}


class ManagementError(Exception):
    """RunPod refused, or could not be reached; the text says what it said, never the key."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Management:
    """Reads and changes endpoints and templates. Its methods raise ManagementError."""

    def __init__(self, url: str, key: str, *, backoff_seconds: float = 0.5) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # A POST is sent once: it could have been taken. Whoever runs the command again finds by its
        # name what the first one made.
        what_can_be_repeated = Retry(
            total=3,
            redirect=0,
            allowed_methods={"GET", "PATCH"},
            status_forcelist={429, 502, 503, 504},
            backoff_factor=backoff_seconds,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=what_can_be_repeated))

    def endpoints(self) -> list[dict[str, Any]]:
        return _list_in(self._send("GET", "/v2/serverless"), "endpoints")

    def endpoint(self, endpoint_id: str) -> dict[str, Any]:
        return self._send("GET", f"/v2/serverless/{quote(endpoint_id, safe='')}")

    def templates(self) -> list[dict[str, Any]]:
        return _list_in(self._send("GET", "/v2/templates"), "templates")

    def gpus_in_stock(self) -> list[dict[str, Any]]:
        """Return the types of GPU that serverless endpoints may have, each with its `availability`."""
        return _list_in(
            self._send("GET", "/v2/catalog/gpus?include=AVAILABILITY&product=SERVERLESS"), "gpus"
        )

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request of a plan, and return the endpoint or template as it is then."""
        return self._send(method, path, body)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method,
                self._url + path,
                json=body,
                headers={"Authorization": f"Bearer {self._key}"},
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            again = (
                "" if method == "GET" else "; run it again, it compares first and repeats nothing"
            )
            raise ManagementError(
                f"{self._url} did not answer {method} {path} ({type(exc).__name__}){again}"
            ) from None
        if answer.status_code not in {200, 201}:
            raise ManagementError(
                f"{method} {path}: {self._refusal(answer)}", status=answer.status_code
            )
        held = _object_in(answer)
        if held is None:
            raise ManagementError(f"{method} {path}: RunPod's answer is no JSON object")
        return held

    def _refusal(self, answer: requests.Response) -> str:
        code = answer.status_code
        words = _words_of(_object_in(answer) or {}).replace(self._key, "***")
        meaning = _REFUSED.get(code, f"RunPod answered {code}")
        return f"{meaning} ({code}: {words})" if words else f"{meaning} ({code})"


def _object_in(answer: requests.Response) -> dict[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _list_in(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    held = body.get(name)
    if not isinstance(held, list):
        raise ManagementError(f"RunPod's answer has no list of {name}")
    return [each for each in held if isinstance(each, dict)]


def _words_of(problem: Mapping[str, Any]) -> str:
    """What RunPod said, by RFC 9457: its title, its detail, and each field that it did not take."""
    told = [str(problem[name]) for name in ("title", "detail") if problem.get(name)]
    listed = problem.get("errors")
    if isinstance(listed, list):
        told += [str(each) for each in listed]
    return "; ".join(told)[:_LONGEST_DETAIL]
