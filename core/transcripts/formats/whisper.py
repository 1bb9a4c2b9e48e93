"""What Whisper and its relatives write: OpenAI's API, whisper, faster-whisper, WhisperX, whisper.cpp,
Hugging Face pipelines, and RunPod's worker-faster_whisper, bare or as RunPod's /status wraps it.
"""

from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from core.transcripts.formats import captions
from core.transcripts.formats.members import Member
from core.transcripts.turns import Segment, first_speaker, fullest, segments_of_words, speaker_name

LOOKED_FOR = "segments, chunks or text (Whisper and its relatives)"
_NAMES = ("speaker_name", "speakerName", "voice")  # beside a number
_LONGEST_SEGMENT_SECONDS = 150.0  # half of all take more: then the numbers are of thousandths
_LISTS = ("segments", "chunks", "transcription")
# `text` alone is no sign: any message has one. These are what stands beside it in Whisper's output.
_BESIDE_TEXT = {
    "task", "language", "language_code", "language_probability", "duration", "words", "segments",
    "usage", "logprobs", "x_groq", "text", "type", "detected_language", "language_probs",
}  # fmt: skip


def looks_like(document: Any) -> bool:
    if isinstance(document, list):
        return bool(document) and all(
            isinstance(item, dict)
            and "text" in item
            and not {"start", "timestamp"}.isdisjoint(item)
            for item in document
        )
    if not isinstance(document, dict):
        return False
    if any(isinstance(document.get(name), list) for name in _LISTS):
        return True
    if isinstance(document.get("transcription"), str | dict):
        return True
    return isinstance(document.get("text"), str) and _BESIDE_TEXT.issuperset(document)


def segments(document: Member) -> Iterable[Segment]:
    if isinstance(document.value, list):
        return list(_of_segments(document.items()))
    candidates: list[Iterable[Segment]] = [
        list(_of_segments(document.each(name)))
        for name in _LISTS
        if isinstance(document.get(name), list)
    ]
    if isinstance(document.get("transcription"), dict):
        candidates.append(segments(document.member("transcription")))
    elif isinstance(document.get("transcription"), str):
        candidates.append(_of_text(document.text("transcription")))
    candidates.append(_of_text(document.text("text")))
    return fullest(candidates)


def _of_segments(segments: Iterable[Member]) -> Iterator[Segment]:
    segments = list(segments)
    unit = _unit(segments)
    first = first_speaker(segment.get("speaker") for segment in segments)
    for segment in segments:
        named = next(filter(None, map(segment.get, _NAMES)), None)
        whole = Segment(
            speaker_name(segment.get("speaker") if named is None else named, first=first),
            segment.text("text"),
            _time(segment, "start", 0, unit),
            _time(segment, "end", 1, unit),
        )
        words = _words(segment, whole.speaker)
        if len({word.speaker for word in words}) > 1:
            yield from fullest([segments_of_words(words), [whole]])
        else:
            yield whole


def _unit(segments: list[Member]) -> float:
    """Return the seconds of the times: some who write segments count thousandths."""
    lengths = [
        float(end - start)
        for segment in segments
        if isinstance(start := segment.get("start"), int)
        and isinstance(end := segment.get("end"), int)
    ]
    return 0.001 if lengths and median(lengths) > _LONGEST_SEGMENT_SECONDS else 1.0


def _words(segment: Member, speaker: str) -> list[Segment]:
    """Return the words if they have speakers; one without goes to whoever spoke before it."""
    if not isinstance(segment.get("words"), list):
        return []
    words = []
    for word in segment.each("words"):
        speaker = speaker_name(word.get("speaker")) or speaker
        words.append(
            Segment(
                speaker,
                word.text("word", "text").strip(),
                word.seconds("start"),
                word.seconds("end"),
            )
        )
    return words


def _time(segment: Member, name: str, index: int, unit: float) -> float | None:
    """Return a time from `start`, from `timestamp: [start, end]` or from `timestamps.from`."""
    if (pair := segment.get("timestamp")) is not None:
        at = pair[index : index + 1] if isinstance(pair, list) else []
        return Member({name: at[0]}).seconds(name) if at else None
    if isinstance(segment.get("timestamps"), dict):
        return segment.member("timestamps").seconds("to" if index else "from")
    return segment.seconds(name, unit=unit)


def _of_text(text: str) -> list[Segment]:
    """RunPod's worker can put captions into the text."""
    if captions.looks_like_webvtt(text) or captions.looks_like_subrip(text):
        return captions.segments(text)
    return [Segment("", text)]
