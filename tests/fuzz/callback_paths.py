"""Paths of callback URLs: genuine ones, and what a stranger or a broken sender would try instead.

Each returns the event's `pathParameters`. No other may be let in; checks.py judges for itself which
those are.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from core.jobs.callback import CallRef
from tests.fuzz.receiver import PREVIOUS, REMOVED, ReceiverHarness

Parameters = dict[str, Any] | None
PathMaker = Callable[[Random, ReceiverHarness, CallRef], Parameters]

BASE64_URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _true(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    return harness.path_to(ref)


def _previous(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    return harness.path_to(ref, PREVIOUS)


def _removed(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    true = harness.path_to(ref)
    elsewhere = ReceiverHarness()
    return {**true, "token": elsewhere.path_to(ref, REMOVED)["token"]}


def _of_a_later_attempt(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    """Mint a token, with the live secret, of an attempt that was never begun."""
    return harness.path_to(CallRef(ref.job_id, ref.call_id, ref.attempt + rng.randint(4, 90)))


def _of_no_job(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    job_id = f"{rng.getrandbits(128):032x}"
    return harness.path_to(CallRef(rng.choice([job_id, ref.job_id]), "9-99", ref.attempt))


def _swapped(part: str) -> PathMaker:
    """Combine one attempt's token with another's path."""

    def make_path(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
        path = dict(harness.path_to(ref))
        others = {
            "job_id": f"{rng.getrandbits(128):032x}",
            "call_id": rng.choice(["1-0", "whole", "2-1", "1-1"]),
            "attempt": str(rng.choice([1, 2, 3, 4])),
            "token": harness.path_to(rng.choice(harness.refs))["token"],
        }
        if part == "job_id":
            others["job_id"] = rng.choice(harness.refs).job_id
        return path | {part: others[part]}

    return make_path


def _token(change: Callable[[Random, str], Any]) -> PathMaker:
    def make_path(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
        path: dict[str, Any] = dict(harness.path_to(ref))
        return path | {"token": change(rng, path["token"])}

    return make_path


def _with(part: str, change: Callable[[Random, str], Any]) -> PathMaker:
    def make_path(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
        path: dict[str, Any] = dict(harness.path_to(ref))
        return path | {part: change(rng, path[part])}

    return make_path


def _without(*parts: str) -> PathMaker:
    def make_path(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
        return {name: value for name, value in harness.path_to(ref).items() if name not in parts}

    return make_path


def _renamed(rng: Random, harness: ReceiverHarness, ref: CallRef) -> Parameters:
    path = harness.path_to(ref)
    name = rng.choice(list(path))
    return {(key.upper() if key == name else key): value for key, value in path.items()}


def _one_changed(rng: Random, token: str) -> str:
    at = rng.randrange(len(token))
    other = rng.choice([letter for letter in BASE64_URL if letter != token[at]])
    return token[:at] + other + token[at + 1 :]


def _last_bits_changed(rng: Random, token: str) -> str:
    """Change the two bits that a decoder of base64 would drop: another token, the same bytes."""
    index = BASE64_URL.index(token[-1])
    return token[:-1] + BASE64_URL[index ^ rng.randint(1, 3)]


def _case_flipped(rng: Random, token: str) -> str:
    at = rng.choice([index for index, letter in enumerate(token) if letter.isalpha()])
    return token[:at] + token[at].swapcase() + token[at + 1 :]


def _outside_ascii(rng: Random, token: str) -> str:
    at = rng.randrange(len(token) + 1)
    return token[:at] + rng.choice(["é", "ｅ", "😀", "\u200b", "а"]) + token[at + 1 :]


GENUINE_PATHS: dict[str, PathMaker] = {
    "path: true": _true,
    "path: true, made with the previous secret": _previous,
}
CALLBACK_PATHS: dict[str, PathMaker] = GENUINE_PATHS | {
    "path: no path parameters": lambda rng, harness, ref: rng.choice([None, {}]),
    "path: part missing": lambda rng, harness, ref: _without(
        rng.choice(list(harness.path_to(ref)))
    )(rng, harness, ref),
    "path: part under another name": _renamed,
    "path: part too much": lambda rng, harness, ref: {**harness.path_to(ref), "proxy": "x/../y"},
    "path: attempt that was never begun": _of_a_later_attempt,
    "path: no such job or call": _of_no_job,
    "token: missing": _without("token"),
    "token: none": _token(lambda rng, token: None),
    "token: empty": _token(lambda rng, token: ""),
    "token: of another kind": _token(
        lambda rng, token: rng.choice([1, 0, True, [], {}, [token], {"token": token}, 1.5, b"x"])
    ),
    "token: bytes": _token(lambda rng, token: token.encode()),
    "token: one short": _token(lambda rng, token: rng.choice([token[:-1], token[1:]])),
    "token: cut short": _token(lambda rng, token: token[: rng.randrange(1, 42)]),
    "token: one character changed": _token(_one_changed),
    "token: bits changed that decoding drops": _token(_last_bits_changed),
    "token: case flipped": _token(_case_flipped),
    "token: all upper or lower": _token(lambda rng, t: rng.choice([t.upper(), t.lower()])),
    "token: padded": _token(lambda rng, token: token + "=" * rng.randint(1, 4)),
    "token: other alphabet of base64": _token(
        lambda rng, token: token.replace("-", "+").replace("_", "/") + "="
    ),
    "token: white space around": _token(
        lambda rng, token: rng.choice([" " + token, token + "\n", token + "\t", "\ufeff" + token])
    ),
    "token: doubled": _token(lambda rng, token: token + rng.choice(["", "/", ","]) + token),
    "token: percent-encoded": _token(
        lambda rng, token: "".join(f"%{ord(letter):02X}" for letter in token)
    ),
    "token: outside ASCII": _token(_outside_ascii),
    "token: half a character": _token(lambda rng, token: token[:-1] + "\ud800"),
    "token: with NUL": _token(lambda rng, token: rng.choice([token + "\0", "\0" + token, "\0"])),
    "token: very long": _token(lambda rng, token: token * rng.choice([100, 20_000])),
    "token: random": _token(lambda rng, token: "".join(rng.choices(BASE64_URL, k=43))),
    "token: made with a removed secret": _removed,
    "token: another request's": _swapped("token"),
    "token: another job's": _swapped("job_id"),
    "token: another call's": _swapped("call_id"),
    "token: another attempt's": _swapped("attempt"),
    "ids: upper case": _with("job_id", lambda rng, job_id: job_id.upper()),
    "ids: white space": _with(
        "job_id", lambda rng, job_id: rng.choice([job_id + "\n", " " + job_id, job_id + " "])
    ),
    "ids: traversal": _with(
        "call_id",
        lambda rng, call_id: rng.choice(
            ["../whole", "..", "whole/../whole", "./whole", "%2e%2e", "..\\whole", "whole/"]
        ),
    ),
    "ids: store's own words": _with(
        "call_id", lambda rng, call_id: rng.choice(["job", "call#whole", "#", "*", "", "WHOLE"])
    ),
    "ids: other digits": _with(
        "attempt", lambda rng, attempt: rng.choice(["١", "１", "²", "Ⅰ", "1\u0301", "𝟏", "१"])
    ),
    "ids: leading zeros": _with("attempt", lambda rng, attempt: "0" * rng.randint(1, 9) + attempt),
    "ids: signs and spaces": _with(
        "attempt",
        lambda rng, attempt: rng.choice(
            ["-" + attempt, "+" + attempt, " " + attempt, attempt + "\n", attempt + "_0", "0"]
        ),
    ),
    "ids: huge": _with("attempt", lambda rng, attempt: attempt + "0" * rng.choice([4, 20, 5_000])),
    "ids: not whole": _with(
        "attempt",
        lambda rng, attempt: rng.choice([f"{attempt}.0", f"{attempt}e0", "0x1", "NaN", "inf"]),
    ),
    "ids: of another kind": lambda rng, harness, ref: {
        **harness.path_to(ref),
        rng.choice(["job_id", "call_id", "attempt"]): rng.choice([1, None, True, [], {}, 1.0]),
    },
    "ids: very long": lambda rng, harness, ref: {
        **harness.path_to(ref),
        rng.choice(["job_id", "call_id"]): "a" * rng.choice([33, 41, 100_000]),
    },
}
