"""What a job's calls read and write, stage by stage. Pure.

    level 0   the transcript, in chunks
    level n   the notes that a stage of calls took on level n-1, joined and cut into chunks again

    notes     each call reads a section of a level and takes notes of it
    compose   each call reads a share of the top level and writes its share of the summary

A transcript that fits is one composing call on level 0. A longer one gets notes, as many levels as it
takes until composing fits; a model whose context is too small to write the summary in one call writes
it in parts. What came out too short, too long or cut off, or was too long for the model after all, is
asked for again in smaller shares, with the request corrected by what the model made of the last one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import PipelineError
from core.summaries.chunks import partition


class Kind(StrEnum):
    NOTES = "notes"
    COMPOSE = "compose"


class Strategy(StrEnum):
    AUTO = "auto"  # one call where the transcript fits the model
    SECTIONS = "sections"  # notes of sections first, also where it would fit


class PlanImpossibleError(PipelineError):
    """No number of calls makes this summary with this model; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one call reads and writes."""

    kind: Kind
    level: int
    first: int  # it reads the chunks first .. last - 1 of the level
    last: int
    words: int  # its share of what the stage shall write
    # What the model is asked for: the share, corrected by what it made of earlier requests.
    requested_words: int

    @property
    def chunks(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request may hold."""

    context_tokens: int  # the deployment's MAX_MODEL_LEN
    max_tokens: int  # the most that an answer may have
    prompt_overhead_tokens: int  # the longest prompt without the text that it is about

    def available_tokens(self, words: int) -> int:
        """Return the tokens of text that a request for so many words can be about."""
        return self.context_tokens - self.prompt_overhead_tokens - self.answer_tokens(words)

    def answer_tokens(self, words: int) -> int:
        """Return the tokens an answer of so many words may need."""
        return min(self.max_tokens, math.ceil(words * _TOKENS_PER_WORD_OUT * _SURPLUS) + 64)

    @property
    def longest_words(self) -> int:
        """Return how many words one answer can have."""
        return max(1, int(self.max_tokens / _TOKENS_PER_WORD_OUT))

    def can_write(self, words: int) -> bool:
        return words * _TOKENS_PER_WORD_OUT <= self.max_tokens

    def parts_of(self, words: int) -> int:
        """Return in how many answers at least so many words can be written."""
        return max(1, math.ceil(words * _TOKENS_PER_WORD_OUT / self.max_tokens))

    @property
    def chunk_tokens(self) -> int:
        """Return the most that one chunk of a level may have."""
        return max(64, min(1_000, self.available_tokens(_NOTES_WORDS[1]) // 4))


@dataclass(frozen=True, kw_only=True)
class Written:
    """The text that a task produced, by its measures."""

    task: Task
    words: int
    was_cut: bool = False  # the model stopped at its token limit
    overflowed: bool = False  # the model refused the prompt as too long


_TOKENS_PER_WORD_OUT = 1.5  # 6,000 tokens for 4,000 words
_SURPLUS = 1.25  # models count words badly
_SHARE_OF_SHORT = 0.4  # a transcript too short for the target is summarised in so much of its words
_LEAST_WORDS = 50  # unless there are fewer to begin with
# A shorter summary is as it is: a sentence more or less is a large share.
WORTH_REPAIRING_WORDS = 200
# Notes have so many times the summary's words: what to leave out is chosen late.
_NOTES_SURPLUS = 2.2
_NOTES_WORDS = (150, 1_500)  # fewest and most words of one call's notes
_NOTES_SHARE = 0.5  # and at most this share of what they are taken of
_LEAST_PART_WORDS = 400  # shorter parts would read like a list
_MAX_LEVELS = 8
_MOST_SPLIT = 6
_YIELD = (0.3, 3.0)  # what a model makes of a request is believed within these bounds


def target_words(wanted: int, transcript_words: int) -> int:
    """Return the summary's length: what is wanted, or in proportion where there is too little to say."""
    in_proportion = max(_LEAST_WORDS, round(transcript_words * _SHARE_OF_SHORT))
    return max(1, min(wanted, in_proportion, transcript_words))


def plan_stage(
    level: int,
    tokens: Sequence[int],
    words: int,
    *,
    target: int,
    limits: Limits,
    strategy: Strategy = Strategy.AUTO,
) -> list[Task]:
    """Return the calls to make on a level of so many tokens a chunk: composing if it fits, else notes.

    `words` are the words of the whole level. Raises PlanImpossibleError.
    """
    wants_notes = strategy is Strategy.SECTIONS and level == 0 and len(tokens) > 1
    composing = [] if wants_notes else _composing(level, tokens, target=target, limits=limits)
    if composing:
        return composing
    if level >= _MAX_LEVELS:
        raise PlanImpossibleError(
            "notes of notes do not get shorter; does the model follow its prompt?"
        )
    return _noting(level, tokens, words, target=target, limits=limits)


def plan_repair(
    written: Sequence[Written],
    tokens: Sequence[int],
    *,
    target: int,
    limits: Limits,
    least_share: float | None,
) -> list[list[Task]]:
    """Return, for each slot, the tasks that replace it; none where it stands.

    A summary is too short below `least_share` of its target and too long as far above it; notes can only
    be too short. None leaves the length as it is. What overflowed is replaced in any case.
    """
    if least_share is None:
        return [_redone(each, tokens, limits) if each.overflowed else [] for each in written]
    is_notes = written[0].task.kind is Kind.NOTES
    wanted = sum(each.task.words for each in written) if is_notes else target
    total = sum(each.words for each in written)
    is_short = total < wanted * least_share
    is_long = total > wanted * (2 - least_share) and not is_notes
    return [
        _redone(each, tokens, limits)
        if _is_bad(each, is_short=is_short, is_long=is_long, least_share=least_share)
        else []
        for each in written
    ]


def _is_bad(each: Written, *, is_short: bool, is_long: bool, least_share: float) -> bool:
    return (
        each.overflowed
        or each.was_cut
        or (is_short and each.words < each.task.words * least_share)
        or (is_long and each.words > each.task.words * (2 - least_share))
    )


def _redone(each: Written, tokens: Sequence[int], limits: Limits) -> list[Task]:
    task = each.task
    if each.overflowed and task.chunks == 1:
        raise PlanImpossibleError(
            "the endpoint refuses even the smallest prompt as too long; set MaxModelLenTokens to what"
            " it really serves"
        )
    if each.overflowed:
        return _split(task, tokens, shares=2, made_of_ask=1.0)
    if each.was_cut and each.words < task.words:  # else it was asked for less, not for shares
        shares = max(2, math.ceil(task.words / max(each.words, _LEAST_PART_WORDS)))
        return _split(task, tokens, shares=shares, made_of_ask=1.0)
    made_of_ask = min(max(each.words / task.requested_words, _YIELD[0]), _YIELD[1])
    shares = 1
    if each.words < task.words:
        shares = max(2, math.ceil(task.words / max(each.words, _LEAST_PART_WORDS)))
        longest = limits.max_tokens / _TOKENS_PER_WORD_OUT
        shares = max(shares, math.ceil(task.words / made_of_ask / longest))
    return _split(task, tokens, shares=shares, made_of_ask=made_of_ask)


def _split(task: Task, tokens: Sequence[int], *, shares: int, made_of_ask: float) -> list[Task]:
    ranges = partition(tokens[task.first : task.last], min(shares, _MOST_SPLIT))
    words = math.ceil(task.words / len(ranges))
    return [
        replace(
            task,
            first=task.first + first,
            last=task.first + last,
            words=words,
            requested_words=max(1, round(words / made_of_ask)),
        )
        for first, last in ranges
    ]


def _composing(level: int, tokens: Sequence[int], *, target: int, limits: Limits) -> list[Task]:
    # A transcript is composed whole or not at all: who wrote a part of it would not know the rest.
    most_parts = 1 if level == 0 else max(target // _LEAST_PART_WORDS, limits.parts_of(target))
    for parts in range(1, min(most_parts, len(tokens)) + 1):
        words = math.ceil(target / parts)
        ranges = partition(tokens, parts)
        fullest = max(sum(tokens[first:last]) for first, last in ranges)
        if limits.can_write(words) and fullest <= limits.available_tokens(words):
            return _tasks(Kind.COMPOSE, level, ranges, words)
    return []


def _noting(
    level: int, tokens: Sequence[int], words: int, *, target: int, limits: Limits
) -> list[Task]:
    fewest_words = min(_NOTES_WORDS[0], limits.longest_words)
    most_words = min(_NOTES_WORDS[1], limits.longest_words)
    room = limits.available_tokens(most_words)
    if room < max(tokens):
        raise PlanImpossibleError(
            f"a context of {limits.context_tokens:,} tokens leaves no room for a chunk of the transcript;"
            " serve the model with a larger MAX_MODEL_LEN and set MaxModelLenTokens to it"
        )
    # Enough sections for the notes to be rich, though each call writes only so much.
    richest = math.ceil(target * _NOTES_SURPLUS / most_words)
    sections = min(max(math.ceil(sum(tokens) / room), richest, 2), len(tokens))
    while True:
        ranges = partition(tokens, sections)
        if max(sum(tokens[first:last]) for first, last in ranges) <= room:
            break
        sections += 1
    words_each = round(target * _NOTES_SURPLUS / len(ranges))
    most_of_section = max(1, round(words / len(ranges) * _NOTES_SHARE))
    words_each = min(max(words_each, fewest_words), most_words, most_of_section)
    return _tasks(Kind.NOTES, level, ranges, words_each)


def _tasks(kind: Kind, level: int, ranges: list[tuple[int, int]], words: int) -> list[Task]:
    return [
        Task(kind=kind, level=level, first=first, last=last, words=words, requested_words=words)
        for first, last in ranges
    ]
