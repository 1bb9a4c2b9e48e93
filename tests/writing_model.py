"""A model that writes as models do, over the engine's asks: how long, and with which bad habits.

What it writes comes from the passages it is shown, by chance from a seed, so that the same model always
answers the same ask alike. It understands nothing: it is for what code does with answers.
"""

import json
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.summaries.asks import CONTEXT_LENGTH, Answer, Ask, AskKind, answer_of
from core.summaries.engine import next_round
from core.summaries.goals import Goal, WritingLimits
from core.summaries.messages import prompt_tokens
from core.summaries.passages import Passage, Passages, numbers_of
from core.summaries.rounds import Finished, GivenUp, PastRound, Round
from core.summaries.schemas import registers_of
from core.summaries.spoken import row
from tests.writing_habits import Habit

TOKENS_PER_WORD = 1.35
Length = Callable[[int, random.Random], float]


def obedient(words: int, rng: random.Random) -> float:
    return words * rng.uniform(0.95, 1.05)


def saturating(most: int) -> Length:
    """Write what is asked for up to about so many words, as published for open models."""
    return lambda words, rng: min(words * rng.uniform(0.93, 1.07), most * rng.uniform(0.7, 1.3))


def proportional(share: float) -> Length:
    return lambda words, rng: words * share * rng.uniform(0.95, 1.05)


@dataclass(frozen=True, kw_only=True)
class Written:
    text: str
    was_cut: bool
    prompt_tokens: int
    completion_tokens: int


@dataclass
class WritingModel:
    length: Length = obedient
    habit: Habit = lambda ask, text: None
    context_tokens: int = 10**9  # what the endpoint really serves
    topics: int = 9
    tokens_per_word: float = TOKENS_PER_WORD
    seed: int = 1
    asks: list[Ask] = field(default_factory=list)

    def answer(self, ask: Ask, passages: Passages) -> Answer:
        """Return what the pipeline makes of what the model writes."""
        self.asks.append(ask)
        if prompt_tokens(ask, passages) + ask.max_tokens > self.context_tokens:
            return Answer(failure=CONTEXT_LENGTH)
        written = self.write(ask, passages)
        return answer_of(
            written.text,
            was_cut=written.was_cut,
            prompt_tokens=written.prompt_tokens,
            completion_tokens=written.completion_tokens,
        )

    def write(self, ask: Ask, passages: Passages) -> Written:
        """Return what the model writes, with all that stands around it."""
        rng = random.Random(f"{self.seed} {ask.name}")  # noqa: S311 - the same each time, on purpose
        text = _WRITERS[ask.kind](self, ask, passages, rng)
        habitual = self.habit(ask, text)
        text = text if habitual is None else habitual
        most = math.floor(ask.max_tokens / self.tokens_per_word)
        words = re.findall(r"\S+\s*", text)
        was_cut = len(words) > most
        tokens = min(round(len(words) * self.tokens_per_word) + _json_tokens(text), ask.max_tokens)
        return Written(
            text="".join(words[:most]) if was_cut else text,
            was_cut=was_cut,
            prompt_tokens=prompt_tokens(ask, passages),
            completion_tokens=tokens,
        )

    def _outline(self, ask: Ask, passages: Passages, rng: random.Random) -> str:
        topics = min(self.topics, passages.last)
        weights = sorted(rng.sample(range(1, passages.last), topics - 1)) if topics > 1 else []
        even = [round(passages.last * at / topics) for at in range(1, topics)]
        ends = [(a + 2 * b) // 3 for a, b in zip(weights, even, strict=True)]
        ends = sorted({*ends, passages.last} - {0})
        starts = [1, *(end + 1 for end in ends[:-1])]
        rows = [
            {
                "title": f"What was said on {_words(passages[first], 4)}",
                "turns": [[first, last]],
                "weight": rng.randint(2, 4),
            }
            for first, last in zip(starts, ends, strict=True)
        ]
        title = f"A meeting about {_words(passages[1], 4)}"
        return json.dumps({"title": title, "language": "English", "headings": {}, "topics": rows})

    def _prose(self, ask: Ask, passages: Passages, rng: random.Random) -> str:
        return "\n\n".join(self._paragraphs(ask, passages, rng, self.length(ask.words, rng)))

    def _paragraphs(
        self, ask: Ask, passages: Passages, rng: random.Random, words: float
    ) -> Sequence[str]:
        numbers = numbers_of(ask.about)
        wanted = max(1, round(words))
        paragraphs: list[str] = []
        written = 0
        at = 0
        while written < wanted:
            first = numbers[min(len(numbers) - 1, at * len(numbers) * 60 // max(60, wanted))]
            sentences: list[str] = []
            while written < wanted and len(sentences) < 5:
                told = _sentence(passages[rng.choice(numbers[:1] + _around(numbers, first))], rng)
                told_words = told.split()[: max(1, wanted - written)]
                sentences.append(" ".join(told_words).rstrip(".") + ".")
                written += len(told_words)
            cited = f" [{first}]" if ask.kind is not AskKind.OVERVIEW else ""
            paragraphs.append(" ".join(sentences) + cited)
            at += 1
        return paragraphs

    def _notes(self, ask: Ask, passages: Passages, rng: random.Random) -> str:
        numbers = numbers_of(ask.about)
        count = max(1, round(self.length(ask.words, rng) / 14))
        chosen = sorted(rng.sample(numbers, min(count, len(numbers))))
        return "\n".join(f"[{number}] {_sentence(passages[number], rng)}" for number in chosen)

    def _ledger(self, ask: Ask, passages: Passages, rng: random.Random) -> str:
        most = re.search(r"At most (\d+) of each", ask.instructions)
        entries = int(most[1]) if most else 3
        numbers = numbers_of(ask.about)
        long = [number for number in numbers if passages[number].words >= 12] or numbers

        def entry(register: str) -> Mapping[str, object]:
            number = rng.choice(long if register == "quotes" else numbers)
            passage = passages[number]
            told = _sentence(passage, rng)
            return {
                "decisions": {
                    "what": told,
                    "who": passage.speaker,
                    "why": _words(passage, 5),
                    "turn": number,
                }
                | {"reverses_turn": None},
                "actions": {"owner": passage.speaker, "what": told, "due": "", "turn": number},
                "questions": {"what": told, "who": "", "turn": number, "answered_at_turn": None},
                "quotes": {"turn": number, "words": " ".join(passage.text.split()[:18])},
            }[register]

        return json.dumps(
            {
                name: [entry(name) for _ in range(entries)]
                for name in registers_of(ask.response_format)
            }
        )

    def _single(self, ask: Ask, passages: Passages, rng: random.Random) -> str:
        told = self._paragraphs(ask, passages, rng, self.length(ask.words, rng) - 30)
        half = max(1, len(told) // 6)
        number = next((each.number for each in passages.all if each.words >= 12), 1)
        quote = " ".join(passages[number].text.split()[:18])
        by = f" — {passages[number].speaker}" if passages[number].speaker else ""
        blocks = ["# A meeting", "## Overview", *told[:half], "## Topics", "### The one topic"]
        blocks += [*told[half:], "## Notable quotes", f"> “{quote}”{by}"]
        return "\n\n".join(blocks)


_WRITERS: Mapping[AskKind, Callable[[WritingModel, Ask, Passages, random.Random], str]] = {
    AskKind.OUTLINE: WritingModel._outline,
    AskKind.SECTION: WritingModel._prose,
    AskKind.OVERVIEW: WritingModel._prose,
    AskKind.NOTES: WritingModel._notes,
    AskKind.LEDGER: WritingModel._ledger,
    AskKind.SINGLE: WritingModel._single,
}

_VERBS = row("said explained doubted repeated proposed added held found asked recalled")
_LINKS = row("that because while although where since")


def _sentence(passage: Passage, rng: random.Random) -> str:
    """Tell a passage in its own words, never more than six in a row."""
    words = passage.text.split()
    stretches = []
    for _ in range(2):
        at = rng.randrange(max(1, len(words) - 5))
        stretches.append(" ".join(words[at : at + 6]).strip(".?! "))
    who = passage.speaker or "Somebody"
    return f"{who} {rng.choice(_VERBS)} {stretches[0]} {rng.choice(_LINKS)} {stretches[1]}."


def _around(numbers: Sequence[int], number: int) -> list[int]:
    at = numbers.index(number)
    return list(numbers[at : at + 6])


def _words(passage: Passage, most: int) -> str:
    return " ".join(passage.text.split()[:most])


def _json_tokens(text: str) -> int:
    return sum(map(text.count, '{}[]":')) // 3


@dataclass
class Drive:
    """A summary driven to its end in memory."""

    end: Finished | GivenUp
    history: list[PastRound]

    @property
    def asks(self) -> list[Ask]:
        return [ask for past in self.history for ask in past.round.asks]

    @property
    def finished(self) -> Finished:
        assert isinstance(self.end, Finished), self.end
        return self.end

    @property
    def given_up(self) -> GivenUp:
        assert isinstance(self.end, GivenUp), self.end
        return self.end


def driven(passages: Passages, goal: Goal, limits: WritingLimits, model: WritingModel) -> Drive:
    """Ask a model until the summary is finished or given up."""
    history: list[PastRound] = []
    while isinstance(step := next_round(passages, goal, limits, history), Round):
        answers = {ask.name: model.answer(ask, passages) for ask in step.asks}
        history.append(PastRound(round=step, answers=answers))
    return Drive(end=step, history=history)


def always(habit: Habit, *kinds: AskKind, tries: int = 99, slots: str = "") -> Habit:
    """Have a habit on some kinds of ask, for the first tries of a slot."""

    def limited(ask: Ask, text: str) -> str | None:
        is_meant = (not kinds or ask.kind in kinds) and re.match(slots, ask.slot)
        return habit(ask, text) if is_meant and ask.seed <= tries else None

    return limited
