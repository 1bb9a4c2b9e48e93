"""What the uploader of one file chose for its summary, over what the deployment does. Pure.

By S3 object metadata (`x-amz-meta-summary-words: 2500`), or by the folder the file is dropped in
(`calls/summary-words=2500/board.txt`). Metadata is the nearer and wins.

    summary-words      the length
    summary-language   the language to write in, by its English name
    summary-strategy   auto (one answer where the model is reliable at the length), single, or outline
    summary-prompt     a set of prompts: a folder of core/summaries/prompts
    summary-times      cite (the summary says when it was said), or drop
    summary-glossary   names to be put right, by metadata only (submitter/glossaries.py)
    summary-mode       push (the submitter sends the words), or pull (the worker fetches the file)
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.errors import BadTranscript
from core.summaries.instructions import prompt_sets
from core.summaries.options import Mode, Strategy, SummaryOptions
from submitter.glossaries import METADATA

WORDS = (50, 20_000)
_PREFIX = "summary-"
_IN_PATH = re.compile(r"(?:^|/)(summary-[a-z]+)=([^/]*)(?=/)")
_LANGUAGE = re.compile(r"[A-Za-z]+(?:[ -][A-Za-z]+)*")
_LONGEST_LANGUAGE = 40


def resolve_options(
    options: SummaryOptions, *, key: str, metadata: Mapping[str, str]
) -> SummaryOptions:
    """Return the request with the uploader's choices. Raises BadTranscript for one that can't be."""
    choices = dict(_IN_PATH.findall(key))
    choices |= {
        name: value
        for name, value in metadata.items()
        if name.startswith(_PREFIX) and name != METADATA
    }
    fields = {}
    for name, value in choices.items():
        field, read = _CHOICES.get(name, ("", None))
        if read is None:
            known = ", ".join(_CHOICES)
            raise _bad(f"{_printable(name)} is not known; known are {known}")
        fields[field] = read(value.strip())
    return replace(options, **fields)


def _words(value: str) -> int:
    least, most = WORDS
    if not re.fullmatch(r"[0-9]{1,6}", value) or not least <= int(value) <= most:
        raise _bad(f"summary-words must be a whole number from {least} to {most:,}")
    return int(value)


def _language(value: str) -> str:
    if len(value) > _LONGEST_LANGUAGE or not _LANGUAGE.fullmatch(value):
        raise _bad("summary-language must be a language's English name, for example German")
    return value


def _strategy(value: str) -> Strategy:
    if value not in set(Strategy):
        raise _bad(f"summary-strategy must be one of {', '.join(Strategy)}")
    return Strategy(value)


def _mode(value: str) -> Mode:
    if value not in set(Mode):
        raise _bad(f"summary-mode must be one of {', '.join(Mode)}")
    return Mode(value)


def _prompt(value: str) -> str:
    if value not in prompt_sets():
        raise _bad(f"summary-prompt must be one of {', '.join(sorted(prompt_sets()))}")
    return value


def _times(value: str) -> bool:
    if value not in _TIMES:
        raise _bad(f"summary-times must be one of {', '.join(_TIMES)}")
    return _TIMES[value]


_TIMES: Mapping[str, bool] = {"cite": True, "drop": False}
_CHOICES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "summary-words": ("words", _words),
    "summary-language": ("language", _language),
    "summary-strategy": ("strategy", _strategy),
    "summary-prompt": ("prompt", _prompt),
    "summary-times": ("with_times", _times),
    "summary-mode": ("mode", _mode),
}


def _bad(message: str) -> BadTranscript:
    return BadTranscript("bad-option", f"{message}; correct it and upload the file again")


def _printable(name: str) -> str:
    return re.sub(r"[^a-z-]", "?", name)[:40]
