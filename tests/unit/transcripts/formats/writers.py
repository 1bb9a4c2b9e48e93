"""Small writers of each format, for tests: they turn speech into a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any


@dataclass(frozen=True)
class Said:
    speaker: int  # from 0
    words: tuple[str, ...]
    starts_at: float
    ends_at: float

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def each_word(self) -> list[tuple[str, float, float]]:
        length = (self.ends_at - self.starts_at) / len(self.words)
        return [
            (word, self.starts_at + index * length, self.starts_at + (index + 1) * length)
            for index, word in enumerate(self.words)
        ]


NAMES = ("Ann Lee", "Bo", "Cy van Dam", "Dr. Eve")


def clock(seconds: float, point: str = ".") -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"


def short_clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def webvtt_with_voices(said: Sequence[Said]) -> str:
    cues = (
        f"{clock(one.starts_at)} --> {clock(one.ends_at)}\n<v {NAMES[one.speaker]}>{one.text}</v>\n"
        for one in said
    )
    return "WEBVTT\n\n" + "\n".join(cues)


def webvtt_of_zoom(said: Sequence[Said]) -> str:
    cues = (
        f"{number}\n{clock(one.starts_at)} --> {clock(one.ends_at)}\n"
        f"{NAMES[one.speaker]}: {one.text}\n"
        for number, one in enumerate(said, start=1)
    )
    return "WEBVTT\n\n" + "\n".join(cues)


def webvtt_rolling(said: Sequence[Said]) -> str:
    """Each caption shows the line before it again, as video platforms do."""
    blocks, before = [], " "
    for one in said:
        times = f"{clock(one.starts_at)} --> {clock(one.ends_at)} align:start position:0%"
        first, *rest = one.words
        timed = first + "".join(f"<{clock(one.starts_at)}><c> {word}</c>" for word in rest)
        blocks.append(f"{times}\n{before}\n{timed}\n")
        flash = f"{clock(one.ends_at)} --> {clock(one.ends_at + 0.01)} align:start position:0%"
        blocks.append(f"{flash}\n{one.text}\n \n")
        before = one.text
    return "WEBVTT\nKind: captions\n\n" + "\n".join(blocks)


def subrip(said: Sequence[Said]) -> str:
    cues = (
        f"{number}\n{clock(one.starts_at, ',')} --> {clock(one.ends_at, ',')}\n"
        f"<b>{NAMES[one.speaker]}:</b> {one.text}\n"
        for number, one in enumerate(said, start=1)
    )
    return "\n".join(cues)


def stamped_text(said: Sequence[Said]) -> str:
    return "".join(
        f"[{clock(one.starts_at)[:8]}] {NAMES[one.speaker]}: {one.text}\n" for one in said
    )


def labelled_text(said: Sequence[Said]) -> str:
    return "\n".join(f"{NAMES[one.speaker]}: {one.text}\n" for one in said)


def teams_text(said: Sequence[Said]) -> str:
    return "\n".join(
        f"{NAMES[one.speaker]}   {short_clock(one.starts_at)}\n{one.text}\n" for one in said
    )


def otter_text(said: Sequence[Said]) -> str:
    blocks = (f"{NAMES[one.speaker]}  {short_clock(one.starts_at)}  \n{one.text}\n" for one in said)
    return "\n".join(blocks) + "\n\nTranscribed by https://otter.ai\n"


def transcribe_with_speakers(said: Sequence[Said]) -> str:
    items = [
        {
            "type": "pronunciation",
            "start_time": f"{starts_at:.3f}",
            "end_time": f"{ends_at:.3f}",
            "speaker_label": f"spk_{one.speaker}",
            "alternatives": [{"confidence": "0.9", "content": word}],
        }
        for one in said
        for word, starts_at, ends_at in one.each_word()
    ]
    return _transcribe(said, items=items)


def transcribe_with_segments(said: Sequence[Said]) -> str:
    segments = [
        {
            "id": number,
            "transcript": one.text,
            "start_time": f"{one.starts_at:.3f}",
            "end_time": f"{one.ends_at:.3f}",
            "speaker_label": f"spk_{one.speaker}",
        }
        for number, one in enumerate(said)
    ]
    return _transcribe(said, audio_segments=segments, items=[])


def _transcribe(said: Sequence[Said], **results: Any) -> str:
    transcript = " ".join(one.text for one in said)
    return json.dumps(
        {"status": "COMPLETED", "results": {"transcripts": [{"transcript": transcript}], **results}}
    )


def whisper(said: Sequence[Said]) -> str:
    segments = [
        {
            "start": one.starts_at,
            "end": one.ends_at,
            "text": f" {one.text}",
            "speaker": f"SPEAKER_{one.speaker:02}",
        }
        for one in said
    ]
    return json.dumps({"segments": segments, "language": "en"})


def whisperx_by_word(said: Sequence[Said]) -> str:
    """All in one segment: only the words have a speaker."""
    words = [
        {"word": word, "start": start, "end": end, "speaker": f"SPEAKER_{one.speaker:02}"}
        for one in said
        for word, start, end in one.each_word()
    ]
    segment = {
        "start": said[0].starts_at,
        "end": said[-1].ends_at,
        "text": " ".join(one.text for one in said),
        "speaker": f"SPEAKER_{said[0].speaker:02}",
        "words": words,
    }
    return json.dumps({"segments": [segment], "language": "en"})


def runpod_status(said: Sequence[Said]) -> str:
    return json.dumps({"id": "x-e1", "status": "COMPLETED", "output": json.loads(whisper(said))})


def deepgram_utterances(said: Sequence[Said]) -> str:
    utterances = [
        {
            "start": one.starts_at,
            "end": one.ends_at,
            "channel": 0,
            "speaker": one.speaker,
            "transcript": one.text,
        }
        for one in said
    ]
    return json.dumps({"results": {"channels": [], "utterances": utterances}})


def deepgram_words(said: Sequence[Said]) -> str:
    words = [
        {
            "word": word.lower(),
            "punctuated_word": word,
            "start": s,
            "end": e,
            "speaker": one.speaker,
        }
        for one in said
        for word, s, e in one.each_word()
    ]
    return json.dumps({"results": {"channels": [{"alternatives": [{"words": words}]}]}})


def assemblyai(said: Sequence[Said]) -> str:
    utterances = [
        {
            "speaker": "ABCD"[one.speaker],
            "text": one.text,
            "start": round(one.starts_at * 1000),
            "end": round(one.ends_at * 1000),
        }
        for one in said
    ]
    text = " ".join(one.text for one in said)
    return json.dumps({"audio_url": "https://a.example", "text": text, "utterances": utterances})


def google_v1(said: Sequence[Said]) -> str:
    """The last result repeats all the words, now with their speakers."""
    results = [
        {"alternatives": [{"transcript": one.text, "words": _google_words(one, tag=0)}]}
        for one in said
    ]
    all_words = [word for one in said for word in _google_words(one, tag=one.speaker + 1)]
    return json.dumps({"results": [*results, {"alternatives": [{"words": all_words}]}]})


def google_v2(said: Sequence[Said]) -> str:
    results = [
        {
            "alternatives": [
                {
                    "transcript": one.text,
                    "words": [
                        {
                            "word": word,
                            "startOffset": f"{s:.3f}s",
                            "speakerLabel": str(one.speaker + 1),
                        }
                        for word, s, _ in one.each_word()
                    ],
                }
            ]
        }
        for one in said
    ]
    return json.dumps({"results": results})


def _google_words(one: Said, *, tag: int) -> list[dict[str, Any]]:
    return [
        {"word": word, "startTime": f"{s:.3f}s", "endTime": f"{e:.3f}s", "speakerTag": tag}
        for word, s, e in one.each_word()
    ]


NAMED: dict[str, Callable[[Sequence[Said]], str]] = {
    "WebVTT with voices": webvtt_with_voices,
    "WebVTT of Zoom": webvtt_of_zoom,
    "SubRip": subrip,
    "text with times and names": stamped_text,
    "text with names": labelled_text,
    "Teams text": teams_text,
    "Otter text": otter_text,
}
NUMBERED: dict[str, Callable[[Sequence[Said]], str]] = {
    "Transcribe items": transcribe_with_speakers,
    "Transcribe segments": transcribe_with_segments,
    "Whisper": whisper,
    "WhisperX by word": whisperx_by_word,
    "RunPod status": runpod_status,
    "Deepgram utterances": deepgram_utterances,
    "Deepgram words": deepgram_words,
    "AssemblyAI": assemblyai,
    "Google v1": google_v1,
    "Google v2": google_v2,
}


def spoken_by(said: Sequence[Said]) -> list[tuple[int, list[str]]]:
    """Return who says which words, neighbouring remarks of one speaker together."""
    return [
        (speaker, [word for one in group for word in one.words])
        for speaker, group in groupby(said, key=attrgetter("speaker"))
    ]
