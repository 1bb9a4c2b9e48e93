"""What fetching, asking and delivering share. Exceptions of requests name the URL, so none gets out."""

import random
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

USER_AGENT = "transcript-summaries-worker/0.1"
CONNECT_SECONDS = 10
MOST_TRIES = 3

Sleep = Callable[[float], None]


def new_session() -> requests.Session:
    """Return a session that takes nothing from the machine: no proxies, no .netrc."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = USER_AGENT
    return session


def pause(tries: int, *, sleep: Sleep = time.sleep) -> None:
    """Wait before the next try: about a second, then two, then four ..."""
    sleep(2.0 ** (tries - 1) * random.uniform(0.75, 1.25))  # noqa: S311 (nobody gains by guessing)


def may_be_called(url: str) -> bool:
    """Is this https, or http to the machine itself?"""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_local(host)))


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
