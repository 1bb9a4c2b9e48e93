"""The bad habits of models: what becomes of a sound answer. None where it stays as it is.

They know of a request no more than `Asked` says, so that whatever has those can be given them.
"""

import json
import random
import re
from collections.abc import Callable, Collection, Mapping

from runpod_simulator.workers.prompt import Asked

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
_PROSE = ("section", "overview", "single", "notes")
_STRUCTURED = ("outline", "ledger")
_NOUNS = "walrus teapot glacier violin pepper lantern saddle orchard compass velvet".split()  # noqa: SIM905

Habit = Callable[[Asked, str], str | None]


def _in_prose(change: Callable[[str], str]) -> Habit:
    return lambda asked, text: change(text) if asked.kind in _PROSE else None


def _with_wrong_headings(asked: Asked, text: str) -> str | None:
    if asked.kind == "section":
        return f"**1. Zusammenfassung:**\n\n{text}"
    return (
        re.sub(r"^#+ (.+)$", r"**\1:**", text, flags=re.MULTILINE)
        if asked.kind == "single"
        else None
    )


def _with_altered_quotes(asked: Asked, text: str) -> str | None:
    """Put another noun into each quote; quote in prose what nobody said."""
    if asked.kind in _PROSE:
        return f"{text}\n\nThen it was said: \u201c{INVENTED}.\u201d [1]"
    if asked.kind != "ledger":
        return None
    rng = random.Random(f"{asked.seed} {asked.instructions}")  # noqa: S311 (alike each time)
    fields = json.loads(text)
    for quote in fields.get("quotes", []):
        words = quote["words"].split()
        words[len(words) // 2] = rng.choice(_NOUNS)
        quote["words"] = " ".join(words)
    return json.dumps(fields)


def _with_altered_figures(text: str) -> str:
    """Change every figure, and put one where there was none."""
    said = " said " if " said " in text else " the "
    changed = re.sub(r"(?<![\[\d,.-])(?<!, )\d+(?![\d, -]*\])", str(_FIGURE), text)
    return changed.replace(said, f"{said}{_FIGURE} ")


def _half(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(paragraphs[: max(1, len(paragraphs) // 2)])


def _malformed(asked: Asked, text: str) -> str | None:
    return text[:9] if asked.kind in _STRUCTURED else None


def _unfinished(asked: Asked, text: str) -> str | None:
    return text[: len(text) * 2 // 3] if asked.kind in _STRUCTURED else None


# In the order in which they are applied: what is told, then how it is dressed.
HABITS: Mapping[str, Habit] = {
    "altered-quotes": _with_altered_quotes,
    "altered-figures": _in_prose(_with_altered_figures),
    "wrong-turns": _in_prose(lambda text: re.sub(r"\[\d[\d, -]*\]", "[99999]", text)),
    "no-citations": _in_prose(lambda text: re.sub(r" ?\[\d[\d, -]*\]", "", text)),
    "skipped-half": _in_prose(_half),
    "malformed-json": _malformed,
    "unfinished-json": _unfinished,
    "other-language": _in_prose(lambda _: GERMAN),
    "loop": lambda _, __: f"{LOOP} " * 40,
    "prompt-repeated": lambda asked, _: asked.instructions,
    "refusal": lambda _, __: REFUSAL,
    "headings-only": _in_prose(lambda _: "# Summary\n\n## Overview\n\n## Topics\n\n## Decisions\n"),
    "no-text": lambda _, __: "",
    "wrong-headings": _with_wrong_headings,
    "fence": lambda _, text: f"```\n{text}\n```",
    "preface": lambda _, text: (
        f"Sure! Here is what you asked for:\n\n{text}\n\nLet me know if you need anything else!"
    ),
    "reasoning": lambda _, text: f"<think>The user wants {text[:200]}</think>\n{text}",
    "endless-reasoning": lambda _, text: f"<think>{text}",
}


def with_habits(asked: Asked, text: str, names: Collection[str]) -> str:
    """Return what one who has some habits writes in place of a sound answer."""
    for name, habit in HABITS.items():
        changed = habit(asked, text) if name in names else None
        text = text if changed is None else changed
    return text
