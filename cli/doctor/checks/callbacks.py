"""The webhook URL, as RunPod finds it: what can be known from here."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from cli.doctor.readings import Readings
from cli.doctor.registry import Trouble, check, doubtful, wrong

_AWS_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_PATH = "/webhook"
_REDIRECTS = range(300, 400)
_RIGHT = frozenset({400, 401})  # the receiver's own words for a token that can't be right
_DEPLOY = (
    "deploy again, which sets WEBHOOK_URL; a domain of your own must pass requests on unchanged"
)


@check("webhook-url")
def webhook_url(readings: Readings) -> Iterator[Trouble]:
    url = readings.environment.get("WEBHOOK_URL", "")
    stated = readings.stack.outputs.get("WebhookUrl", "")
    parts = urlsplit(url)
    own = _AWS_HOST.fullmatch(parts.hostname or "")
    if url == stated and not own:
        return
    if own and own[2] != readings.stack.region:
        yield wrong(
            f"callbacks are sent to Region {own[2]} and the stack is in {readings.stack.region}",
            _DEPLOY,
        )
    elif own and own[1] != readings.stack.resources.get("HttpApi", own[1]):
        yield wrong(f"callbacks are sent to the API {own[1]}, which is not the stack's", _DEPLOY)
    elif own and parts.path.rstrip("/") != _PATH:
        yield wrong(
            f"callbacks are sent to the path {parts.path}: the API has no such stage, only {_PATH}",
            _DEPLOY,
        )
    elif not own and url != stated:
        yield wrong(
            f"callbacks are sent to {parts.netloc}{parts.path}, and the stack's URL is {stated}",
            _DEPLOY,
        )


@check("webhook-public")
def webhook_public(readings: Readings) -> Iterator[Trouble]:
    parts = urlsplit(readings.environment.get("WEBHOOK_URL", ""))
    is_simulated = _is_private(urlsplit(readings.runpod_url))
    if _is_private(parts) and not is_simulated:
        yield wrong(
            f"callbacks are sent to {parts.hostname}, which RunPod can't reach: every summary waits for the"
            " sweep",
            "the URL must be public: deploy to AWS, or put a public address before it",
        )


@check("webhook-answers")
def webhook_answers(readings: Readings) -> Iterator[Trouble]:
    answer = readings.webhook
    url = readings.environment.get("WEBHOOK_URL", "")
    if answer.status in _RIGHT:
        if not answer.is_from_receiver:
            yield wrong(
                f"{url} answered {answer.status}, but not in the receiver's words: something before it"
                " wants authorisation, which RunPod has none for",
                "remove the authoriser from the API's route, or whatever stands before it",
            )
        return
    if not answer.status:
        yield wrong(
            f"{url} can't be reached from here: {answer.problem}",
            "is the API there? From a network that blocks it this says nothing: try elsewhere",
        )
    elif answer.status in _REDIRECTS:
        yield wrong(
            f"{url} answers {answer.status}, a redirect: a POST becomes a GET without a body, and the"
            " callback is lost",
            "let callbacks go to the URL that it leads to",
        )
    elif answer.status == 404:  # noqa: PLR2004
        yield wrong(
            f"{url} answers 404: the API has no such route or stage, or is another one", _DEPLOY
        )
    elif answer.status == 429:  # noqa: PLR2004
        yield doubtful(
            f"{url} answers 429: the API takes no more callbacks at the moment; the sweeper fetches those",
            "if that is often so, raise CallbackRatePerSecond and CallbackBurstRequests",
        )
    elif answer.status >= 500:  # noqa: PLR2004
        yield wrong(
            f"{url} answers {answer.status} to a callback: the receiver can't run, or may not be started"
            " by the API",
            "see its log (`logs`), and whether it is throttled; deploy again sets its permission",
        )
    else:
        yield wrong(
            f"{url} answers {answer.status} to a callback with a wrong token, and should 401",
            "something stands before the receiver (a firewall, another service): let POST through",
        )


def _is_private(url: SplitResult) -> bool:
    host = url.hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
