"""What the checks of quotes and figures make of planted changes in otherwise good answers.

    python -m benchmarks.planted
    python -m benchmarks.planted --data FOLDER --each 1000 --json FILE

True quotes are stretches of the transcripts, tidied as models tidy them. Each is then altered by a few
words, by paraphrase, or given to somebody else, in a ledger and in prose. Figures are changed in paragraphs
that tell what was said, with their turns; where reference summaries by people lie beside the transcripts,
the note on figures is tried on these, too.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.writing import SAMPLES, transcripts
from core.summaries.ledger import Ledger, ProposedQuote
from core.summaries.passages import Passage, Passages
from core.summaries.quoted import QuotationCheck
from core.summaries.quotes import QuoteFinder
from core.summaries.registers import Quote, merged
from core.summaries.reporting import number_check
from core.summaries.sections import paragraph_of
from core.summaries.sources import likely_sources
from core.summaries.spoken import LITTLE, NOISE, tokens

_LEAST_WORDS = 6
_CONTRACTED = (("do not", "don't"), ("it is", "it's"), ("that is", "that's"), ("we will", "we'll"))
_FILLERS = frozenset(("um", "uh", "er", "erm", "mm", "hmm", "mm-hmm"))


@dataclass(frozen=True)
class Planted:
    passage: Passage
    words: str  # as a model would quote them


@dataclass(frozen=True)
class Row:
    case: str
    planted: int
    published: int  # with words, or a speaker, that are not the transcript's
    replaced: int  # by the transcript's own words
    dropped: int


class Planter:
    """Finds quotes in a transcript and spoils them, by chance from a seed."""

    def __init__(self, passages: Passages, seed: int) -> None:
        self.passages = passages
        self.rng = random.Random(seed)  # noqa: S311 - the same each time, on purpose
        self._long = [each for each in passages.all if each.words >= 2 * _LEAST_WORDS]
        words = (word for each in passages.all for word in each.text.split())
        self._vocabulary = sorted({word for word in words if word.isalpha() and len(word) > 3})

    def quote(self) -> Planted:
        while True:
            passage = self.rng.choice(self._long)
            words = passage.text.split()
            size = self.rng.randint(8, 25)
            at = self.rng.randrange(max(1, len(words) - size + 1))
            tidied = self._tidied(" ".join(words[at : at + size]))
            if len(tokens(tidied)) >= _LEAST_WORDS:
                return Planted(passage, tidied)

    def altered(self, quote: Planted) -> str:
        """Return a quote with one to three of its words replaced by others."""
        words = quote.words.split()
        content = [
            at for at, word in enumerate(words) if word.casefold().strip(".,?!") not in LITTLE
        ]
        chosen = self.rng.sample(content or [0], min(self.rng.randint(1, 3), len(content) or 1))
        for at in chosen:
            words[at] = self.rng.choice(self._vocabulary)
        return " ".join(words)

    def paraphrased(self, quote: Planted) -> str:
        """Return a quote told in another order, with a third of its content in other words."""
        words = quote.words.rstrip(".").split()
        middle = len(words) // 2
        words = [*words[middle:], "because", *words[:middle]]
        return " ".join(
            self.rng.choice(self._vocabulary)
            if word.casefold() not in LITTLE and self.rng.random() < 0.35
            else word
            for word in words
        )

    def stranger(self, passage: Passage) -> Passage | None:
        """Return a passage of somebody else."""
        others = [each for each in self._long if each.speaker and each.speaker != passage.speaker]
        return self.rng.choice(others) if others and passage.speaker else None

    def _tidied(self, text: str) -> str:
        kept: list[str] = []
        for word in NOISE.sub(" ", text).split():
            if word.strip(".,").casefold() in _FILLERS:
                continue
            if not kept or kept[-1].casefold() != word.casefold():
                kept.append(word)
        tidied = re.sub(r"\s+(?=[,.?!'])", "", " ".join(kept))
        if self.rng.random() < 0.5:
            for full, short in _CONTRACTED:
                tidied = tidied.replace(full, short)
        words = tidied.split()
        little = [at for at, word in enumerate(words[1:-1], 1) if word.casefold() in LITTLE]
        if little and self.rng.random() < 0.3:
            del words[self.rng.choice(little)]
        if len(words) > 14 and self.rng.random() < 0.2:
            words = [*words[:6], "…", *words[-6:]]
        told = " ".join(words).rstrip(".,") + "."
        return told[:1].upper() + told[1:]


def quote_rows(texts: Sequence[Passages], each: int) -> list[Row]:
    share = max(1, each // len(texts))
    planters = [Planter(passages, seed) for seed, passages in enumerate(texts)]
    finders = [QuoteFinder(passages) for passages in texts]
    cases: dict[str, Callable[[Planter, Planted], tuple[str, Passage | None]]] = {
        "true": lambda _, quote: (quote.words, quote.passage),
        "altered by 1-3 words": lambda planter, quote: (planter.altered(quote), quote.passage),
        "paraphrased": lambda planter, quote: (planter.paraphrased(quote), quote.passage),
        "given to another speaker": lambda planter, quote: (
            quote.words,
            planter.stranger(quote.passage),
        ),
    }
    return [
        _in_ledgers(case, change, planters, finders, share) for case, change in cases.items()
    ] + [_in_prose(planters, finders, share)]


def _in_ledgers(
    case: str,
    change: Callable[[Planter, Planted], tuple[str, Passage | None]],
    planters: Sequence[Planter],
    finders: Sequence[QuoteFinder],
    share: int,
) -> Row:
    planted = published = replaced = dropped = 0
    for planter, finder in zip(planters, finders, strict=True):
        for _ in range(share):
            quote = planter.quote()
            words, passage = change(planter, quote)
            if passage is None:
                continue
            planted += 1
            proposed = ProposedQuote(words=words, turn=passage.number)
            found = merged([Ledger(quotes=(proposed,))], finder).quotes
            dropped += not found
            published += any(not _is_said(each, finder.passages) for each in found)
            replaced += any(_evened(each.words) != _evened(words) for each in found)
    return Row(f"{case}, in a list", planted, published, replaced, dropped)


def _is_said(quote: Quote, passages: Passages) -> bool:
    """Return whether the turn that a quote is given to holds its words, and is its speaker's."""
    passage = passages[quote.turn]
    following = passages.of(((quote.turn + 1, quote.turn + 1),))
    text = " ".join([passage.text, *(each.text for each in following)])
    said = " ".join(NOISE.sub(" ", text).split())
    parts = [re.sub(r"\s", "", part) for part in quote.words.split(" … ")]
    return quote.speaker == passage.speaker and all(p in re.sub(r"\s", "", said) for p in parts)


def _in_prose(planters: Sequence[Planter], finders: Sequence[QuoteFinder], share: int) -> Row:
    planted = published = replaced = dropped = 0
    for planter, finder in zip(planters, finders, strict=True):
        for _ in range(share):
            quote = planter.quote()
            stranger = planter.stranger(quote.passage)
            if stranger is None:
                continue
            planted += 1
            check = QuotationCheck(finder)
            told = f"{stranger.speaker} said “{quote.words.rstrip('.')}” at that point. [{stranger.number}]"
            text = check.in_block(told)
            dropped += "“" not in text
            found = re.search(r"“(.*)”", text)
            located = finder.find(found[1], near=stranger.number) if found else None
            published += bool(located and located.passage.speaker != stranger.speaker)
            replaced += bool(located and _evened(located.words) != _evened(quote.words))
    return Row("given to another speaker, in prose", planted, published, replaced, dropped)


def _evened(words: str) -> list[str]:
    return [token.word for token in tokens(words)]


@dataclass(frozen=True)
class NumberRow:
    case: str
    figures: int
    noted: int


def number_rows(
    texts: Sequence[Passages], each: int, references: Sequence[tuple[Passages, str]]
) -> list[NumberRow]:
    rng = random.Random(3)  # noqa: S311 - the same each time, on purpose
    told: list[tuple[Passages, Passage, str]] = []
    for passages in texts:
        for passage in passages.all:
            words = [token.word for token in tokens(passage.text)]
            if any(word.isdigit() and len(word) > 1 for word in words):
                told.append((passages, passage, " ".join(words)))
    told = rng.sample(told, min(each, len(told)))
    right = changed = noted = caught = 0
    for passages, passage, text in told:
        figures = re.findall(r"\b\d{2,}\b", text)
        right += len(figures)
        noted += number_check([paragraph_of(text, (passage.number,))], passages).count
        figure = rng.choice(figures)
        wrong = text.replace(figure, str(int(figure) + rng.choice((1, 7, 10, 100))), 1)
        changed += 1
        caught += number_check([paragraph_of(wrong, (passage.number,))], passages).count > 0
    rows = [NumberRow("as said", right, noted), NumberRow("changed", changed, caught)]
    if references:
        figures_told = noted = 0
        for passages, text in references:
            for block in text.split("\n"):
                paragraph = paragraph_of(block, likely_sources(block, passages.all))
                figures_told += len(re.findall(r"\b\d[\d.,]*\b", block))
                noted += number_check([paragraph], passages).count
        rows.append(NumberRow("in summaries by people", figures_told, noted))
    return rows


def references_in(folder: Path | None) -> list[tuple[Passages, str]]:
    """Return the transcripts of a folder that have a summary by a person beside them."""
    if folder is None:
        return []
    files = sorted(folder.glob("*.txt"))
    found = zip(transcripts([folder]), files, strict=True)
    return [
        (passages, json.loads(reference.read_text())["reference_summary"])
        for passages, file in found
        if (reference := file.with_name(f"{file.stem}.reference.json")).is_file()
    ]


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), help="a folder of transcripts"
)
@click.option("--each", default=1_000, show_default=True, help="planted changes of each kind")
@click.option("--json", "file", type=click.Path(path_type=Path), help="where to write the rows")
def main(data: Path | None, each: int, file: Path | None) -> None:
    """Print both tables."""
    texts = transcripts([data or SAMPLES])
    quotes = quote_rows(texts, each)
    numbers = number_rows(texts, each, references_in(data))
    table = Table(title="Quotes: what is published of planted ones")
    for column in ("case", "planted", "wrongly published", "in the words said", "dropped"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for row in quotes:
        shares = (row.published, row.replaced, row.dropped)
        table.add_row(
            row.case, str(row.planted), *(f"{n / max(1, row.planted):.1%}" for n in shares)
        )
    figures = Table(title="Figures: what is noted")
    for column in ("case", "figures", "noted"):
        figures.add_column(column, justify="left" if column == "case" else "right")
    for number in numbers:
        share = f"{number.noted / max(1, number.figures):.1%}"
        figures.add_row(number.case, str(number.figures), share)
    console = Console(width=110)
    console.print(table)
    console.print(figures)
    if file:
        rows = [asdict(row) for row in (*quotes, *numbers)]
        file.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
