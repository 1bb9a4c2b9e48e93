"""The bad habits of models, each as what becomes of a sound answer.

A habit is given an ask and the sound answer, and returns what the model writes instead, or None where it
writes the sound one.
"""

import json
import random
import re
from collections.abc import Callable, Mapping

from core.summaries.asks import Ask, AskKind
from core.summaries.spoken import row

REFUSAL = "I'm sorry, but I can't help with summarizing this conversation."
GERMAN = (
    "Im Hafen wurde lange darüber gesprochen, wie die Fähre im Winter fahren soll, und ob die Mannschaft"
    " genug Leute hat, um alle Fahrten zu schaffen. Niemand wollte auf die frühe Fahrt verzichten, weil"
    " die Schüler sonst zu spät kommen, aber die Kosten sind hoch und der Rat hat kein Geld mehr dafür."
    " Am Ende blieb offen, wer die Verhandlungen führen wird und bis wann man antworten soll. [1]"
)
LOOP = "They said that the ferry is late again and nobody knows why it is."
INVENTED = "We shall never surrender this harbour to the bankers of the capital"
_FIGURE = 4_711
_PROSE = (AskKind.SECTION, AskKind.OVERVIEW, AskKind.SINGLE, AskKind.NOTES)
_NOUNS = row("walrus teapot glacier violin pepper lantern saddle orchard compass velvet")

Habit = Callable[[Ask, str], str | None]


def refusing(ask: Ask, text: str) -> str:
    return REFUSAL


def looping(ask: Ask, text: str) -> str:
    return f"{LOOP} " * 40


def repeating_the_prompt(ask: Ask, text: str) -> str:
    return ask.instructions


def speaking_german(ask: Ask, text: str) -> str | None:
    return GERMAN if ask.kind in _PROSE else None


def thinking_only(ask: Ask, text: str) -> str:
    return f"<think>{text}"


def thinking_first(ask: Ask, text: str) -> str:
    return f"<think>The user wants {text[:200]}</think>\n{text}"


def headings_only(ask: Ask, text: str) -> str | None:
    empty = "# Summary\n\n## Overview\n\n## Topics\n\n## Decisions\n"
    return empty if ask.kind in _PROSE else None


def silent(ask: Ask, text: str) -> str:
    return ""


def fencing(ask: Ask, text: str) -> str:
    return f"```\n{text}\n```"


def chatting(ask: Ask, text: str) -> str:
    return f"Sure! Here is what you asked for:\n\n{text}\n\nLet me know if you need anything else!"


def own_headings(ask: Ask, text: str) -> str | None:
    return f"**1. Zusammenfassung:**\n\n{text}" if ask.kind is AskKind.SECTION else None


def breaking_json(ask: Ask, text: str) -> str | None:
    return text[:9] if ask.response_format else None


def cutting_json(ask: Ask, text: str) -> str | None:
    return text[: len(text) * 2 // 3] if ask.response_format else None


def altering_quotes(ask: Ask, text: str) -> str | None:
    """Put another noun into each quote; quote in prose what nobody said."""
    rng = random.Random(ask.name)  # noqa: S311 - the same each time, on purpose
    if ask.kind is AskKind.LEDGER:
        fields = json.loads(text)
        for quote in fields.get("quotes", []):
            words = quote["words"].split()
            words[len(words) // 2] = rng.choice(_NOUNS)
            quote["words"] = " ".join(words)
        return json.dumps(fields)
    return f"{text}\n\nThen it was said: “{INVENTED}.” [1]" if ask.kind in _PROSE else None


def altering_figures(ask: Ask, text: str) -> str | None:
    return text.replace(" said ", f" said {_FIGURE} ") if ask.kind in _PROSE else None


def inventing_turns(ask: Ask, text: str) -> str | None:
    return re.sub(r"\[\d+\]", "[99999]", text) if ask.kind in _PROSE else None


def citing_nothing(ask: Ask, text: str) -> str | None:
    return re.sub(r" \[\d+\]", "", text) if ask.kind in _PROSE else None


def skipping_half(ask: Ask, text: str) -> str | None:
    """Write only the first half of what was to be told."""
    if ask.kind not in _PROSE or ask.adds_to:
        return None
    paragraphs = text.split("\n\n")
    return "\n\n".join(paragraphs[: max(1, len(paragraphs) // 2)])


HABITS: Mapping[str, Habit] = {
    "declines": refusing,
    "says one sentence again and again": looping,
    "gives our prompt back": repeating_the_prompt,
    "writes in another language": speaking_german,
    "thinks aloud and never answers": thinking_only,
    "thinks aloud first": thinking_first,
    "writes headings and nothing beneath": headings_only,
    "answers nothing": silent,
    "puts all of it into a fence": fencing,
    "adds a preface and a closing remark": chatting,
    "adds headings of its own": own_headings,
    "breaks off its JSON at once": breaking_json,
    "breaks off its JSON late": cutting_json,
    "alters and invents quotes": altering_quotes,
    "alters figures": altering_figures,
    "cites turns that there are not": inventing_turns,
    "cites nothing": citing_nothing,
    "skips half": skipping_half,
}
