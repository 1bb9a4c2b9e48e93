"""Deepgram's pre-recorded output: utterances, or the paragraphs, words or text of each channel."""

from collections.abc import Iterable, Iterator
from typing import Any

from core.transcripts.formats.members import Member
from core.transcripts.turns import (
    Segment,
    fullest,
    in_order_of_time,
    segments_of_words,
    speaker_name,
)

LOOKED_FOR = "results.channels or results.utterances (Deepgram)"


def looks_like(document: Any) -> bool:
    results = document.get("results") if isinstance(document, dict) else None
    return isinstance(results, dict) and ("channels" in results or "utterances" in results)


def segments(document: Member) -> Iterable[Segment]:
    results = document.member("results")
    channels = [channel.first("alternatives") for channel in results.each("channels")]
    has_channels = len(channels) > 1

    def of_all(read: Any) -> list[Segment]:
        found = (
            segment._replace(speaker=_name(segment.speaker, index, has_channels))
            for index, channel in enumerate(channels)
            for segment in read(channel)
        )
        return in_order_of_time(found) if has_channels else list(found)

    return fullest(
        [
            in_order_of_time(_of_utterances(results, has_channels)),
            of_all(_of_paragraphs),
            of_all(_of_words),
            of_all(_of_transcript),
        ]
    )


def _of_utterances(results: Member, has_channels: bool) -> Iterator[Segment]:
    for utterance in results.each("utterances"):
        speaker = speaker_name(utterance.get("speaker"))
        channel = utterance.get("channel")
        yield Segment(
            _name(speaker, channel if isinstance(channel, int) else 0, has_channels),
            utterance.text("transcript"),
            utterance.seconds("start"),
            utterance.seconds("end"),
        )


def _of_paragraphs(alternative: Member) -> Iterator[Segment]:
    for paragraph in alternative.member("paragraphs").each("paragraphs"):
        speaker = speaker_name(paragraph.get("speaker"))
        for sentence in paragraph.each("sentences"):
            yield Segment(
                speaker, sentence.text("text"), sentence.seconds("start"), sentence.seconds("end")
            )


def _of_words(alternative: Member) -> Iterator[Segment]:
    return segments_of_words(
        Segment(
            speaker_name(word.get("speaker")),
            word.text("punctuated_word", "word"),
            word.seconds("start"),
            word.seconds("end"),
        )
        for word in alternative.each("words")
    )


def _of_transcript(alternative: Member) -> Iterator[Segment]:
    yield Segment("", alternative.text("transcript"))


def _name(speaker: str, channel: int, has_channels: bool) -> str:
    """Return the speaker's name; Deepgram counts the speakers of each channel from 0."""
    return f"Channel {channel + 1} {speaker}".strip() if has_channels else speaker
