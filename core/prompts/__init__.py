"""A transcript to chat messages. The words are the .md files beside this one: edit and deploy.

`$name` marks what is filled in (string.Template); `$$` is a dollar sign. What the prompt says is
covered by tests/unit/test_prompts.py: a replacement must keep the placeholders.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import TypedDict

from core.errors import SettingsError

_FOLDER = Path(__file__).parent


class Message(TypedDict):
    role: str
    content: str


def summary_messages(
    transcript: str, *, boundary: str, words: int, transcript_words: int, language: str
) -> list[Message]:
    """Return the system and user message that ask for one summary of one whole transcript.

    `boundary` marks where the transcript begins and ends. It must be something its author can't
    have known: then no text inside can end the block and speak as the operator.
    """
    values = {
        "words": f"{words:,}",
        "transcript_words": f"{transcript_words:,}",
        "language_rule": _language_rule(language),
        "boundary": boundary,
        "transcript": transcript,
    }
    return [
        {"role": "system", "content": _filled("summary.system", values)},
        {"role": "user", "content": _filled("summary.user", values)},
    ]


def _language_rule(language: str) -> str:
    if language:
        return f"Write in {language}, whatever language the transcript is in."
    return "Write in the language that most of the transcript is in."


def _filled(name: str, values: Mapping[str, str]) -> str:
    try:
        return _template(name).substitute(values).strip()
    except (KeyError, ValueError) as exc:
        raise SettingsError(
            f"prompt file {name}.md has a placeholder that is unknown: {exc}"
        ) from None


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))
