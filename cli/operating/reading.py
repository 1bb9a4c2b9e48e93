"""`read`: how a file would be read and what its summary would take, without a stack and without a cent.

The same code reads it as in the submitter, and the same engine plans the calls.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import answers as kept
from cli.operating.estimating import Estimate, estimate
from cli.operating.upload_options import checked_options, glossary_in, takes_upload_options
from cli.parameters import ROOT, parameters
from core.aws.names import is_transcript_name
from core.errors import BadTranscript
from core.summaries.goals import WritingLimits
from core.summaries.models import PROFILES, ModelProfile
from core.summaries.options import Mode, SummaryOptions
from core.summaries.passages import Passages, numbered
from core.transcripts.encodings import encoding_of
from core.transcripts.formats import office, pdf
from core.transcripts.reader import Transcript, read_transcript
from core.transcripts.turns import Turn
from core.words import count_words

_SHOWN_SPEAKERS = 8
_GZIP = b"\x1f\x8b"
_LONGEST_SHOWN = 400  # characters of a turn


@dataclass(frozen=True, kw_only=True)
class Read:
    file: Path
    size_bytes: int
    transcript: Transcript
    encoding: str  # "" where the format has its own
    passages: Passages
    speakers: Mapping[str, int]  # words of each, the most first
    estimate: Estimate
    warnings: tuple[str, ...]


@click.command("read")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--turns", default=3, show_default=True, help="So many first and last turns.")
@click.option(
    "--profile", type=click.Choice(sorted(PROFILES)), help="Model; by default deploy.toml's."
)
@click.option("--max-model-len", type=int, help="Context in tokens; by default deploy.toml's.")
@click.option("--json", "as_json", envvar="SUMMARIES_JSON", is_flag=True, help="Print JSON alone.")
@takes_upload_options
def read_command(
    file: Path,
    turns: int,
    profile: str | None,
    max_model_len: int | None,
    choices: Mapping[str, str],
    glossary: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show how a FILE would be read, and what its summary would take. Nothing is uploaded."""
    defaults = _parameters()
    profile = profile or defaults["ModelProfile"]
    limits = _limits(defaults, PROFILES[profile], max_model_len)
    options = _options(defaults, PROFILES[profile], limits)
    options = checked_options(options, key=file.name, choices=choices)
    try:
        read = _read(file, options, limits, defaults, profile=profile, glossary=glossary)
    except BadTranscript as exc:
        if as_json:
            refusal = {"code": exc.code, "message": str(exc)}
            click.echo(json.dumps({"file": str(file), "is_readable": False, **refusal}, indent=2))
            sys.exit(1)
        raise click.ClickException(f"{file} would fail with `{exc.code}`: {exc}") from None
    if as_json:
        click.echo(json.dumps(_told(read, options, turns), indent=2, ensure_ascii=False))
    else:
        _show(Console(), read, options, turns)
    if read.estimate.trouble:
        sys.exit(1)


def _parameters() -> dict[str, str]:
    """Return the template's parameters as the next deployment would set them."""
    defaults = {name: str(each.fields.get("Default", "")) for name, each in parameters().items()}
    return defaults | dict(kept.read(ROOT / "deploy.toml").parameters)


def _limits(
    values: Mapping[str, str], profile: ModelProfile, max_model_len: int | None
) -> WritingLimits:
    context = max_model_len or int(values["MaxModelLenTokens"])
    return WritingLimits(
        context_tokens=context,
        max_tokens=min(int(values["MaxTokens"]), context // 2),
        reliable_words=profile.reliable_words,
        token_budget=float(values["TokenBudget"]),
    )


def _options(
    values: Mapping[str, str], profile: ModelProfile, limits: WritingLimits
) -> SummaryOptions:
    return SummaryOptions(
        words=int(values["SummaryWords"]),
        language=values["SummaryLanguage"],
        model=values["ModelName"] or profile.served_name,
        max_tokens=limits.max_tokens,
        temperature=float(values["Temperature"]),
        top_p=float(values["TopP"]),
        with_times=values["CiteTimes"].lower() == "true",
        mode=Mode(values["Mode"]),
    )


def _read(
    file: Path,
    options: SummaryOptions,
    limits: WritingLimits,
    values: Mapping[str, str],
    *,
    profile: str,
    glossary: Path | None,
) -> Read:
    most_bytes = int(values["MaxTranscriptBytes"])
    names = glossary_in(glossary)
    body = file.read_bytes()
    if len(body) > most_bytes:
        raise BadTranscript(
            "too-large",
            f"the file has {len(body):,} bytes and MaxTranscriptBytes allows {most_bytes:,}; split it, or"
            " raise the setting",
        )
    transcript = read_transcript(body, max_bytes=most_bytes)
    transcript = replace(transcript, turns=names.applied_to_turns(transcript.turns))
    passages = numbered(transcript.turns)
    return Read(
        file=file,
        size_bytes=len(body),
        transcript=transcript,
        encoding=_encoding(body, most_bytes),
        passages=passages,
        speakers=_speakers(transcript),
        estimate=estimate(passages, options, limits, profile=profile, glossary=names),
        warnings=tuple(_warnings(file, transcript, values)),
    )


def _encoding(body: bytes, most_bytes: int) -> str:
    if body.startswith(_GZIP):
        body = gzip.decompress(body)[:most_bytes]
    return "" if office.looks_like(body) or pdf.looks_like(body) else encoding_of(body)


def _speakers(transcript: Transcript) -> Mapping[str, int]:
    words: Counter[str] = Counter()
    for turn in transcript.turns:
        words[turn.speaker] += count_words(turn.text)
    return dict(words.most_common())


def _warnings(file: Path, transcript: Transcript, values: Mapping[str, str]) -> list[str]:
    suffixes = tuple(each.strip() for each in values["InputSuffixes"].lower().split(","))
    warnings = []
    if not is_transcript_name(file.name, suffixes):
        warnings.append(f"its name does not end as InputSuffixes says: {', '.join(suffixes)}")
    if not any(turn.speaker for turn in transcript.turns):
        warnings.append("no speaker is named in it: nobody can be quoted by name")
    return warnings


def _told(read: Read, options: SummaryOptions, turns: int) -> dict[str, Any]:
    first, last = _ends(read.transcript.turns, turns)
    return {
        "file": str(read.file),
        "is_readable": True,
        "bytes": read.size_bytes,
        "format": read.transcript.format,
        "encoding": read.encoding or None,
        "turns": len(read.transcript.turns),
        "words": read.passages.words,
        "tokens": sum(each.tokens for each in read.passages.all),
        "has_times": _has_times(read),
        "speakers": [{"name": name or None, "words": n} for name, n in read.speakers.items()],
        "summary": {"words": read.estimate.words, "model": options.model},
        "rounds": [asdict(each) for each in read.estimate.rounds],
        "calls": read.estimate.calls,
        "prompt_tokens": read.estimate.prompt_tokens,
        "written_tokens": read.estimate.written_tokens,
        "prices": [asdict(each) for each in read.estimate.prices],
        "trouble": read.estimate.trouble or None,
        "warnings": list(read.warnings),
        "first_turns": [turn.line for turn in first],
        "last_turns": [turn.line for turn in last],
    }


def _has_times(read: Read) -> bool:
    return any(turn.starts_at is not None for turn in read.transcript.turns)


def _ends(turns: tuple[Turn, ...], count: int) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    first = turns[:count]
    return first, turns[max(len(first), len(turns) - count) :]


def _show(console: Console, read: Read, options: SummaryOptions, turns: int) -> None:
    told = Table.grid(padding=(0, 2))
    told.add_column(style="dim", no_wrap=True)
    told.add_column()
    tokens = sum(each.tokens for each in read.passages.all)
    as_what = ", ".join(filter(None, (read.transcript.format, read.encoding)))
    times = "with times" if _has_times(read) else "without times"
    told.add_row("read as", f"{as_what}; {read.size_bytes:,} bytes")
    told.add_row(
        "holds",
        f"{len(read.transcript.turns):,} turns {times}, {read.passages.words:,} words,"
        f" {tokens:,} tokens at most",
    )
    told.add_row("speakers", escape(_speakers_in_words(read)))
    told.add_row("summary", f"{read.estimate.words:,} words, by {escape(options.model)}")
    for number, each in enumerate(read.estimate.rounds, 1):
        told.add_row(
            f"round {number}",
            f"{each.asks}: {each.prompt_tokens:,} tokens read at most, {each.written_tokens:,} written",
        )
    told.add_row("calls", f"{read.estimate.calls}, if the model does as it is asked")
    for price in read.estimate.prices:
        told.add_row(
            f"on {price.gpus}", f"{price.variant}: {price.seconds:.0f} s, ${price.dollars:.3f}"
        )
    if not read.estimate.prices:
        told.add_row("cost", "not known: nobody has measured how fast this model is")
    console.print(f"[bold]{escape(str(read.file))}[/]", highlight=False)
    console.print(told, highlight=False)
    if read.estimate.prices:
        console.print(
            "[dim]GPU seconds alone on a worker that is up; its start and its idle time are billed too.[/]"
        )
    for warning in (*read.warnings, *filter(None, [read.estimate.trouble])):
        console.print(f"[yellow]{escape(warning)}[/]", highlight=False)
    first, last = _ends(read.transcript.turns, turns)
    console.print()
    for turn in first:
        _show_turn(console, turn)
    if len(first) + len(last) < len(read.transcript.turns):
        console.print("[dim]  …[/]")
    for turn in last:
        _show_turn(console, turn)


def _speakers_in_words(read: Read) -> str:
    total = sum(read.speakers.values()) or 1
    named = [
        f"{name or 'nobody named'} {words / total:.0%}"
        for name, words in list(read.speakers.items())[:_SHOWN_SPEAKERS]
    ]
    more = len(read.speakers) - len(named)
    return f"{len(read.speakers)}: " + ", ".join([*named, *([f"{more} more"] if more else [])])


def _show_turn(console: Console, turn: Turn) -> None:
    at = "" if turn.starts_at is None else f"{str(turn.starts_at).partition('.')[0]:>8}  "
    line = turn.line
    if len(line) > _LONGEST_SHOWN:
        line = line[:_LONGEST_SHOWN] + " …"
    console.print(f"[dim]{at}[/]{escape(line)}", highlight=False)
