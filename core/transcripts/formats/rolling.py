"""Captions that roll: each shows the words of the one before again. They are told once."""

from collections.abc import Iterator

from core.transcripts.turns import Segment

# Rolling captions repeat the line before. They are taken for such if so many captions do.
_FEWEST_REPEATING = 3
_SHARE_REPEATING = 0.3
_ADJACENT_SECONDS = 0.25
_STAYING_SECONDS = 10.0  # a caption that rolls stays on the screen while nobody speaks
_MOST_WORDS_REPEATED = 80
_FEWEST_WORDS_REPEATED = 2
_FEWEST_WORDS_REPEATED_IN_OVERLAP = 3
_FEWEST_WORDS_REPEATED_AFTER_PAUSE = 3
_PUNCTUATION = ".,;:!?…-–—\"'“”‘’()[]♪"


def without_repetitions(segments: list[Segment]) -> Iterator[Segment]:
    """Take the words of rolling, overlapping and doubled captions once."""
    is_rolling = _is_rolling(segments)
    before: Segment | None = None
    told: list[str] = []  # the words up to here that the next caption may repeat
    seen: set[Segment] = set()  # parts of a recording put together tell some captions twice
    for segment in segments:
        if segment.starts_at is not None:
            if segment in seen:
                continue
            seen.add(segment)
        words = _comparable(segment.text)
        gap = _STAYING_SECONDS if is_rolling else _ADJACENT_SECONDS
        told = told if before and _is_adjacent(before, segment, gap) else []
        repeated = _repeated(told, words)
        if is_rolling:
            is_told = repeated > 0
        else:
            is_told = _overlap(before, segment) and (
                repeated >= _FEWEST_WORDS_REPEATED_IN_OVERLAP or repeated == len(words) == len(told)
            )
        kept = segment.text.split()[repeated if is_told else 0 :]
        if kept:
            yield segment._replace(
                text=" ".join(kept), is_apart=segment.is_apart and not (is_told and repeated)
            )
        told = (told + words[repeated if is_told else 0 :])[-_MOST_WORDS_REPEATED:]
        before = segment


def _is_rolling(segments: list[Segment]) -> bool:
    adjacent = repeating = 0
    before: Segment | None = None
    words_before: list[str] = []
    for segment in segments:
        words = _comparable(segment.text)
        if before and _is_adjacent(before, segment, _STAYING_SECONDS):
            adjacent += 1
            repeated = _repeated(words_before, words)
            if _is_adjacent(before, segment, _ADJACENT_SECONDS):
                is_some = repeated >= _FEWEST_WORDS_REPEATED or repeated == len(words_before)
            else:  # after a pause people do say the same again, and mostly in a word or two
                is_some = len(set(words[:repeated])) >= _FEWEST_WORDS_REPEATED_AFTER_PAUSE
            repeating += 0 < repeated < len(words) and is_some
        before, words_before = segment, words[-_MOST_WORDS_REPEATED:]
    return repeating >= max(_FEWEST_REPEATING, adjacent * _SHARE_REPEATING)


def _is_adjacent(before: Segment, segment: Segment, gap: float) -> bool:
    if before.speaker != segment.speaker or before.ends_at is None or segment.starts_at is None:
        return False
    if segment.is_apart and segment.starts_at == before.starts_at:
        return False  # two who speak in one caption
    return segment.starts_at - before.ends_at <= gap


def _overlap(before: Segment | None, segment: Segment) -> bool:
    if not before or before.ends_at is None or segment.starts_at is None:
        return False
    if segment.is_apart and segment.starts_at == before.starts_at:
        return False
    return segment.starts_at < before.ends_at - _ADJACENT_SECONDS


def _repeated(told: list[str], words: list[str]) -> int:
    """Return how many of the first words are the last that were told."""
    for count in range(min(len(told), len(words)), 0, -1):
        if told[-count:] == words[:count]:
            return count
    return 0


def _comparable(text: str) -> list[str]:
    return [word.strip(_PUNCTUATION) or word for word in text.casefold().split()]
