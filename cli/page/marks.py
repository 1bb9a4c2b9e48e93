"""Where a check's finding stands: figures that were not said, turns that nothing rests on. Pure.

The facts count these and name few of their places, so that no words of a transcript are in them. They
are found again here, from the summary and its turns, for a person who looks at both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.operating.exports.linked import ShownPart
from core.summaries.facts import Outcome
from core.summaries.passages import Passages
from core.summaries.reporting import unsaid_numbers
from local.outcome import named

_CITED_TIME = re.compile(
    r"\s*\[\d\d+:\d\d:\d\d\]\s*$"
)  # as core/summaries/document.py ends a part with
_STRETCH = re.compile(r"\b(\d+)-(\d+)\b")

# What each check is about; how it ended is told beside it.
_TITLES: Mapping[str, str] = {
    "quote": "Quotes",
    "quote-speaker": "Who said it",
    "number": "Figures",
    "coverage": "Coverage",
    "length": "Length",
    "short-section": "Sections",
    "turn-number": "Sources",
    "source": "Sources",
    "outline": "Outline",
    "ledger": "Lists",
    "overview": "Overview",
    "missing-topic": "Topics",
    "other-language": "Language",
}
_QUIET = frozenset({Outcome.PASSED, Outcome.NOT_APPLICABLE})


def check_fields(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks as a reader wants them: the worst first, each in words."""
    order = [Outcome.DOUBT, Outcome.NOTED, Outcome.MENDED, Outcome.PASSED, Outcome.NOT_APPLICABLE]
    held = [check for check in checks if check.get("outcome") in set(order) and check.get("code")]
    return [
        {
            "code": check["code"],
            "title": _TITLES.get(check["code"], str(check["code"]).replace("-", " ").capitalize()),
            "outcome": str(check["outcome"]),
            "words": _in_words(check),
        }
        for check in sorted(held, key=lambda check: order.index(Outcome(check["outcome"])))
    ]


def _in_words(check: Mapping[str, Any]) -> str:
    detail = str(check.get("detail") or "")
    if check["outcome"] in _QUIET:
        return detail
    told = "" if check["code"] == "quote" else named(check)
    return "; ".join(each for each in (told, detail) if each)


def unsaid_figures(
    parts: Sequence[ShownPart], passages: Passages | None, checks: Sequence[Mapping[str, Any]]
) -> dict[int, list[str]]:
    """Return, by a part's number, its figures that its turns don't hold, where the check noted any."""
    if passages is None or _outcome(checks, "number") != Outcome.NOTED:
        return {}
    said: dict[int, set[str]] = {}
    found = {}
    for shown in parts:
        if shown.part.kind == "paragraph":
            turns = [turn for turn in shown.part.turns if 1 <= turn <= passages.last]
            text = _CITED_TIME.sub("", shown.part.text)
            unsaid = unsaid_numbers(text, turns, passages, said)
            if unsaid:
                found[shown.number] = sorted(unsaid)
    return found


def untold_stretches(checks: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return the stretches of turns, first and last, that the check of coverage names."""
    return list(_stretches(checks))


def _stretches(checks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    for check in checks:
        if check.get("code") == "coverage" and check.get("outcome") == Outcome.NOTED:
            for first, last in _STRETCH.findall(str(check.get("detail", ""))):
                yield int(first), int(last)


def _outcome(checks: Sequence[Mapping[str, Any]], code: str) -> str:
    return next((str(each.get("outcome")) for each in checks if each.get("code") == code), "")
