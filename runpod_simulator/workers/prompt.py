"""What a chat request asks for, read out of its text as a language model would have to.

Material stands in blocks, `<transcript id="…">` … `</transcript id="…">`; the last user message without
them is the task. A schema's name or the task's words say what is wanted, "about 300 words" how much of it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runpod_simulator.workers import vllm

DEFAULT_WORDS = 400  # when nobody says how long
REGISTERS = ("decisions", "actions", "questions", "quotes")
_DEFAULT_TEXT_TOKENS = 16  # vLLM's own default for /v1/completions: a trap worth keeping
_BAD_REQUEST, _NOT_FOUND = 400, 404

_BLOCK = re.compile(r'<(\w{1,30}) id="(\w{1,80})">\n?(.*?)\n?</\1 id="\2">', re.DOTALL)
_NUMBER_OF_WORDS = r"(\d{1,3}(?:[, \u00a0\u202f.]\d{3})+|\d{1,7})[\s-]+words?\b"
# "about 4,000 words" asks for a length; "the transcript has 10,000 words" may only state one.
_LENGTHS = (
    re.compile(rf"\babout\s+{_NUMBER_OF_WORDS}", re.IGNORECASE),
    re.compile(rf"(?<![\d.,]){_NUMBER_OF_WORDS}", re.IGNORECASE),
)
_TASK_SENTENCE = re.compile(
    rf"(?:(?<=[.!?\n])|^)[^.!?\n]{{0,300}}\babout\s+{_NUMBER_OF_WORDS}[^.!?\n]{{0,300}}[.!?]?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\[(\d{1,7})(?:\s?[-\u2013]\s?(\d{1,7}))?\]\s*(.*)")
_STAMP = re.compile(r"[\[(]?(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])]?\s*[-\u2013]?\s*")
_LABEL = re.compile(r"([^\W\d_][^:?!]{0,79}?):\s+(.*)")
_LABEL_MAX_WORDS = 12


class Asked(Protocol):
    """What habits want to know of a request."""

    @property
    def kind(self) -> str:
        """outline, section, ledger, overview, notes or single."""

    @property
    def instructions(self) -> str: ...

    @property
    def seed(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Turn:
    first: int  # its number; a line of notes may stand for several turns
    last: int
    is_numbered: bool  # in the text itself, so that it can be cited
    speaker: str  # "" when the text names nobody
    text: str


@dataclass(frozen=True, kw_only=True)
class Prompt:
    kind: str
    instructions: str
    blocks: Mapping[str, str]  # by their tag
    turns: Sequence[Turn]  # what is to be told
    words: int
    registers: Sequence[str]  # of a ledger
    seed: int
    max_tokens: int | None
    tokens: int


def read_prompt(request: vllm.ModelRequest) -> Prompt:
    """
    Raises:
        ModelRefused: as vLLM refuses what is no request.
    """
    system, user = _texts(request)
    blocks = {tag: text for tag, _, text in _BLOCK.findall(user)}
    task = _BLOCK.sub("", user).strip() if blocks else ""
    schema = _schema_name(request.body)
    kind = _kind(schema, blocks, task)
    seed = request.body.get("seed")
    return Prompt(
        kind=kind,
        instructions=task,
        blocks=blocks,
        turns=read_turns(blocks.get("transcript", blocks.get("notes", _without_task(user)))),
        words=_words_wanted(task or user, system),
        registers=[
            name
            for name in REGISTERS
            if name in schema.split("-") or (kind == "ledger" and f'"{name}": [' in task)
        ],
        seed=seed if isinstance(seed, int) else 0,
        max_tokens=_max_tokens(request),
        tokens=vllm.estimated_tokens(f"{system} {user}"),
    )


def read_turns(text: str) -> list[Turn]:
    """Read lines `[17] Ann: words`; where lines have no numbers, they are counted."""
    lines = [line for raw in text.splitlines() if any(map(str.isalnum, line := raw.strip()))]
    parts: list[tuple[int, int, bool, str]] = []
    for count, line in enumerate(lines, 1):
        if found := _NUMBERED.fullmatch(line):
            parts.append((int(found[1]), int(found[2] or found[1]), True, found[3]))
        else:
            parts.append((count, count, False, _STAMP.sub("", line, count=1)))
    known = _speakers([line for *_, line in parts])
    turns = []
    for first, last, is_numbered, line in parts:
        label = _LABEL.fullmatch(line)
        is_known = label is not None and label[1] in known
        speaker, words = (label[1], label[2]) if label and is_known else ("", line)
        turns.append(Turn(first, last, is_numbered, speaker, words.strip()))
    return [turn for turn in turns if turn.text]


def short_name(speaker: str) -> str:
    """Return a label without its affiliation: `Mr. Paul Manly (Nanaimo, GP)` is `Mr. Paul Manly`."""
    return speaker.partition(" (")[0].strip()


def _speakers(lines: Sequence[str]) -> set[str]:
    """Labels that are people: said more than once, or most lines have one. `Note: ...` in prose is none."""
    labels = Counter(label[1] for line in lines if (label := _LABEL.fullmatch(line)))
    are_most = labels.total() * 2 > len(lines) > 1
    return {
        label
        for label, times in labels.items()
        if (times > 1 or are_most) and len(label.split()) <= _LABEL_MAX_WORDS
    }


def _kind(schema: str, blocks: Mapping[str, str], task: str) -> str:
    named = schema.partition("-")[0]
    if named in ("outline", "ledger"):
        return named
    if "sections" in blocks:
        return "overview"
    if "outline" in blocks:
        return "section"
    if '"topics": [' in task:
        return "outline"
    if '"turn": ' in task:
        return "ledger"
    return "notes" if "Take notes" in task else "single"


def _without_task(message: str) -> str:
    """Return a message that has no blocks without the sentences that ask for a length."""
    left = _TASK_SENTENCE.sub("", message)
    return left if any(map(str.isalnum, left)) else message


def _schema_name(body: Mapping[str, Any]) -> str:
    match body.get("response_format"):
        case {"json_schema": {"name": str(name)}}:
            return name
    return ""


def _words_wanted(*places: str) -> int:
    """The last length asked for by the task, else by the system message."""
    for place in places:
        for length in _LENGTHS:
            if found := length.findall(place):
                return int(re.sub(r"\D", "", found[-1]))
    return DEFAULT_WORDS


def _texts(request: vllm.ModelRequest) -> tuple[str, str]:
    """What the system messages say, and the last user message."""
    if not request.is_chat:
        prompt = request.body.get("prompt")
        if not isinstance(prompt, str):
            raise vllm.ModelRefused(_NOT_FOUND, '{"detail":"Not Found"}')
        return "", prompt
    messages = request.body.get("messages")
    said = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    system = " ".join(_content(one) for one in said if one.get("role") == "system")
    user = [_content(one) for one in said if one.get("role") == "user"]
    if not user:
        body = '{"error": {"message": "messages: a user message is required.", '
        body += '"type": "BadRequestError", "param": null, "code": 400}}'
        raise vllm.ModelRefused(_BAD_REQUEST, body)
    return system, user[-1]


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _max_tokens(request: vllm.ModelRequest) -> int | None:
    given = request.body.get("max_tokens", request.body.get("max_completion_tokens"))
    if given is None:
        return None if request.is_chat else _DEFAULT_TEXT_TOKENS
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        body = '{"error": {"message": "max_tokens must be at least 1.", '
        body += '"type": "BadRequestError", "param": "max_tokens", "code": 400}}'
        raise vllm.ModelRefused(_BAD_REQUEST, body)
    return given
