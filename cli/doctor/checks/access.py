"""The key, the callback secret, and whether RunPod takes the key."""

from collections.abc import Iterator

from cli.doctor.readings import Readings
from cli.doctor.registry import Trouble, check, doubtful, wrong

_REFUSED = frozenset({401, 403})
_NOT_FOUND, _FINE, _BUSY = 404, 200, 429


@check("runpod-key")
def runpod_key(readings: Readings) -> Iterator[Trouble]:
    name = readings.environment.get("RUNPOD_API_KEY_SECRET", "")
    if readings.key_secret:
        yield wrong(
            f"secret {name} {readings.key_secret}: every upload fails before RunPod is asked",
            f"put the key there: `secret`, or `aws secretsmanager put-secret-value --secret-id {name}"
            " --secret-string file://key.txt`",
        )


@check("callback-secret")
def callback_secret(readings: Readings) -> Iterator[Trouble]:
    if readings.callback_secret:
        yield wrong(
            f"the callback secret can't be used: {readings.callback_secret}",
            "rotate it, which writes a good value: `secret`",
        )


@check("key-refused")
def key_refused(readings: Readings) -> Iterator[Trouble]:
    if readings.health.status in _REFUSED:
        yield wrong(
            f"RunPod refuses the key for endpoint {readings.endpoint_id} ({readings.health.status})",
            "in RunPod's console (Settings, API keys): is it there, enabled, and allowed to use this"
            " endpoint? Then store it with `secret`",
        )


@check("endpoint-known")
def endpoint_known(readings: Readings) -> Iterator[Trouble]:
    if readings.health.status == _NOT_FOUND:
        yield wrong(
            f"RunPod knows no endpoint {readings.endpoint_id}: it was deleted, or the id is mistyped",
            "copy the id from RunPod's console, or make one with `endpoint apply`; then deploy again with"
            " RunpodApiEndpoint",
        )


@check("endpoint-answers")
def endpoint_answers(readings: Readings) -> Iterator[Trouble]:
    health = readings.health
    if health.status == _BUSY:
        yield doubtful("RunPod answered 429: too many requests at the moment", "look again later")
    elif health.status not in {_FINE, _NOT_FOUND, *_REFUSED}:
        seen = f"answered {health.status}" if health.status else health.problem
        yield wrong(
            f"{readings.runpod_url}/health {seen}",
            "is RunpodApiEndpoint right? If so, see RunPod's status page; jobs wait, and go on by"
            " themselves",
        )


@check("key-restricted")
def key_restricted(readings: Readings) -> Iterator[Trouble]:
    if not readings.is_key_restricted:
        yield doubtful(
            "the stack's RunPod key may manage the whole account: whoever gets it can delete endpoints"
            " and spend without limit",
            "make a key in RunPod's console that is Restricted to this endpoint, and store it with"
            " `secret`",
        )
