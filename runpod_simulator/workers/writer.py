"""Answers each kind of request with the transcript's own sentences. Deterministic; understands nothing.

Which sentences are worth telling is for the caller to say: `best` of extractive.py, or chance.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from runpod_simulator.workers.prompt import Prompt, Turn, short_name
from runpod_simulator.workers.titles import as_title, keywords_of, language_of, runs_of, titles_of
from runpod_simulator.workers.units import Ranking, Unit, choose, units_of
from runpod_simulator.workers.words import count_words

_UNITS_OF_A_PARAGRAPH = 5
_LEAST_WORDS_WITH_HEADINGS = 120
_MOST_ENTRIES = 5
_WORTH_OF_A_PART, _WORTH_OF_A_TORN_ONE = 0.4, 0.02  # of a sentence
_LEAST_QUESTION_WORDS = 6
_QUOTE_WORDS = range(8, 31)
_CITATION = re.compile(r" \[[\d, -]+\]")
_CUES = {
    "decisions": re.compile(r"\b(?:decided|agreed|approved|settled|let's go with)\b", re.I),
    "actions": re.compile(r"\b(?:I'll|we'll|I will|we will|I'm going to|need to send|follow up)\b", re.I),
    "questions": re.compile(r"[?\uff1f]\s*$"),
}  # fmt: skip
_DUE = re.compile(
    r"\b(?:by (?:the end of )?(?:the |next |this )?(?:week|month|year|tomorrow|\w+day|[A-Z]\w+)"
    r"|tomorrow|next week)\b"
)
_REGISTER_HEADINGS = {
    "decisions": re.compile(r"decision|resolution", re.IGNORECASE),
    "actions": re.compile(r"action", re.IGNORECASE),
    "questions": re.compile(r"question|held over", re.IGNORECASE),
    "quotes": re.compile(r"quote", re.IGNORECASE),
}


def write(prompt: Prompt, words: int, ranking: Ranking) -> str:
    """Return what a prompt asks for; prose in about so many words."""
    writer = _Writer(prompt, words, ranking)
    return {
        "outline": writer.outline,
        "section": writer.section,
        "ledger": writer.ledger,
        "overview": writer.overview,
        "notes": writer.notes,
    }.get(prompt.kind, writer.single)()


@dataclass(frozen=True)
class _Writer:
    prompt: Prompt
    words: int
    ranking: Ranking

    def outline(self) -> str:
        wanted = re.search(r"about (\d+) topics", self.prompt.instructions)
        runs = runs_of(self.prompt.turns, int(wanted[1]) if wanted else 6)
        ends = [run[0].first - 1 for run in runs[1:]] + [run[-1].last for run in runs[-1:]]
        titles = titles_of(runs)
        return json.dumps(
            {
                "title": self._title,
                "language": language_of(self._said).capitalize(),
                "headings": {},
                "topics": [
                    {"title": title, "turns": [[run[0].first, end]], "weight": 3}
                    for title, run, end in zip(titles, runs, ends, strict=True)
                ],
            },
            ensure_ascii=False,
        )

    def section(self) -> str:
        written = self.prompt.blocks.get("written", "")
        units = [
            each for each in units_of(self.prompt.turns) if each.text.strip(".") not in written
        ]
        return "\n\n".join(_prose(units, self.words, self._worth(units)))

    def notes(self) -> str:
        units = units_of(self.prompt.turns)
        chosen = choose(units, self.words, self._worth(units))
        return "\n".join(f"{_numbers([each])} {_by(each)}{each.text}" for each in chosen)

    def ledger(self) -> str:
        wanted = re.search(r"At most (\d+)", self.prompt.instructions)
        most = int(wanted[1]) if wanted else _MOST_ENTRIES
        entries = {name: self._entries(name, most) for name in self.prompt.registers}
        return json.dumps(entries, ensure_ascii=False)

    def overview(self) -> str:
        speakers = self.prompt.blocks.get("speakers", "").splitlines()
        told = self.prompt.blocks.get("sections", "")
        titles = re.findall(r"^### (.+)$", told, re.MULTILINE)
        lines = [line for line in told.splitlines() if not line.startswith(("#", "-", ">"))]
        turns = [Turn(at, at, False, "", line) for at, line in enumerate(lines) if line.strip()]
        # Nobody says "I can't" of himself in an overview.
        units = [each for each in units_of(turns) if not re.search(r"\bI\b", each.text)]
        names = [short_name(speaker) for speaker in speakers[:8]]
        subjects = "; ".join(title.rpartition(": ")[2] for title in titles)
        opening = _opening(names, subjects, is_english=language_of(told) == "english")
        opening += "." if opening else ""
        texts = _first_listed(told, self.words // 2)
        left = self.words - count_words(opening) - sum(map(count_words, texts))
        texts += [each.text for each in choose(units, left, _earlier_first(units))]
        paragraphs = [" ".join(texts[at : at + 8]) for at in range(0, len(texts), 8)]
        return "\n\n".join(each for each in (opening, *paragraphs) if each)

    def single(self) -> str:
        headings = re.findall(r"^## (.+)$", self.prompt.instructions, re.MULTILINE)
        units = units_of(self.prompt.turns)
        if not headings or self.words < _LEAST_WORDS_WITH_HEADINGS:
            return "\n\n".join(_prose(units, self.words, self._worth(units))) or self._opening
        registers = [block for name in headings[2:] for block in self._register(name)]
        title = f"# {self._title}"
        left = self.words - count_words("\n".join((title, *headings[:2], *registers)))
        worth = self._worth(units)
        first = choose(units, left // 8, worth)
        blocks = [title, f"## {headings[0]}", *_paragraphs(first), f"## {headings[1]}"]
        rest = [each for each in units if each not in first]
        runs = runs_of(self.prompt.turns, max(1, min(12, left // 250)))
        heads = titles_of(runs)
        left -= count_words("\n".join(blocks[1:])) - 3 + count_words("\n".join(heads))
        sizes = [sum(count_words(turn.text) for turn in run) for run in runs]
        for head, run, size in zip(heads, runs, sizes, strict=True):
            own = [each for each in rest if run[0].first <= each.turn.first <= run[-1].last]
            if told := _prose(own, round(left * size / max(1, sum(sizes))), worth):
                blocks += [f"### {head}", *told]
        return "\n\n".join((*blocks, *registers))

    def _register(self, heading: str) -> Sequence[str]:
        """Return a list of the Markdown answer under its heading; nothing where it would be empty."""
        name = next((n for n, words in _REGISTER_HEADINGS.items() if words.search(heading)), "")
        rows = self._entries(name, _MOST_ENTRIES) if name else []
        if name == "quotes":
            speakers = {turn.first: turn.speaker for turn in self.prompt.turns}
            lines = [
                f'> "{row["words"]}" \u2014 {speakers[row["turn"]]} [{row["turn"]}]' for row in rows
            ]
        else:
            lines = [
                f"- **{row.get('owner') or row.get('who')}**: {row['what']} [{row['turn']}]"
                for row in rows
            ]
        return [f"## {heading}", "\n".join(lines)] if lines else []

    def _entries(self, register: str, most: int) -> list[dict[str, Any]]:
        """Return entries spread over the turns, each with a sentence that has the register's cue."""
        found = {
            each.at: _entry(register, each)
            for each in units_of(self.prompt.turns, whole=register == "quotes")
            if _is_for(register, each)
        }
        rows = list(found.values())
        dated = [row for row in rows if row.get("due")]
        rows = dated if len(dated) >= most else rows
        return rows[:: max(1, math.ceil(len(rows) / most))] if most else []

    def _worth(self, units: Sequence[Unit]) -> Mapping[int, float]:
        ratings = self.ranking([each.text for each in units])
        return {each.at: rating * _share(each) for each, rating in zip(units, ratings, strict=True)}

    @property
    def _title(self) -> str:
        return as_title(", ".join(keywords_of(self.prompt.turns, (), 3))) or "Nothing said"

    @property
    def _opening(self) -> str:
        """Return what there is, where nothing in it is a sentence."""
        return " ".join(self._said.split()[: self.words])

    @property
    def _said(self) -> str:
        return " ".join(turn.text for turn in self.prompt.turns)


def _first_listed(told: str, words: int) -> list[str]:
    """Return the entries of the first list: what was decided, if anything was."""
    listed = told.partition("\n## ")[2].partition("\n## ")[0]
    texts: list[str] = []
    for who, what, end in re.findall(r"^- \*\*(.+?)\*\*: (.+)([.?!])$", listed, re.MULTILINE):
        text = f"{what} ({who}){end}"
        words -= count_words(text)
        if words < 0:
            break
        texts.append(text)
    return texts


def _opening(names: Sequence[str], subjects: str, *, is_english: bool) -> str:
    """Return who spoke of what."""
    if not (is_english and names and subjects):
        return ": ".join(part for part in (", ".join(names), subjects) if part)
    first, last = ", ".join(names[:-1]), names[-1]
    return f"{f'{first} and {last}' if first else last} spoke of {subjects}"


def _prose(units: Sequence[Unit], words: int, worth: Mapping[int, float]) -> list[str]:
    """Return paragraphs of about so many words; names and numbers want theirs, too."""
    room, paragraphs = words, list[str]()
    for _ in range(4):
        paragraphs = _paragraphs(choose(units, room, worth))
        over = sum(count_words(_CITATION.sub("", each)) for each in paragraphs) - words
        if abs(over) <= max(6, words // 50):
            break
        room = max(1, room - over)
    return paragraphs


def _share(unit: Unit) -> float:
    """Return what a part is worth of its sentence."""
    if unit.is_torn:
        return _WORTH_OF_A_TORN_ONE
    return 1.0 if unit.is_whole else _WORTH_OF_A_PART


def _earlier_first(units: Sequence[Unit]) -> Mapping[int, float]:
    """Rank the first sentence of every paragraph above the second ones, and so on."""
    nth = Counter[int]()
    worth = {}
    for each in units:
        worth[each.at] = -float(nth[each.turn.first])
        nth[each.turn.first] += 1
    return worth


def _paragraphs(units: Sequence[Unit]) -> list[str]:
    """Return paragraphs, each with who said what and the numbers of its turns at the end."""
    count = math.ceil(len(units) / _UNITS_OF_A_PARAGRAPH)
    size = math.ceil(len(units) / count) if count else 1
    groups = [units[at : at + size] for at in range(0, len(units), size)]
    return [f"{' '.join(_told(group))} {_numbers(group)}".strip() for group in groups]


def _told(units: Iterable[Unit]) -> Iterable[str]:
    for speaker, said in groupby(units, key=lambda each: short_name(each.turn.speaker)):
        text = " ".join(each.text for each in said)
        yield f"{text[:-1]} ({speaker}){text[-1]}" if speaker else text


def _numbers(units: Iterable[Unit]) -> str:
    turns = dict.fromkeys(each.turn for each in units if each.turn.is_numbered)
    shown = ", ".join(
        f"{turn.first}-{turn.last}" if turn.first < turn.last else f"{turn.first}" for turn in turns
    )
    return f"[{shown}]" if shown else ""


def _by(unit: Unit) -> str:
    return f"{unit.turn.speaker}: " if unit.turn.speaker else ""


def _is_for(register: str, unit: Unit) -> bool:
    if register == "quotes":
        return unit.words in _QUOTE_WORDS and unit.text[-1:] in ".!" and '"' not in unit.text
    if register == "questions" and unit.words < _LEAST_QUESTION_WORDS:
        return False
    cue = _CUES.get(register)
    return cue is not None and cue.search(unit.text) is not None


def _entry(register: str, unit: Unit) -> dict[str, Any]:
    turn, who = unit.turn.first, short_name(unit.turn.speaker)
    due = _DUE.search(unit.text)
    return {
        "decisions": {"what": unit.text, "who": who, "why": "", "turn": turn, "reverses_turn": None},
        "actions": {"owner": who, "what": unit.text, "due": due[0] if due else "", "turn": turn},
        "questions": {"what": unit.text, "who": who, "turn": turn, "answered_at_turn": None},
        "quotes": {"turn": turn, "words": unit.text},
    }[register]  # fmt: skip
