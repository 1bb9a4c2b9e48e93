"""Amazon Transcribe's output: batch jobs, and Call Analytics.

The words stand in it up to three times: `transcripts` (text only), `items` (a word each) and, since
2024, `audio_segments` (a sentence or so each, with its speaker or channel).
"""

import re
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

LOOKED_FOR = "results.transcripts or results.items (Amazon Transcribe)"
_OURS = {"transcripts", "items", "audio_segments", "speaker_labels", "channel_labels"}


def looks_like(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    results = document.get("results")
    if isinstance(results, dict):
        return not _OURS.isdisjoint(results)
    return isinstance(document.get("Transcript"), list)


def segments(document: Member) -> Iterable[Segment]:
    if document.get("Transcript") is not None:
        return _of_call_analytics(document)
    results = document.member("results")
    channels = list(results.member("channel_labels").each("channels"))
    if channels:
        by_item = in_order_of_time(
            segment for channel in channels for segment in _of_channel(channel, results)
        )
    else:
        by_item = list(_of_items(results.each("items"), _speakers(results)))
    plain = [Segment("", part.text("transcript")) for part in results.each("transcripts")]
    return fullest([in_order_of_time(_of_segments(results)), by_item, plain])


def _of_segments(results: Member) -> Iterator[Segment]:
    for segment in results.each("audio_segments"):
        yield Segment(
            _name(segment),
            segment.text("transcript"),
            segment.seconds("start_time"),
            segment.seconds("end_time"),
        )


def _of_channel(channel: Member, results: Member) -> Iterator[Segment]:
    name = _name(channel)
    for segment in _of_items(channel.each("items"), _speakers(results)):
        yield segment._replace(speaker=segment.speaker or name)


def _of_items(items: Iterable[Member], speakers: dict[float, str]) -> Iterator[Segment]:
    return segments_of_words(_words(items, speakers))


def _words(items: Iterable[Member], speakers: dict[float, str]) -> Iterator[Segment]:
    """Give each word with the punctuation behind it, which is an item of its own."""
    word: Segment | None = None
    for item in items:
        content = item.first("alternatives").text("content")
        if item.get("type") == "punctuation" and word:
            word = word._replace(text=word.text + content)
            continue
        if word:
            yield word
        starts_at = item.seconds("start_time")
        speaker = speaker_name(item.get("speaker_label"))
        if not speaker and starts_at is not None:
            speaker = speakers.get(starts_at, "")
        word = Segment(speaker, content, starts_at, item.seconds("end_time"))
    if word:
        yield word


def _speakers(results: Member) -> dict[float, str]:
    """Return who speaks from which second on: older output has it only beside the items."""
    speakers: dict[float, str] = {}
    for segment in results.member("speaker_labels").each("segments"):
        for item in segment.each("items"):
            starts_at = item.seconds("start_time")
            if starts_at is not None:
                label = item.get("speaker_label") or segment.get("speaker_label")
                speakers[starts_at] = speaker_name(label)
    return speakers


def _name(member: Member) -> str:
    speaker = speaker_name(member.get("speaker_label"))
    channel = member.get("channel_label")
    if speaker or not isinstance(channel, str):
        return speaker
    numbered = re.fullmatch(r"ch_(\d{1,4})", channel)
    return f"Channel {int(numbered[1]) + 1}" if numbered else channel


def _of_call_analytics(document: Member) -> Iterator[Segment]:
    for turn in document.each("Transcript"):
        role = turn.text("ParticipantRole")
        yield Segment(
            role.capitalize(),
            turn.text("Content"),
            turn.seconds("BeginOffsetMillis", unit=0.001),
            turn.seconds("EndOffsetMillis", unit=0.001),
        )
