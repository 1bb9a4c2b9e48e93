"""Google Speech-to-Text, v1 and v2: a response, an operation that holds one, or a batch result."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from core.transcripts.formats.members import Member
from core.transcripts.turns import Segment, fullest, segments_of_words, speaker_name

LOOKED_FOR = "results[].alternatives (Google Speech-to-Text)"


def looks_like(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if isinstance(document.get("response"), dict):
        return looks_like(document["response"])
    results = document.get("results")
    if isinstance(results, dict):  # v2's batch: a result for each file
        return any(_of_one_file(result) is not None for result in results.values())
    return isinstance(results, list) and any(
        isinstance(result, dict) and "alternatives" in result for result in results
    )


def segments(document: Member) -> Iterable[Segment]:
    if document.get("response") is not None:
        return segments(document.member("response"))
    if isinstance(document.get("results"), dict):
        files = document.get("results").values()
        return [segment for file in files for segment in _of_results(Member(_of_one_file(file)))]
    return _of_results(document)


def _of_one_file(result: Any) -> Any:
    """Return the response in a file's result of a batch, or None."""
    if isinstance(result, dict) and isinstance(result.get("inlineResult"), dict):
        result = result["inlineResult"]
    transcript = result.get("transcript") if isinstance(result, dict) else None
    return transcript if isinstance(transcript, dict) else None


def _of_results(response: Member) -> list[Segment]:
    results = list(response.each("results"))
    channels = [result.text("channelTag", "channel_tag") for result in results]
    has_channels = len(set(channels) - {"", "0"}) > 1
    each = [
        _of_result(result, channel=channel if has_channels else "")
        for result, channel in zip(results, channels, strict=True)
    ]
    if _repeats(results):
        return fullest([each[-1], chain.from_iterable(each[:-1])])
    return list(chain.from_iterable(each))


def _of_result(result: Member, *, channel: str) -> list[Segment]:
    alternative = result.first("alternatives")
    words = list(_words(alternative))
    ends_at = result.seconds("resultEndTime", "resultEndOffset", "result_end_time")
    plain = Segment("", alternative.text("transcript"), None, ends_at)
    if words:
        plain = plain._replace(starts_at=words[0].starts_at)
    has_speakers = any(word.speaker for word in words)
    by_word = segments_of_words(words)
    found = fullest([by_word, [plain]] if has_speakers else [[plain], by_word])
    if not channel:
        return found
    return [
        segment._replace(speaker=f"Channel {channel} {segment.speaker}".strip())
        for segment in found
    ]


def _words(alternative: Member) -> Iterator[Segment]:
    for word in alternative.each("words"):
        yield Segment(
            _name(word),
            word.text("word").partition("|")[0],  # Japanese comes with its reading: 港|ミナト
            word.seconds("startTime", "startOffset", "start_time", "start_offset"),
            word.seconds("endTime", "endOffset", "end_time", "end_offset"),
        )


def _name(word: Member) -> str:
    label = word.get("speakerLabel") or word.get("speaker_label")
    if label:
        return speaker_name(label, first=1)
    tag = word.get("speakerTag") or word.get("speaker_tag")
    return speaker_name(tag, first=1) if tag else ""  # 0: not told


def _repeats(results: list[Member]) -> bool:
    """Say whether the last result tells all the words before it again, as v1 does with speakers."""
    *before, last = (
        [word.text for word in _words(result.first("alternatives"))]
        for result in results or [Member(None)]
    )
    if not before:
        return False
    earlier = list(chain.from_iterable(before))
    if earlier:
        return last[: len(earlier)] == earlier
    # Words only with the speakers, at the end: the results before it have the same as text.
    told = " ".join(result.first("alternatives").text("transcript") for result in results[:-1])
    return bool(last) and told.split() == last
