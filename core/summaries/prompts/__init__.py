"""Material to chat messages. The words are the .md files in the folders beside this one.

A folder is a set of prompts; `default` has all of them, another set those in which it differs. Edit
them, or add a folder, and deploy.

`$name` marks what is filled in (string.Template); `$$` is a dollar sign. What the prompt says is
covered by tests/unit/summaries/test_prompts.py: a replacement must keep the placeholders.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from string import Template
from typing import TypedDict

from core.errors import SettingsError
from core.summaries.plans import Kind
from core.summaries.tokens import estimate_tokens

_FOLDER = Path(__file__).parent
PROMPT_SETS = frozenset(
    folder.name for folder in _FOLDER.iterdir() if (folder / "summary.user.md").is_file()
)
CHAT_TEMPLATE_TOKENS = 64  # the markers a chat template puts around two messages, generously
LONGEST_BEFORE_CHARACTERS = 600  # about a hundred words


# What chat templates mark turns with: Llama's, ChatML's and its like, and Mistral's. Most servers find
# them in the middle of a text too, where they would end the user's turn and begin another.
_CONTROL_TOKENS = re.compile(
    r"<(?=\|\w{1,40}\|>|/?s>|unk>|pad>|SPECIAL_\d{1,4}>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT"
    r"|IMG|IMG_BREAK|IMG_END|PREFIX|MIDDLE|SUFFIX)\])"
)


class Message(TypedDict):
    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a prompt is filled with.

    `boundary` marks where the material begins and ends. It must be something its author can't have
    known, and is taken out of the material all the same: notes are written by a model that has seen it.
    So no text inside can end the block and speak as the operator.
    """

    text: str
    boundary: str
    words: int  # what the model is asked for
    transcript_words: int
    language: str = ""  # "" is the transcript's own
    prompts: str = "default"  # the set of prompts
    with_times: bool = False  # the text says when each turn began
    part: int = 1
    parts: int = 1
    before: str = ""  # the end of what stands before the text, to understand its beginning by


def messages_for(kind: Kind, level: int, prompt: Prompt) -> list[Message]:
    """Return the system and user message of one call."""
    user = {
        (Kind.COMPOSE, True): "summary.user",
        (Kind.COMPOSE, False): "compose.user",
    }.get((kind, level == 0), "notes.user")
    values = {
        "words": f"{prompt.words:,}",
        "transcript_words": f"{prompt.transcript_words:,}",
        "language_rule": _language_rule(prompt.language),
        "boundary": prompt.boundary,
        "transcript": _as_material(prompt.text, prompt.boundary),
        "part": str(prompt.part),
        "parts": str(prompt.parts),
        "times_rule": _TIMES_RULE if prompt.with_times else "",
        "part_rule": _part_rule(prompt),
        "what": "as a transcript" if level == 0 else "as notes that were taken of it",
        "before_rule": _before_rule(prompt),
    }
    return [
        {"role": "system", "content": _filled(prompt.prompts, "summary.system", values)},
        {"role": "user", "content": _filled(prompt.prompts, user, values)},
    ]


_TIMES_RULE = (
    "The text says in brackets, [hh:mm:ss], when a turn began. Cite it where a reader would want to"
    " listen: at the beginning of each topic, and with each decision, action item and quote."
)


def _part_rule(prompt: Prompt) -> str:
    if prompt.parts == 1:
        return ""
    return (
        f"You are given part {prompt.part} of {prompt.parts} and summarise this part alone; colleagues"
        " summarise the others in the same structure, and the parts are put together in order, section"
        " by section. Do not introduce or close the whole."
    )


def _before_rule(prompt: Prompt) -> str:
    if not prompt.before:
        return ""
    return (
        "To understand how the section begins, here is how the one before it ended. It has been covered"
        f' there: take no notes of it.\n\n<before id="{prompt.boundary}">\n'
        f"{_as_material(prompt.before, prompt.boundary)}\n"
        f'</before id="{prompt.boundary}">\n'
    )


def _as_material(text: str, boundary: str) -> str:
    """Return a text that can end neither its block nor its turn: a space makes a token plain words."""
    return _CONTROL_TOKENS.sub(r"\g<0> ", text).replace(boundary, "…")


def _language_rule(language: str) -> str:
    if language:
        return f"Write in {language}, whatever language the transcript is in."
    return "Write in the language that most of the transcript is in."


def _filled(prompts: str, name: str, values: Mapping[str, str]) -> str:
    try:
        return _template(prompts, name).substitute(values).strip()
    except (KeyError, ValueError) as exc:
        raise SettingsError(
            f"prompt file {prompts}/{name}.md has a placeholder that is unknown: {exc}"
        ) from None


@cache
def _template(prompts: str, name: str) -> Template:
    own = _FOLDER / prompts / f"{name}.md"
    path = own if own.is_file() else _FOLDER / "default" / f"{name}.md"
    return Template(path.read_text(encoding="utf-8"))


@cache
def prompt_overhead_tokens() -> int:
    """Return what the longest prompt costs without its text, with the longest lead-in."""
    longest = Prompt(
        text="",
        boundary="f" * 32,
        words=1_000_000,
        transcript_words=100_000_000,
        language="a language with a long name",
        part=9_999,
        parts=9_999,
        before="x" * LONGEST_BEFORE_CHARACTERS,
        with_times=True,
    )
    prompts = (
        messages_for(kind, level, replace(longest, prompts=prompts))
        for prompts in PROMPT_SETS
        for kind in Kind
        for level in (0, 1)
    )
    return CHAT_TEMPLATE_TOKENS + max(
        sum(estimate_tokens(message["content"]) for message in messages) for messages in prompts
    )
