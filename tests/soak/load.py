"""The files that a soak uploads, in order, and how each must end."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, repeat

from tests.soak.transcripts import meeting

MOST_BYTES = 300_000  # the deployment's MaxTranscriptBytes

_LONG_SHARE = 0.08  # more than one call can read
_BAD_SHARE = 0.08
_REPLACED_SHARE = 0.06  # of the uploads; as many again are what replaces them
_SHORT_WORDS = (40, 1_500)
_LONG_WORDS = (9_000, 15_000)

_NAMES = (
    "{n}.txt",
    "minutes/{n}.txt",
    "Sitzung am Hafen {n}.txt",
    "réunion/été {n}.md",
    "議事録/{n}.txt",
    "100% a+b & c={n}.txt",
    "%20 not a space {n}.txt",
    "a#b?c;d'e(f)!{n}*.txt",
)


_Make = Callable[[int, random.Random], "Planned"]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One file to upload."""

    key: str
    body: bytes
    fails_as: str = ""  # the reason's code that its job must fail with; "": it must be summarised
    is_replaced: bool = False  # a newer version of the same key follows


def planned_load(uploads: int, seed: int) -> list[Planned]:
    """Return so many uploads, at least one of each kind from six on; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - the same load each time
    long, bad, replaced = (
        max(1, round(uploads * share)) for share in (_LONG_SHARE, _BAD_SHARE, _REPLACED_SHARE)
    )
    kinds: list[_Make] = [
        *repeat(_long, long),
        *(partial(_bad, *each) for each in islice(cycle(_BAD), bad)),
        *repeat(_short, uploads - long - bad - replaced),
    ]
    dice.shuffle(kinds)
    load = [make(number, dice) for number, make in enumerate(kinds)]
    good = [number for number, each in enumerate(load) if not each.fails_as]
    for number in sorted(dice.sample(good, min(replaced, len(good))), reverse=True):
        first = load[number]
        load[number] = Planned(key=first.key, body=first.body, is_replaced=True)
        newer = Planned(key=first.key, body=_text(dice, _SHORT_WORDS))
        load.insert(min(number + dice.choice((1, 1, 2, 10)), len(load)), newer)
    return load


def _short(number: int, dice: random.Random) -> Planned:
    return Planned(key=_key(number, dice), body=_text(dice, _SHORT_WORDS))


def _long(number: int, dice: random.Random) -> Planned:
    return Planned(key=_key(number, dice), body=_text(dice, _LONG_WORDS))


def _bad(
    name: str,
    make_body: Callable[[random.Random], bytes],
    code: str,
    number: int,
    dice: random.Random,
) -> Planned:
    return Planned(key=f"bad/{number}/{name}", body=make_body(dice), fails_as=code)


def _key(number: int, dice: random.Random) -> str:
    return dice.choice(_NAMES).format(n=number)


def _text(dice: random.Random, words: tuple[int, int]) -> bytes:
    return meeting(dice, dice.randint(*words)).encode()


# In the order in which a soak that is too short for all of them takes them.
_BAD: tuple[tuple[str, Callable[[random.Random], bytes], str], ...] = (
    ("too-large.txt", lambda dice: meeting(dice, MOST_BYTES // 4).encode(), "too-large"),
    ("empty.txt", lambda _: b"", "empty"),
    ("blank.md", lambda _: b" \n\t\n ", "empty"),
    ("binary.txt", lambda dice: b"\x89PNG\0" + dice.randbytes(4_000), "not-text"),
    ("no-transcript.json", lambda _: b'{"temperature": [3, 4]}', "unknown-format"),
    ("summary-words=plenty/choice.txt", lambda dice: _text(dice, (50, 90)), "bad-option"),
)
