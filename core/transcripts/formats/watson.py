"""IBM Watson Speech to Text: words with times in the results, and beside them who speaks from when on."""

from collections.abc import Iterable, Iterator
from typing import Any

from core.transcripts.formats.members import Member
from core.transcripts.turns import Segment, segments_of_words, speaker_name

LOOKED_FOR = "results and speaker_labels (IBM Watson)"
_WORD_AND_TIMES = 3


def looks_like(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("results"), list)
        and isinstance(document.get("speaker_labels"), list)
    )


def segments(document: Member) -> Iterable[Segment]:
    speakers = {
        label.seconds("from"): speaker_name(label.get("speaker"))
        for label in document.each("speaker_labels")
    }
    return segments_of_words(_words(document, speakers))


def _words(document: Member, speakers: dict[float | None, str]) -> Iterator[Segment]:
    speaker = ""
    for result in document.each("results"):
        for timed in result.first("alternatives").each("timestamps"):
            if not isinstance(timed.value, list) or len(timed.value) < _WORD_AND_TIMES:
                continue
            text, *times = timed.value[:_WORD_AND_TIMES]
            at = Member(dict(zip(("from", "to"), times, strict=True)))
            starts_at = at.seconds("from")
            speaker = speakers.get(starts_at, speaker)
            if isinstance(text, str):
                yield Segment(speaker, text, starts_at, at.seconds("to"))
