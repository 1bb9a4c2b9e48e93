"""What all calls listed, each thing once, and of the quotes only those that were said. Pure."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.summaries.ledger import Entry, Ledger, ProposedQuote
from core.summaries.quotes import QuoteFinder
from core.summaries.spoken import row

MOST_QUOTES = 8
_LEAST_SAME = 0.6  # of the content words of the shorter: two entries that share more tell the same
_LEAST_SAME_OF_LONGER = 0.36
_MARKS = "\"'“”„«»‘’‚「」『』 "
_NEGATION = frozenset(row("not no never without against nicht kein keine pas non inte niet ikke"))
_SMALL = frozenset(
    row("the a an to of and in on for with by that this it is be will was are from at as")
)


@dataclass(frozen=True, kw_only=True)
class Quote:
    words: str  # as the transcript has them
    speaker: str
    turn: int


@dataclass(frozen=True, kw_only=True)
class Registers:
    decisions: tuple[Entry, ...] = ()
    actions: tuple[Entry, ...] = ()
    questions: tuple[Entry, ...] = ()  # those that stayed open
    answered: int = 0  # questions that did not
    quotes: tuple[Quote, ...] = ()
    dropped_quotes: int = 0  # proposed, and nowhere said
    tidied_quotes: int = 0  # published in the transcript's own words
    moved_quotes: int = 0  # given to the turn, and so perhaps the speaker, that they are of
    wrong_numbers: int = 0


def merged(ledgers: Iterable[Ledger], finder: QuoteFinder) -> Registers:
    """Put the entries of several calls together, in the order of the conversation."""
    parts = list(ledgers)
    questions = _distinct(entry for part in parts for entry in part.questions)
    proposed = [quote for part in parts for quote in part.quotes]
    quotes, dropped, tidied, moved = _verified(proposed, finder)
    return Registers(
        decisions=_with_reversals(_distinct(entry for part in parts for entry in part.decisions)),
        actions=_distinct(entry for part in parts for entry in part.actions),
        questions=tuple(entry for entry in questions if not entry.ended_at),
        answered=sum(bool(entry.ended_at) for entry in questions),
        quotes=_spread(quotes),
        dropped_quotes=dropped,
        tidied_quotes=tidied,
        moved_quotes=moved,
        wrong_numbers=sum(part.wrong_numbers for part in parts),
    )


def _verified(
    proposed: Iterable[ProposedQuote], finder: QuoteFinder
) -> tuple[list[Quote], int, int, int]:
    quotes: list[Quote] = []
    dropped = tidied = moved = 0
    for quote in proposed:
        located = finder.find(quote.words.strip(_MARKS), near=quote.turn)
        if located is None:
            dropped += 1
            continue
        passage = located.passage
        tidied += not located.is_verbatim
        moved += bool(quote.turn) and finder.passages[quote.turn].speaker != passage.speaker
        if all(located.words not in other.words for other in quotes):
            quotes.append(Quote(words=located.words, speaker=passage.speaker, turn=passage.number))
    return quotes, dropped, tidied, moved


def _spread(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Keep the most there may be, from all over the conversation: of two close ones the longer."""
    ordered = sorted(quotes, key=lambda quote: quote.turn)
    while len(ordered) > MOST_QUOTES:
        gaps = [after.turn - before.turn for before, after in itertools.pairwise(ordered)]
        at = gaps.index(min(gaps))
        del ordered[at if len(ordered[at].words) < len(ordered[at + 1].words) else at + 1]
    return tuple(ordered)


def _distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    kept: list[Entry] = []
    contents: list[frozenset[str]] = []
    for entry in sorted(entries, key=lambda each: each.turn):
        content = _content(entry.what)
        twin = next((at for at, other in enumerate(contents) if _is_same(content, other)), None)
        if twin is None:
            kept.append(entry)
            contents.append(content)
            continue
        first = kept[twin]
        kept[twin] = replace(
            first,
            who=first.who or entry.who,
            detail=first.detail or entry.detail,
            turn=first.turn or entry.turn,
            ended_at=first.ended_at or entry.ended_at,
            reverses=first.reverses or entry.reverses,
        )
    return tuple(kept)


def _is_same(one: frozenset[str], other: frozenset[str]) -> bool:
    if bool(_NEGATION & one) != bool(_NEGATION & other):
        return False
    shared, shorter, longer = len(one & other), min(len(one), len(other)), max(len(one), len(other))
    return shared >= max(1, _LEAST_SAME * shorter) and shared >= _LEAST_SAME_OF_LONGER * longer


def _with_reversals(decisions: Sequence[Entry]) -> tuple[Entry, ...]:
    """Let a decision that a later one reverses say so: the later one names its turn."""
    reversed_at = {
        entry.reverses: entry.turn for entry in decisions if 0 < entry.reverses < entry.turn
    }
    return tuple(
        replace(entry, ended_at=reversed_at.get(entry.turn, 0) if entry.turn else 0)
        for entry in decisions
    )


def _content(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold())) - _SMALL
