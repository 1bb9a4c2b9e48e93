"""How a file would be read, before it is uploaded: by the submitter's own code. Nothing is kept."""

from collections import Counter
from typing import Any

from core.errors import BadTranscript
from core.transcripts.reader import Transcript, read_transcript
from core.words import count_words

_MOST_SPEAKERS = 4


def preview(body: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Return what would be read, or why nothing would."""
    try:
        transcript = read_transcript(body, max_bytes=max_bytes)
    except BadTranscript as exc:
        return {"is_readable": False, "code": exc.code, "message": str(exc)}
    words = _words_by_speaker(transcript)
    total = sum(words.values())
    return {
        "is_readable": True,
        "format": transcript.format,
        "turns": len(transcript.turns),
        "words": total,
        "has_times": any(turn.starts_at is not None for turn in transcript.turns),
        "speakers": sum(1 for name in words if name),
        "most": [
            {"name": name, "share": round(count / max(total, 1), 2)}
            for name, count in words.most_common(_MOST_SPEAKERS)
            if name
        ],
    }


def _words_by_speaker(transcript: Transcript) -> Counter[str]:
    words: Counter[str] = Counter()
    for turn in transcript.turns:
        words[turn.speaker] += count_words(turn.text)
    return words
