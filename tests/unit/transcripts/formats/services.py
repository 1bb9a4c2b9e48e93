"""The same conversation in the JSON of each speech service and meeting tool."""

from collections.abc import Callable, Iterator
from typing import Any

SAID = (
    ("The ferry timetable changes in April.", 0.0),
    ("We lose two crossings on Sunday.", 5.0),
    ("Who tells the island council?", 10.0),
    ("I will write to them before Friday.", 15.0),
)
NAMES = ("Ann Lee", "Bob Ray")


def turns() -> Iterator[tuple[int, str, float, float]]:
    for index, (text, at) in enumerate(SAID):
        yield index % 2, text, at, at + 4.5


def words(of: Callable[[int, str, float, float], Any]) -> list[Any]:
    return [
        of(who, word, at + index * 0.5, at + index * 0.5 + 0.4)
        for who, text, at, _ in turns()
        for index, word in enumerate(text.split())
    ]


def each(of: Callable[[int, str, float, float], Any]) -> list[Any]:
    return [of(*turn) for turn in turns()]


def clock(seconds: float) -> str:
    return f"00:00:{seconds:06.3f}"


def _elements(text: str, at: float) -> list[dict[str, Any]]:
    """Rev's: a word, its punctuation and the space behind it are elements."""
    elements: list[dict[str, Any]] = []
    for index, word in enumerate(text.split()):
        bare = word.rstrip(".?")
        start = at + index * 0.5
        elements.append({"type": "text", "value": bare, "ts": start, "end_ts": start + 0.4})
        elements.append({"type": "punct", "value": word[len(bare) :] or " "})
    return elements


def _spoken(text: str, at: float, **more: Any) -> list[dict[str, Any]]:
    """Speechmatics': punctuation is a result of its own."""
    results = []
    for index, word in enumerate(text.split()):
        bare = word.rstrip(".?")
        times = {"start_time": at + index * 0.5, "end_time": at + index * 0.5 + 0.4}
        results.append({"type": "word", **times, "alternatives": [{"content": bare, **more}]})
        if word != bare:
            mark = {"content": word[len(bare) :], **more}
            results.append({"type": "punctuation", **times, "alternatives": [mark]})
    return results


NAMED: dict[str, Any] = {
    "Podcasting 2.0": {
        "version": "1.0.0",
        "segments": each(
            lambda who, text, at, end: {
                "speaker": NAMES[who],
                "startTime": at,
                "endTime": end,
                "body": text,
            }
        ),
    },
    "Fireflies": {
        "data": {
            "transcript": {
                "title": "Ferry",
                "sentences": each(
                    lambda who, text, at, end: {
                        "index": 0,
                        "speaker_name": NAMES[who],
                        "speaker_id": who,
                        "text": text,
                        "raw_text": text.lower(),
                        "start_time": at,
                        "end_time": end,
                        "ai_filters": {"task": None},
                    }
                ),
            }
        }
    },
    "Symbl": {
        "messages": each(
            lambda who, text, at, end: {
                "id": f"m{at}",
                "text": text,
                "from": {"id": f"u{who}", "name": NAMES[who]},
                "startTime": f"2024-01-01T10:00:{int(at):02}Z",
                "timeOffset": at,
                "duration": 4.5,
            }
        )
    },
    "plain list": each(lambda who, text, at, end: {"speaker": NAMES[who], "text": text}),
    "list of messages": each(
        lambda who, text, at, end: {"name": NAMES[who], "content": text, "time": clock(at)}
    ),
    "clock times": {
        "transcript": each(
            lambda who, text, at, end: {"timestamp": clock(at), "speaker": NAMES[who], "text": text}
        )
    },
    "names apart": {
        "speakers": [{"id": "S1", "name": NAMES[0]}, {"id": "S2", "name": NAMES[1]}],
        "monologue": each(
            lambda who, text, at, end: {"speaker_id": f"S{who + 1}", "start": at, "text": text}
        ),
    },
    "names by key": {
        "speakers": {"a": {"name": NAMES[0]}, "b": {"name": NAMES[1]}},
        "items": each(
            lambda who, text, at, end: {"speakerId": "ab"[who], "startMs": at * 1000, "text": text}
        ),
    },
    "Recall": each(
        lambda who, text, at, end: {
            "participant": {"id": who, "name": NAMES[who]},
            "words": [
                {
                    "text": word,
                    "start_timestamp": {"relative": at},
                    "end_timestamp": {"relative": end},
                }
                for word in text.split()
            ],
        }
    ),
    "Verbit": {
        "response": {
            "speakers": [{"id": "u0", "label": NAMES[0]}, {"id": "u1", "label": NAMES[1]}],
            "alternatives": [
                {
                    "transcript": " ".join(text for text, _ in SAID),
                    "items": words(
                        lambda who, word, at, end: {
                            "start": at,
                            "end": end,
                            "kind": "text",
                            "value": word,
                            "speaker_id": f"u{who}",
                        }
                    ),
                }
            ],
        }
    },
}

NUMBERED: dict[str, Any] = {
    "ElevenLabs": {
        "language_code": "eng",
        "text": " ".join(text for text, _ in SAID),
        "words": [
            one
            for pair in words(
                lambda who, word, at, end: [
                    {
                        "text": word,
                        "start": at,
                        "end": end,
                        "type": "word",
                        "speaker_id": f"speaker_{who}",
                    },
                    {
                        "text": " ",
                        "start": end,
                        "end": end,
                        "type": "spacing",
                        "speaker_id": f"speaker_{who}",
                    },
                ]
            )
            for one in pair
        ],
    },
    "Azure fast": {
        "durationMilliseconds": 20000,
        "combinedPhrases": [{"text": " ".join(text for text, _ in SAID)}],
        "phrases": each(
            lambda who, text, at, end: {
                "speaker": who + 1,
                "offsetMilliseconds": int(at * 1000),
                "durationMilliseconds": 4500,
                "text": text,
                "words": [
                    {"text": word, "offsetMilliseconds": int(at * 1000)} for word in text.split()
                ],
                "locale": "en-US",
                "confidence": 0.9,
            }
        ),
    },
    "Azure batch": {
        "source": "https://example.org/a.wav",
        "timestamp": "2024-01-01T10:00:00Z",
        "durationInTicks": 200000000,
        "combinedRecognizedPhrases": [
            {"channel": 0, "lexical": "the ferry", "display": " ".join(text for text, _ in SAID)}
        ],
        "recognizedPhrases": each(
            lambda who, text, at, end: {
                "recognitionStatus": "Success",
                "channel": 0,
                "speaker": who + 1,
                "offset": f"PT{at}S",
                "duration": "PT4.5S",
                "offsetInTicks": at * 1e7,
                "durationInTicks": 45000000.0,
                "nBest": [
                    {
                        "confidence": 0.9,
                        "lexical": text.lower(),
                        "itn": text,
                        "maskedITN": text,
                        "display": text,
                    },
                    {"confidence": 0.1, "display": "Something else entirely was heard by it here."},
                ],
            }
        ),
    },
    "Rev": {
        "monologues": each(
            lambda who, text, at, end: {"speaker": who, "elements": _elements(text, at)}
        )
    },
    "Speechmatics": {
        "format": "2.9",
        "job": {"id": "x"},
        "metadata": {"type": "transcription"},
        "results": [
            one
            for who, text, at, _ in turns()
            for one in _spoken(text, at, speaker=f"S{who + 1}", confidence=1.0)
        ],
    },
    "Gladia": {
        "id": "x",
        "status": "done",
        "result": {
            "metadata": {"audio_duration": 20},
            "transcription": {
                "full_transcript": " ".join(text for text, _ in SAID),
                "languages": ["en"],
                "utterances": each(
                    lambda who, text, at, end: {
                        "text": text,
                        "language": "en",
                        "start": at,
                        "end": end,
                        "speaker": who,
                        "channel": 0,
                        "words": [
                            {"word": f" {word}", "start": at, "end": end, "confidence": 1}
                            for word in text.split()
                        ],
                    }
                ),
            },
            "translation": {
                "results": [
                    {"full_transcript": "Der Fahrplan der Fähre ändert sich im April. " * 9}
                ]
            },
        },
    },
    "Watson": {
        "result_index": 0,
        "results": each(
            lambda who, text, at, end: {
                "final": True,
                "alternatives": [
                    {
                        "transcript": text,
                        "timestamps": [
                            [word, at + index * 0.5, at + index * 0.5 + 0.4]
                            for index, word in enumerate(text.split())
                        ],
                    }
                ],
            }
        ),
        "speaker_labels": words(
            lambda who, word, at, end: {"from": at, "to": end, "speaker": who, "final": False}
        ),
    },
    "insanely-fast-whisper": {
        "speakers": each(
            lambda who, text, at, end: {
                "speaker": f"SPEAKER_0{who}",
                "timestamp": [at, end],
                "text": f" {text}",
            }
        ),
        "chunks": each(lambda who, text, at, end: {"timestamp": [at, end], "text": f" {text}"}),
        "text": " ".join(text for text, _ in SAID),
    },
    "NeMo": {
        "status": "success",
        "transcription": " ".join(text for text, _ in SAID),
        "speaker_count": 2,
        "words": words(
            lambda who, word, at, end: {
                "word": word,
                "start_time": at,
                "end_time": end,
                "speaker": f"speaker_{who}",
            }
        ),
    },
    "milliseconds": {
        "utterances_list": each(
            lambda who, text, at, end: {
                "text": text,
                "start": int(at * 1000),
                "end": int(end * 1000),
                "speaker": who,
            }
        )
    },
}

UNNAMED: dict[str, Any] = {
    "Vosk": {
        "result": words(
            lambda who, word, at, end: {"conf": 1.0, "start": at, "end": end, "word": word}
        ),
        "text": " ".join(text for text, _ in SAID),
    },
    "Vosk, a list": each(
        lambda who, text, at, end: {
            "text": text,
            "result": [{"word": word, "start": at, "end": end} for word in text.split()],
        }
    ),
    "YouTube json3": {
        "wireMagic": "pb3",
        "events": [
            {"tStartMs": 0, "dDurationMs": 20000, "id": 1},
            *each(
                lambda who, text, at, end: {
                    "tStartMs": int(at * 1000),
                    "dDurationMs": 4500,
                    "segs": [
                        {"utf8": word if index == 0 else f" {word}", "tOffsetMs": index * 400}
                        for index, word in enumerate(text.split())
                    ],
                }
            ),
            {"tStartMs": 19000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        ],
    },
    "youtube-transcript-api": each(
        lambda who, text, at, end: {"text": text, "start": at, "duration": 4.5}
    ),
    "a text": {"text": " ".join(text for text, _ in SAID), "id": "x"},
    "a transcript": {"transcript": "\n".join(text for text, _ in SAID)},
    "a string": " ".join(text for text, _ in SAID),
}
