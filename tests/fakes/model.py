"""A model behind chat requests: it reads one as the engine wrote it, and answers by tests/writing_model.py.

Every answer in prose names the markers (`MARK3`) of what it has read, so that a test sees what reached it.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from core.jobs.callback import CallRef
from core.summaries.asks import Ask, AskKind
from core.summaries.passages import Passage, Passages, ranges_of
from core.summaries.tokens import estimate_tokens
from core.words import count_words
from tests.builders import chat_completion, completed_body, failed_body
from tests.writing_habits import Habit
from tests.writing_model import TOKENS_PER_WORD, Length, WritingModel, Written, obedient

REQUESTED_WORDS = re.compile(r"about ([\d,]+) words")
MARKER = re.compile(r"MARK\d+")
BLOCK = re.compile(r'<transcript id="(\w+)">\n(.*)\n</transcript id="\1">', re.S)
_LINE = re.compile(r"^\[(\d+)(?:-\d+)?\] (?:([^:\n]{1,40}): )?(.*)$", re.M)
_ANY_BLOCK = re.compile(r'<(\w+) id="\w+">\n(.*?)\n</\1', re.S)
_KINDS = (  # words of the instructions of core/summaries/prompts/default
    ("Write the section of topic", AskKind.SECTION),
    ("Write the overview", AskKind.OVERVIEW),
    ("Take notes of it", AskKind.NOTES),
    ("Summarise it", AskKind.SINGLE),
)


class PromptTooLong(Exception):
    """The prompt does not fit the model's context."""


@dataclass
class FakeModel:
    length: Length = obedient
    habit: Habit = lambda ask, text: None
    context_tokens: int = 10**9
    tokens_per_word: float = TOKENS_PER_WORD
    requested_words: list[int] = field(default_factory=list)

    def write(self, chat: Mapping[str, Any]) -> tuple[str, str]:
        """Return the text that answers a chat request, and its finish reason. Raises PromptTooLong."""
        answer = self._answer(chat)
        return answer.text, "length" if answer.was_cut else "stop"

    def completion(self, chat: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a server answers to a chat request, with its true usage. Raises PromptTooLong."""
        answer = self._answer(chat)
        return chat_completion(
            answer.text,
            finish_reason="length" if answer.was_cut else "stop",
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
        )

    def answer(self, request: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        """Return what RunPod posts when the model has answered a request."""
        try:
            chat = request["input"]["openai_input"]
            completion = {**self.completion(chat), "model": chat["model"]}
        except PromptTooLong as exc:
            return failed_body(f"vLLM returned HTTP 400: {exc}", id=runpod_id)
        return completed_body(id=runpod_id, output=[completion])

    def _answer(self, chat: Mapping[str, Any]) -> Written:
        ask, passages = ask_of(chat)
        self.requested_words.append(ask.words)
        tokens = sum(estimate_tokens(each["content"]) for each in chat["messages"])
        if tokens + ask.max_tokens > self.context_tokens:
            raise PromptTooLong(
                f"This model's maximum context length is {self.context_tokens} tokens."
            )
        model = WritingModel(
            length=self.length, habit=self.habit, topics=4, tokens_per_word=self.tokens_per_word
        )
        answer = model.write(ask, passages)
        markers = list(dict.fromkeys(MARKER.findall(chat["messages"][1]["content"])))
        if not markers or ask.response_format:
            return answer
        first, _, rest = answer.text.partition(" ")
        return replace(answer, text=f"{first} {', '.join(markers)} {rest}")


def ask_of(chat: Mapping[str, Any]) -> tuple[Ask, Passages]:
    """Read a chat request back: what it asks, and the passages it shows."""
    system, user = (message["content"] for message in chat["messages"])
    shown = BLOCK.search(user)
    lines = _LINE.findall(shown[2] if shown else user)
    if not lines:  # an overview's material: sections, which have no numbers
        blocks = "\n".join(text for _, text in _ANY_BLOCK.findall(user))
        paragraphs = [line for line in blocks.splitlines() if len(line.split()) > 12]
        lines = [(number, "", text) for number, text in enumerate(paragraphs, 1)]
    seen = {
        int(number): Passage(int(number), speaker, text, count_words(text), 0)
        for number, speaker, text in lines
    }
    last = max(seen, default=1)
    empty = [Passage(number, "", "", 0, 0) for number in range(1, last + 1)]
    passages = Passages(tuple(seen.get(each.number, each) for each in empty))
    schema = chat.get("response_format", {}).get("json_schema", {}).get("name", "")
    kind = next((kind for words, kind in _KINDS if words in user), AskKind.SECTION)
    if schema:
        kind = AskKind.OUTLINE if schema == "outline" else AskKind.LEDGER
    words = REQUESTED_WORDS.findall(user)
    about = ranges_of(sorted(seen)) or ((1, 1),)
    ask = Ask(
        name=f"{kind}-{about[0][0]}-{about[-1][1]}",
        slot=kind.value,
        kind=kind,
        passages=about,
        about=about,
        system=system,
        instructions=user.rpartition("</")[2],
        words=int(words[-1].replace(",", "")) if words else 0,
        max_tokens=chat["max_tokens"],
        seed=chat.get("seed", 0),
        response_format=schema,
        boundary=shown[1] if shown else "",
        adds_to='<written id="' in user,
    )
    return ask, passages


def ref_of(body: Mapping[str, Any]) -> CallRef:
    *_, job_id, call_id, attempt, _token = body["webhook"].split("/")
    return CallRef(job_id, call_id, int(attempt))


@lru_cache(maxsize=16)
def a_transcript(words: int, *, markers: int = 50) -> str:
    """Return turns of about forty words, with marker facts spread over them."""
    rng = random.Random(words)  # noqa: S311 - the same each time, on purpose
    turns = []
    count = max(words // 40, 1)
    every = max(count // markers, 1)
    for turn in range(count):
        mark = f"MARK{turn // every}" if turn % every == 0 else "then"
        said = " ".join(rng.choice(_WORDS) for _ in range(38))
        turns.append(f"{('Mara', 'Ilse', 'Joris')[turn % 3]}: {mark} {said}. Yes.")
    return "\n".join(turns)


_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "that",
    "we",
    "it",
    "is",
    "for",
    "on",
    "was",
    "with",
    "they",
    "at",
    "this",
    "have",
    "from",
    "be",
    "not",
    "are",
    "but",
    "had",
    "by",
    "what",
    "there",
    "were",
    "when",
    "can",
    "said",
    "more",
    "if",
    "would",
    "about",
    "them",
    "some",
    "could",
    "time",
    "these",
    "two",
    "may",
    "then",
    "do",
    "first",
    "any",
    "pump",
    "ferry",
    "crossing",
    "captain",
    "harbour",
    "winter",
    "ticket",
    "delay",
    "gangway",
    "tide",
    "slope",
    "concrete",
    "railing",
    "drawing",
    "permit",
    "wages",
    "contract",
    "overtime",
    "crew",
    "vacation",
    "ballot",
    "budget",
    "loan",
    "interest",
    "council",
    "grant",
    "audit",
    "invoice",
    "reserve",
]
