"""How the checks of a summary ended, in two lines for a person, from the facts beside it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.summaries.facts import Outcome

# What each check has found, for a person; with how often. The others are named by their codes.
_FOUND = {
    "refusal": "{} refused answers",
    "loop": "{} answers in a loop",
    "prompt-repeated": "{} answers that gave the prompt back",
    "transcript-repeated": "{} answers that gave the transcript back",
    "other-language": "{} answers in another language",
    "empty-structure": "{} empty answers",
    "cut-off": "{} answers cut off",
    "no-answer": "{} calls without an answer",
    "quote-speaker": "{} quotes given to the right speaker",
    "turn-number": "{} wrong turn numbers",
    "number": "{} figures not said in their turns",
    "length": "a length far from what was asked for",
    "short-section": "{} short sections",
    "source": "{} paragraphs without sources",
    "outline": "an outline made by code",
    "ledger": "{} lists that could not be read",
    "overview": "an overview made by code",
    "coverage": "{} long stretches that nothing rests on",
    "quote": "most of its quotes, which nobody said",  # where it is in doubt
}
_TOLD_BEFORE = {"missing-topic"}


def outcome_lines(writing: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was verified and how long the summary is; and what was found, mended or is in doubt."""
    checks = {check["code"]: check for check in writing.get("checks", ())}
    verified, dropped = writing.get("quotes_verified", 0), writing.get("quotes_dropped", 0)
    quotes = f"{_counted(verified, 'quote')} verified, {dropped:,} dropped"
    covers = checks.get("missing-topic", {}).get("outcome") == Outcome.PASSED
    coverage = "every turn covered" if covers else "written in one answer"
    words = f"{writing.get('words', 0):,} words"
    found = [
        _list(label, [check for check in checks.values() if _is_to_be_told(check, outcome)])
        for outcome, label in (
            (Outcome.DOUBT, "In doubt"),
            (Outcome.MENDED, "Mended"),
            (Outcome.NOTED, "Worth a look"),
        )
    ]
    again = sum(count - 1 for count in writing.get("tries", {}).values())
    found.append(f"Asked again: {_counted(again, 'answer')}" if again else "")
    told = ". ".join(part for part in found if part)
    return f"{quotes}; {coverage}; {words}", f"{told or 'Nothing to mend, nothing in doubt'}."


def _list(label: str, checks: Iterable[Mapping[str, Any]]) -> str:
    found = [named(check) for check in checks]
    return f"{label}: {', '.join(found)}" if found else ""


def _is_to_be_told(check: Mapping[str, Any], outcome: Outcome) -> bool:
    """Is it for this line? Quotes are counted in the line before, and doubts about them are not."""
    is_counted_before = check["code"] == "quote" and outcome is not Outcome.DOUBT
    is_told_before = is_counted_before or check["code"] in _TOLD_BEFORE
    return check["outcome"] == outcome and not is_told_before


def named(check: Mapping[str, Any]) -> str:
    """Say what a check has found, with how often."""
    code, count = str(check["code"]), check.get("count", 0)
    words = _FOUND.get(code, code)
    if "{}" not in words:
        return words
    noun = words.removeprefix("{} ")
    return f"1 {_in_singular(noun)}" if count == 1 else f"{count:,} {noun}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _in_singular(nouns: str) -> str:
    """Return `answer cut off` for `answers cut off`: the first plural is the one that is counted."""
    words = nouns.split(" ")
    at = next(at for at, word in enumerate(words) if word.endswith("s"))
    return " ".join([*words[:at], words[at].removesuffix("s"), *words[at + 1 :]])
