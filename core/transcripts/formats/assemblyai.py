"""AssemblyAI's transcript object: utterances, or words, or text. Its times are milliseconds."""

from collections.abc import Iterable, Iterator
from typing import Any

from core.transcripts.formats.members import Member
from core.transcripts.turns import Segment, fullest, segments_of_words, speaker_name

LOOKED_FOR = "utterances, or text and audio_url (AssemblyAI)"
_MILLISECOND = 0.001


def looks_like(document: Any) -> bool:
    if not isinstance(document, dict) or "results" in document:
        return False
    return isinstance(document.get("utterances"), list) or (
        "text" in document and "audio_url" in document
    )


def segments(document: Member) -> Iterable[Segment]:
    words = segments_of_words(_segments(document.each("words")))
    plain = [Segment("", document.text("text"))]
    return fullest([_segments(document.each("utterances")), words, plain])


def _segments(members: Iterable[Member]) -> Iterator[Segment]:
    for member in members:
        yield Segment(
            _name(member),
            member.text("text"),
            member.seconds("start", unit=_MILLISECOND),
            member.seconds("end", unit=_MILLISECOND),
        )


def _name(member: Member) -> str:
    """Return the speaker's name; with channels the speaker is the channel: `1`, or `1A`."""
    speaker = member.get("speaker")
    if member.get("channel") is None or not isinstance(speaker, str):
        return speaker_name(speaker, first=1)
    number = speaker.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if not number.isdecimal():
        return speaker_name(speaker)
    return f"Channel {number} {speaker_name(speaker[len(number) :])}".strip()
