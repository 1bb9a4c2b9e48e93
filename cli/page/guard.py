"""Who may ask: the page itself, opened by whoever ran the command, and nobody else. Pure.

The server listens on loopback alone, which other users of this machine and any page in the browser
reach as well. So each request must name this machine as its host (a name that somebody lets point here
is refused), must not come from another page, and, for all but the page's own files, must carry the
token of this run. The token is in the fragment of the address that the command prints, which no browser
sends anywhere.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

TOKEN_HEADER = "X-Page-Token"  # noqa: S105 - its name
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_OWN_SITES = frozenset(
    {"", "same-origin", "none"}
)  # of Sec-Fetch-Site; none is a person's own doing

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Guard:
    token: str = field(repr=False)

    def refusal(self, headers: Headers | Mapping[str, str], *, needs_token: bool) -> Refusal | None:
        """Return why a request is not answered; None where it is."""
        host = headers.get("Host", "")
        if _hostname(host) not in _LOOPBACK:
            return Refusal(421, "foreign-host", "this page is for this machine: open 127.0.0.1")
        origin = headers.get("Origin", "")
        if origin and origin != f"http://{host}":
            return Refusal(403, "foreign-origin", "another page asked, and only this one may")
        # A link to the page itself may be followed from anywhere: without the token nothing is in it.
        is_link = not needs_token and headers.get("Sec-Fetch-Mode", "") == "navigate"
        if headers.get("Sec-Fetch-Site", "") not in _OWN_SITES and not is_link:
            return Refusal(403, "foreign-origin", "another page asked, and only this one may")
        if needs_token and not self._is_known(headers.get(TOKEN_HEADER, "")):
            return Refusal(
                401,
                "wrong-token",
                "this page is of another run: open the address that the command printed, with all"
                " that follows its #",
            )
        return None

    def _is_known(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
