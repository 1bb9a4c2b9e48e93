"""Callbacks as API Gateway would hand them over, each a little or very much unlike RunPod's own.

Only a `random.Random` decides, so a seed makes the same requests again and Hypothesis can shrink them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from core.jobs.callback import CallRef
from tests.fuzz.bodies import BODIES, GENUINE_BODIES, HEAVY_BODIES, Posted
from tests.fuzz.callback_paths import CALLBACK_PATHS, GENUINE_PATHS, Parameters
from tests.fuzz.receiver import CANARY, ReceiverHarness

_EVENTS = Path(__file__).parents[2] / "events"
Envelope = Callable[[Random, dict[str, Any]], dict[str, Any]]

_GENUINE_SHARE = 0.15
_HEAVY_SHARE = 0.008
# Of the rest: one thing is wrong, so that it is reached; else anything may be.
_ONE_THING_WRONG = {"path_kind": 0.35, "body": 0.8, "envelope": 0.9}


@dataclass(frozen=True)
class CallbackRequest:
    kinds: tuple[str, ...]  # which deviations it is made of
    event: dict[str, Any]
    ref: CallRef  # which attempt it was made from
    text: str = ""  # what the summary must be, where it brings a genuine one
    is_genuine: bool = False


def _as_posted(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    return event


def _method(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    method = rng.choice(["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "post", CANARY, ""])
    event["requestContext"]["http"]["method"] = method
    event["routeKey"] = rng.choice([f"{method} /webhook", "$default", None])
    return event


def _paths(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    path = rng.choice(["/", "//", "/webhook", "/../webhook", f"/{CANARY}", "", None, "%00", "/\n"])
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["rawQueryString"] = rng.choice([f"token={CANARY}", "a=b&a=c", "%", ""])
    event["queryStringParameters"] = rng.choice([{"token": CANARY, "job_id": "x"}, None, {}])
    return event


def _headers(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    event["headers"] = rng.choice(
        [
            None,
            {},
            {"content-type": rng.choice(["text/html", "", "application/xml; charset=utf-16", CANARY])},
            {"content-encoding": "gzip", "content-length": "-1", "transfer-encoding": "chunked"},
            {"authorization": f"Bearer {CANARY}", "x-forwarded-for": CANARY, "cookie": CANARY},
            {"\u0000": "\ud800", "é": "\n\n", "x" * 5_000: "y" * 5_000},
            {"host": None, "user-agent": 1},
        ]
    )  # fmt: skip
    event["cookies"] = rng.choice([None, [], [CANARY]])
    return event


def _keys_missing(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    spared = {"pathParameters", "body", "isBase64Encoded"}
    gone = rng.sample(sorted(event.keys() - spared), rng.randint(1, 6))
    return {name: value for name, value in event.items() if name not in gone}


def _keys_too_many(rng: Random, event: dict[str, Any]) -> dict[str, Any]:
    strange = {
        "multiValueHeaders": {"x": [CANARY]},
        "stageVariables": None,
        "authorizer": {"claims": CANARY},
        "Records": [{"body": CANARY}],
        "job_id": CANARY,
        "token": CANARY,
        "": None,
    }
    return event | dict(rng.sample(sorted(strange.items(), key=str), rng.randint(1, 4)))


ENVELOPES: dict[str, Envelope] = {
    "envelope: as posted": _as_posted,
    "envelope: method": _method,
    "envelope: paths": _paths,
    "envelope: headers": _headers,
    "envelope: keys missing": _keys_missing,
    "envelope: keys too many": _keys_too_many,
}
REPEATED = "request: sent before"
KINDS = frozenset({*CALLBACK_PATHS, *BODIES, *HEAVY_BODIES, *ENVELOPES, REPEATED})


def a_request(rng: Random, harness: ReceiverHarness) -> CallbackRequest:
    """Return one request about one of the attempts that the harness knows."""
    ref = rng.choice(harness.refs)
    if rng.random() < _GENUINE_SHARE:
        path_kind, body, envelope = (
            _any(rng, GENUINE_PATHS),
            _any(rng, GENUINE_BODIES),
            "envelope: as posted",
        )
    else:
        path_kind, body, envelope = _deviating(rng)
    path = CALLBACK_PATHS[path_kind](rng, harness, ref)
    posted = (BODIES | HEAVY_BODIES)[body](rng, harness, ref)
    event = ENVELOPES[envelope](rng, _event(path, posted))
    return CallbackRequest(
        kinds=(path_kind, body, envelope),
        event=event,
        ref=ref,
        text=posted.text,
        is_genuine=path_kind in GENUINE_PATHS and body in GENUINE_BODIES,
    )


def _deviating(rng: Random) -> tuple[str, str, str]:
    if rng.random() < _HEAVY_SHARE:
        return _any(rng, GENUINE_PATHS), _any(rng, HEAVY_BODIES), "envelope: as posted"
    what = rng.random()
    if what < _ONE_THING_WRONG["path_kind"]:
        return _any(rng, CALLBACK_PATHS), _any(rng, GENUINE_BODIES), "envelope: as posted"
    if what < _ONE_THING_WRONG["body"]:
        return _any(rng, GENUINE_PATHS), _any(rng, BODIES), "envelope: as posted"
    if what < _ONE_THING_WRONG["envelope"]:
        return _any(rng, GENUINE_PATHS), _any(rng, GENUINE_BODIES), _any(rng, ENVELOPES)
    return _any(rng, CALLBACK_PATHS), _any(rng, BODIES), _any(rng, ENVELOPES)


def _any(rng: Random, kinds: dict[str, Any]) -> str:
    return rng.choice(list(kinds))


def _event(path: Parameters, posted: Posted) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_sample())
    if path is None:
        del event["pathParameters"]
    else:
        event["pathParameters"] = path
        url = "/webhook/" + "/".join(str(part)[:200] for part in path.values())
        event["rawPath"] = event["requestContext"]["http"]["path"] = url
    if posted.body is None:
        del event["body"]  # as API Gateway has it for a request without one
    else:
        event["body"] = posted.body
    event["isBase64Encoded"] = posted.is_base64
    return event


@cache
def _sample() -> str:
    event = json.loads((_EVENTS / "webhook-completed.json").read_text(encoding="utf-8"))
    event["headers"]["x-canary"] = CANARY
    return json.dumps(event)
