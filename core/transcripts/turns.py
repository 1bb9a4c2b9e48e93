"""Who said what: a format's reader finds remarks, and remarks become turns. Pure.

A remark is as small as the format has it: a caption, a segment, a word. A turn is what a person reads
as one: all that a speaker says until somebody else speaks, cut where it gets long.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

# A turn that has this many characters (about 200 words of English) ends with its sentence, and at
# the latest at the second number.
_ENOUGH_CHARACTERS = 1_200
_MOST_CHARACTERS = 1_800
# Without a word for so long, somebody is thinking or the topic changes: a turn of some length ends.
_LONG_PAUSE_SECONDS = 4.0
_LENGTH_TO_END_AT_A_PAUSE = 300
_MOST_WORDS_OF_A_REMARK = 60
_MOST_SPEAKERS = 10_000  # more is no number of a speaker
_LONGEST_NAME_CHARACTERS = 100  # of a speaker: it stands before each turn
_LONGEST_SECONDS = 10_000_000.0  # four months: more is no time in a recording

_SENTENCE_END = re.compile(r"[.!?…。！？｡؟।॥։።][\"'”’»)\]]{0,3}\Z")
_BETWEEN_SENTENCES = re.compile(
    r"(?<=[.!?…؟।॥։።])[\"'”’»)\]]*\s+|(?<=[。！？｡])(?![。！？｡”’」』）])"
)
# Thai, Lao, Burmese, Khmer, Chinese and Japanese are written without spaces between words.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
)
_SPACE_BETWEEN_UNSPACED = re.compile(rf"(?<=[{_UNSPACED}]) (?=[{_UNSPACED}])")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")  # JSON can spell half a character
_NOT_OF_A_WORD = re.compile(r"\W+")
_NUMBERED_SPEAKER = re.compile(r"(?:spk|speaker)_0*(\d{1,4})", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?")


class Segment(NamedTuple):
    speaker: str  # "" if unknown
    text: str
    starts_at: float | None = None  # seconds
    ends_at: float | None = None  # seconds
    is_apart: bool = False  # not to be joined with what was said before: it may be somebody else's


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str  # "" if unknown
    text: str
    starts_at: timedelta | None = None

    @property
    def line(self) -> str:
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def merged(segments: Iterable[Segment]) -> tuple[Turn, ...]:
    """Join neighbouring remarks of one speaker into turns."""
    turns: list[Turn] = []
    growing: _Growing | None = None
    for segment in _sendable(segments):
        if growing and growing.takes(segment):
            growing.add(segment)
            continue
        if growing:
            turns.append(growing.turn())
        growing = _Growing(segment)
    if growing:
        turns.append(growing.turn())
    return tuple(turns)


def verbatim(lines: Iterable[str]) -> tuple[Turn, ...]:
    """Make a turn of each line, as it is."""
    sendable = (_without_controls(line).rstrip() for line in lines)
    return tuple(
        Turn("", part)
        for line in sendable
        if line
        for part in (_parts(line) if len(line) > _MOST_CHARACTERS else [line])
    )


def segments_of_words(words: Iterable[Segment]) -> Iterator[Segment]:
    """Join single words of one speaker into remarks, with spaces where the script has them."""
    held: list[Segment] = []
    for word in words:
        if held and (
            word.speaker != held[-1].speaker
            or len(held) >= _MOST_WORDS_OF_A_REMARK
            or _SENTENCE_END.search(held[-1].text)
            or _pause(held[-1].ends_at, word.starts_at) > _LONG_PAUSE_SECONDS
        ):
            yield _joined(held)
            held = []
        if word.text:
            held.append(word)
    if held:
        yield _joined(held)


def spaced(words: Iterable[str]) -> str:
    return _SPACE_BETWEEN_UNSPACED.sub("", " ".join(words))


def fullest(candidates: Iterable[Iterable[Segment]]) -> list[Segment]:
    """Return the first candidate that holds all the words: none has more than a few letters more.

    Formats tell the same words several times, with more and with less about them, and what tells
    more is not always complete.
    """
    found = [list(segments) for segments in candidates]
    counted = [(segments, _letters(segments)) for segments in found]
    most = max((letters for _, letters in counted), default=0)
    return next((segments for segments, letters in counted if letters >= most * 0.98), [])


def in_order_of_time(segments: Iterable[Segment]) -> list[Segment]:
    """Sort the remarks of several channels; one without a time stays behind the one before it."""
    timed: list[tuple[float, Segment]] = []
    last = 0.0
    for segment in segments:
        last = last if segment.starts_at is None else segment.starts_at
        timed.append((last, segment))
    return [segment for _, segment in sorted(timed, key=lambda pair: pair[0])]


def speaker_name(speaker: object, *, first: int = 0) -> str:
    """Return a name to read: `spk_0`, `SPEAKER_00` and 0 are Speaker 1, `A` is Speaker A.

    `first` is the number that the format gives to its first speaker.
    """
    if isinstance(speaker, int | float) and not isinstance(speaker, bool):
        return f"Speaker {int(speaker) - first + 1}" if 0 <= speaker < _MOST_SPEAKERS else ""
    if not isinstance(speaker, str):
        return ""
    name = readable_label(speaker)
    if re.fullmatch(r"\d{1,4}", name):
        return f"Speaker {int(name) - first + 1}"
    return f"Speaker {name}" if re.fullmatch(r"[A-Z]", name) else name


def first_speaker(speakers: Iterable[object]) -> int:
    """Return the number that these speakers are counted from, 0 or 1."""
    numbers = {str(speaker) for speaker in speakers if isinstance(speaker, int | str)}
    return 1 if "1" in numbers and "0" not in numbers else 0


def readable_label(label: str) -> str:
    """Return a label as it is, but Speaker 1 for `spk_0` and `SPEAKER_00`."""
    name = _tidy(label)
    numbered = _NUMBERED_SPEAKER.fullmatch(name)
    return f"Speaker {int(numbered[1]) + 1}" if numbered else name


def seconds_of_clock(clock: str) -> float | None:
    """Return the seconds of `1:02:03.5`, `02:03` and the like, or None."""
    if clock.count(":") == 3:  # noqa: PLR2004 - a colon before the thousandths or the frames
        clock = ".".join(clock.rsplit(":", 1))
    parts = _CLOCK.fullmatch(clock.strip())
    if not parts:
        return None
    hours, minutes, seconds, fraction = parts.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole + float(f"0.{fraction or 0}")


def known_seconds(seconds: float) -> float | None:
    return seconds if 0 <= seconds < _LONGEST_SECONDS else None  # not for NaN either


class _Growing:
    """A turn that may take further remarks."""

    def __init__(self, segment: Segment) -> None:
        self._first = segment
        self._last = segment
        self._pieces = [segment.text]
        self._length = len(segment.text)

    def takes(self, segment: Segment) -> bool:
        if segment.speaker != self._first.speaker or segment.is_apart:
            return False
        if self._length + len(segment.text) > _MOST_CHARACTERS:
            return False
        if self._length >= _ENOUGH_CHARACTERS and _SENTENCE_END.search(self._last.text):
            return False
        return (
            self._length < _LENGTH_TO_END_AT_A_PAUSE
            or _pause(self._last.ends_at, segment.starts_at) < _LONG_PAUSE_SECONDS
        )

    def add(self, segment: Segment) -> None:
        self._last = segment
        self._pieces.append(segment.text)
        self._length += len(segment.text) + 1

    def turn(self) -> Turn:
        starts_at = self._first.starts_at
        return Turn(
            speaker=self._first.speaker,
            text=" ".join(self._pieces),
            starts_at=None if starts_at is None else timedelta(seconds=starts_at),
        )


def _sendable(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Leave out what no prompt can hold, and cut what is too long for one turn."""
    names: dict[str, str] = {}
    for speaker, text, starts_at, ends_at, is_apart in segments:
        if (name := names.get(speaker)) is None:
            name = names[speaker] = _short_name(speaker)
        tidy = Segment(name, _tidy(text), starts_at, ends_at, is_apart)
        if len(tidy.text) > _MOST_CHARACTERS:
            parts = [tidy._replace(text=part, ends_at=None) for part in _parts(tidy.text)]
            yield parts[0]
            yield from (part._replace(is_apart=False) for part in parts[1:])
        elif tidy.text:
            yield tidy


def _short_name(speaker: str) -> str:
    name = _tidy(speaker)
    if len(name) > _LONGEST_NAME_CHARACTERS:
        return f"{name[: _LONGEST_NAME_CHARACTERS - 1]}…"
    return name


def _parts(text: str) -> Iterator[str]:
    """Cut a long text behind its sentences, or else between words, or else anywhere."""
    start = 0
    ends = [match.end() for match in _BETWEEN_SENTENCES.finditer(text)] + [len(text)]
    for index, end in enumerate(ends):
        while end - start > _MOST_CHARACTERS:
            space = text.rfind(" ", start + 1, start + _MOST_CHARACTERS)
            cut = space + 1 if space > 0 else start + _MOST_CHARACTERS
            yield text[start:cut].strip()
            start = cut
        is_last = index == len(ends) - 1
        if end > start and (is_last or ends[index + 1] - start > _ENOUGH_CHARACTERS):
            yield text[start:end].strip()
            start = end


def _tidy(text: str) -> str:
    return " ".join(_without_controls(text).split())


def _without_controls(text: str) -> str:
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def _joined(words: list[Segment]) -> Segment:
    text = spaced(word.text for word in words)
    return Segment(words[0].speaker, text, words[0].starts_at, words[-1].ends_at)


def _pause(ends_at: float | None, starts_at: float | None) -> float:
    return 0.0 if ends_at is None or starts_at is None else starts_at - ends_at


def _letters(segments: list[Segment]) -> int:
    return sum(len(_NOT_OF_A_WORD.sub("", segment.text)) for segment in segments)
