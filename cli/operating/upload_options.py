"""What an uploader can choose for one file, as options of a command and as metadata of S3.

They are checked here by the very code that reads them in the submitter.
"""

from collections.abc import Callable, Mapping
from email.header import Header
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from core.errors import BadTranscript
from core.summaries.glossary import Glossary, one_line_glossary, parse_glossary
from core.summaries.options import Mode, Strategy, SummaryOptions
from core.transcripts.encodings import decoded
from submitter.glossaries import FILE_NAME, METADATA
from submitter.overrides import resolve_options

# S3 takes 2 KB of metadata in all; a quarter is left to the other choices and their names.
MOST_GLOSSARY_BYTES = 1_536
_CHOICES = ("words", "language", "strategy", "prompt", "times", "mode")

_Any = TypeVar("_Any", bound=Callable[..., Any])


def takes_upload_options(function: _Any) -> _Any:
    """Give a command the choices for one file; it gets those made as `choices`, and the glossary's file."""

    @click.option("--words", type=int, help="The summary's length.")
    @click.option("--language", help="To write in, by its English name; else the transcript's.")
    @click.option("--strategy", type=click.Choice(list(Strategy)), help="How to go about it.")
    @click.option("--prompt", help="A set of prompts.")
    @click.option("--times", type=click.Choice(["cite", "drop"]), help="Say when it was said?")
    @click.option("--mode", type=click.Choice(list(Mode)), help="Who reads the file.")
    @click.option(
        "--glossary",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Names to be put right, one a line.",
    )
    @wraps(function)
    def run(*arguments: Any, **given: Any) -> Any:
        chosen = {name: given.pop(name) for name in _CHOICES}
        choices = {
            f"summary-{name}": str(value) for name, value in chosen.items() if value is not None
        }
        return function(*arguments, choices=choices, **given)

    return run  # type: ignore[return-value]


def checked_options(
    options: SummaryOptions, *, key: str, choices: Mapping[str, str]
) -> SummaryOptions:
    """Return the options with the choices made for one file. Raises UsageError."""
    try:
        return resolve_options(options, key=key, metadata=choices)
    except BadTranscript as exc:
        raise click.UsageError(
            str(exc).removesuffix("; correct it and upload the file again")
        ) from None


def glossary_in(file: Path | None) -> Glossary:
    """Read a glossary's file. Raises UsageError where it is no text, or has a line that says nothing."""
    if file is None:
        return Glossary()
    glossary = parse_glossary(_text(file), source=str(file))
    if glossary.notes:
        raise click.UsageError("; ".join(glossary.notes))
    return glossary


def glossary_metadata(file: Path | None) -> dict[str, str]:
    """Return a glossary's file as metadata, encoded as S3 wants what is not ASCII. Raises UsageError."""
    if file is None:
        return {}
    glossary = glossary_in(file)
    lines = (" ".join(line.split()) for line in _text(file).lstrip("\ufeff").splitlines())
    value = "; ".join(line for line in lines if line and not line.startswith("#"))
    if one_line_glossary(value, source="it") != glossary:
        raise click.UsageError(
            f"{file} has a semicolon in a name, which metadata can't hold: put the file beside the"
            f" transcripts as {FILE_NAME}"
        )
    if not value.isascii():
        value = Header(value, "utf-8").encode(maxlinelen=0)
    if len(value) > MOST_GLOSSARY_BYTES:
        raise click.UsageError(
            f"{file} takes {len(value):,} bytes and S3's metadata leave {MOST_GLOSSARY_BYTES:,} for it: put"
            f" it beside the transcripts as {FILE_NAME}, where it holds for all files of that folder"
        )
    return {METADATA: value} if value else {}


def _text(file: Path) -> str:
    try:
        return decoded(file.read_bytes())
    except BadTranscript as exc:
        raise click.UsageError(f"{file}: {exc}") from None
