"""The words of the prompts: files in the folders of core/summaries/prompts. Pure, but for reading them.

A folder is a set of prompts. `default` has every file; another set has those in which it differs.

    system      the rules, the same for every ask of a job
    outline     title, headings and topics, with the turns each is about
    section     one topic, or a part of it, in paragraphs
    ledger      decisions, action items, open questions and quotes
    registers   `key = what it holds` for each of the ledger's lists
    overview    the opening paragraphs, from the finished sections
    notes       notes of a part of a transcript that does not fit the model
    single      the whole summary in one answer
    headings    `key = Heading` for what the assembled summary has; a register left out is not published
    mend        `code = what to say` when an answer is asked for again

`$name` marks what is filled in (string.Template); `$$` is a dollar sign.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from core.errors import SettingsError

_FOLDER = Path(__file__).parent / "prompts"
FILES = (
    *("system", "outline", "section", "ledger", "overview", "notes"),
    *("registers", "single", "headings", "mend"),
)
_OTHERWISE = "*"


def prompt_sets() -> frozenset[str]:
    """Return the names of the sets that there are."""
    return frozenset(
        folder.name
        for folder in _FOLDER.iterdir()
        if any((folder / f"{name}.md").is_file() for name in FILES)
    )


def filled(prompts: str, name: str, values: Mapping[str, str]) -> str:
    """Return a prompt with its placeholders filled in. Raises SettingsError."""
    try:
        return Template(_text(prompts, name)).substitute(values).strip()
    except (KeyError, ValueError) as exc:
        raise SettingsError(
            f"prompt file {prompts}/{name}.md has a placeholder that is unknown: {exc}"
        ) from None


def headings(prompts: str) -> Mapping[str, str]:
    """Return the headings of a set's summaries, in the order of the document."""
    return _pairs(prompts, "headings")


def register_rules(prompts: str) -> Mapping[str, str]:
    """Return what each of the ledger's lists holds."""
    return _pairs(prompts, "registers")


def mend_note(prompts: str, code: str) -> str:
    """Return what is said to a model whose answer before was of no use."""
    notes = _pairs(prompts, "mend")
    return notes.get(code) or notes.get(_OTHERWISE, "")


@cache
def _pairs(prompts: str, name: str) -> Mapping[str, str]:
    lines = (line.partition("=") for line in _text(prompts, name).splitlines() if "=" in line)
    return {key.strip(): words.strip() for key, _, words in lines}


@cache
def _text(prompts: str, name: str) -> str:
    own = _FOLDER / prompts / f"{name}.md"
    path = own if own.is_file() else _FOLDER / "default" / f"{name}.md"
    return path.read_text(encoding="utf-8")
