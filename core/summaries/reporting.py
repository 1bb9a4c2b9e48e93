"""The facts of a summary, from what its answers came to. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from core.summaries.asks import AskKind
from core.summaries.checks import Fault, numbers_in
from core.summaries.facts import Check, Cost, Outcome
from core.summaries.judging import Judge
from core.summaries.passages import Passages, Range
from core.summaries.progress import Progress
from core.summaries.quoted import QuoteCount
from core.summaries.sections import Paragraph
from core.summaries.spoken import tokens

LENGTH_TOLERANCE = 0.1
_LONG_STRETCH_WORDS, _LONG_STRETCH_SHARE = 400, 0.5
_MOST_NAMED = 5  # stretches, in the facts
_FEW_QUOTES = 2  # dropped; so many say nothing about a model
_TOLERANCE_WORDS = 20  # a few words more or less are a large share of few
_MENDED_FAULTS = (
    *(Fault.REFUSED, Fault.LOOPED, Fault.PROMPT, Fault.COPIED, Fault.LANGUAGE),
    *(Fault.EMPTY, Fault.CUT, Fault.FAILED),
)
_STRUCTURED = (AskKind.OUTLINE, AskKind.LEDGER)
_CODES = {Fault.EMPTY: "empty-structure"}


def fault_checks(progress: Progress, judge: Judge) -> list[Check]:
    """Return a check for each fault an answer can have: none that has one stands in the summary."""
    counts: Counter[Fault] = Counter()
    for each in progress.all_tries:
        if each.ask.kind not in _STRUCTURED and not each.overflowed:
            counts.update({judge.judged(each)[1][0]} if judge.judged(each)[1] else ())
    checks = [_mended(_CODES.get(fault, str(fault)), counts[fault]) for fault in _MENDED_FAULTS]
    if progress.language is None:
        checks = [
            replace(check, outcome=Outcome.NOT_APPLICABLE)
            if check.code == Fault.LANGUAGE
            else check
            for check in checks
        ]
    return checks


def quote_checks(count: QuoteCount) -> list[Check]:
    """Return what became of quotes: a model most of whose quotes nobody said is not to be trusted."""
    detail = (
        f"{count.verified} verified, {count.dropped} dropped, {count.tidied} put in the words said"
    )
    if not count.verified and not count.dropped:
        quote = Check(code="quote", outcome=Outcome.NOT_APPLICABLE)
    elif count.dropped > max(count.verified, _FEW_QUOTES):
        quote = Check(code="quote", outcome=Outcome.DOUBT, count=count.dropped, detail=detail)
    else:
        quote = replace(_mended("quote", count.dropped + count.tidied), detail=detail)
    return [quote, _mended("quote-speaker", count.misattributed)]


def turn_number_check(wrong: int) -> Check:
    return _mended("turn-number", wrong)


def has_about(words: int, target: int) -> bool:
    """Say whether a summary of so many words has about its length."""
    return abs(words - target) <= max(target * LENGTH_TOLERANCE, _TOLERANCE_WORDS)


def length_check(words: int, target: int) -> Check:
    return Check(
        code="length",
        outcome=Outcome.PASSED if has_about(words, target) else Outcome.DOUBT,
        detail=f"{words:,} words; {target:,} were asked for",
    )


def number_check(paragraphs: Iterable[Paragraph], passages: Passages) -> Check:
    """Note figures that are in none of the turns that their paragraph rests on."""
    count = 0
    said: dict[int, set[str]] = {}
    for paragraph in paragraphs:
        count += len(unsaid_numbers(paragraph.text, paragraph.passages, passages, said))
    return Check(code="number", outcome=Outcome.NOTED if count else Outcome.PASSED, count=count)


def unsaid_numbers(
    text: str, numbers: Sequence[int], passages: Passages, said: dict[int, set[str]]
) -> set[str]:
    """Return a text's figures that none of its passages holds; `said` keeps what is found of each."""
    told = numbers_in(text)
    return told - _numbers_said(numbers, passages, said) if told and numbers else set()


def coverage_check(parts: Iterable[tuple[Sequence[int], Set[int]]], passages: Passages) -> Check:
    """Note long stretches that no paragraph rests on: a model may have told the beginning only.

    A part is the numbers of the passages that it is about, and of those that its paragraphs rest on.
    """
    stretches = [found for about, told in parts if (found := _untold(about, told, passages))]
    if not stretches:
        return Check(code="coverage", outcome=Outcome.PASSED)
    turns = ", ".join(f"{first}-{last}" for first, last in stretches[:_MOST_NAMED])
    detail = f"no paragraph rests on turns {turns}"
    return Check(code="coverage", outcome=Outcome.NOTED, count=len(stretches), detail=detail)


def _untold(about: Sequence[int], told: Set[int], passages: Passages) -> Range | None:
    """Return the longest stretch of a part that nothing rests on, if that is most of the part."""
    words = [passages[number].words for number in about]
    longest, words_of_longest = (0, 0), 0
    begun = spoken = 0
    for at, number in enumerate(about):
        spoken = 0 if number in told else spoken + words[at]
        begun = at + 1 if number in told else begun
        if spoken > words_of_longest:
            longest, words_of_longest = (about[begun], number), spoken
    is_long = words_of_longest > max(_LONG_STRETCH_WORDS, sum(words) * _LONG_STRETCH_SHARE)
    return longest if is_long else None


def _numbers_said(
    numbers: Sequence[int], passages: Passages, said: dict[int, set[str]]
) -> set[str]:
    """Return the figures of some passages, also those that are said in words."""
    for number in numbers:
        if number not in said:
            text = passages[number].text
            in_words = {token.word for token in tokens(text) if token.word.isdigit()}
            said[number] = numbers_in(text) | in_words
    return set[str]().union(*(said[number] for number in numbers))


def tries_of(progress: Progress) -> Mapping[str, int]:
    """Return how many tries each slot took, of those that took several."""
    counts = Counter(each.ask.slot for each in progress.all_tries)
    return {slot: count for slot, count in sorted(counts.items()) if count > 1}


def cost_of(progress: Progress, chosen: Mapping[str, Sequence[int]]) -> Cost:
    """Return what a job cost; what was generated and is not in the summary is discarded."""
    kept = sum(
        each.generated_tokens
        for slot, standing in chosen.items()
        for at, each in enumerate(progress.tries(slot), 1)
        if at in standing
    )
    cost = progress.cost
    return replace(cost, discarded_tokens=cost.generated_tokens - kept)


def soft_check(code: str, count: int, *, outcome: Outcome = Outcome.DOUBT) -> Check:
    return Check(code=code, outcome=outcome if count else Outcome.PASSED, count=int(count))


def _mended(code: str, count: int) -> Check:
    return Check(code=code, outcome=Outcome.MENDED if count else Outcome.PASSED, count=count)
