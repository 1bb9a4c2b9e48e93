"""From the bytes of an upload to the text of a transcript, or to a reason a person understands."""

import gzip
import io
import zlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from core.errors import BadTranscript
from core.transcripts import formats
from core.transcripts.encodings import decoded
from core.transcripts.formats import office, pdf
from core.transcripts.formats.weight import FUNCTION_BYTES
from core.transcripts.turns import Turn
from core.words import count_words

_GZIP = b"\x1f\x8b"
_OLE = b"\xd0\xcf\x11\xe0"  # .doc, and .docx with a password
# A line takes a function 16 microseconds to read, however short. The worker of pull mode, which is let
# read more than template.yaml's largest MaxTranscriptBytes, has the time for more.
_MOST_LINES = 1_500_000
_MOST_LINES_WITH_TIME = 4_000_000


@dataclass(frozen=True)
class Transcript:
    turns: tuple[Turn, ...]
    format: str  # "webvtt", "whisper-json", ...: for logs and people

    @cached_property
    def text(self) -> str:
        """The turns, one a line, without times: these cost 8 % of a podcast's tokens."""
        return "\n".join(turn.line for turn in self.turns)

    @property
    def text_with_times(self) -> str:
        """The same with `[hh:mm:ss]` before each turn whose time is known."""
        return "\n".join(f"{_stamp(turn.starts_at)}{turn.line}" for turn in self.turns)

    @cached_property
    def words(self) -> int:
        """The words as they will be sent, labels included."""
        return count_words(self.text)


def read_transcript(body: bytes, *, max_bytes: int) -> Transcript:
    """Read an upload in any of the formats of core/transcripts/formats, gzipped or not.

    `max_bytes` bounds what a gzipped one may unpack to. Raises BadTranscript.
    """
    if body.startswith(_GZIP):
        body = _unpacked(body, max_bytes)
    text = _text_of(body, max_bytes)
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    most_lines = _MOST_LINES if max_bytes <= FUNCTION_BYTES else _MOST_LINES_WITH_TIME
    if text.count("\n") > most_lines:
        raise BadTranscript(
            "too-large",
            f"the file has more than {most_lines:,} lines; split it, or put more words into a line",
        )
    form, turns = formats.read(text, max_bytes=max_bytes)
    transcript = Transcript(turns=turns, format=form)
    if not transcript.words:
        raise BadTranscript("empty", "the file holds no words; upload a transcript with text in it")
    return transcript


def _text_of(body: bytes, max_bytes: int) -> str:
    if office.looks_like(body):
        return office.text_of(body, max_bytes=max_bytes)
    if pdf.looks_like(body):
        return pdf.text_of(body)
    if body.startswith(_OLE):
        raise BadTranscript(
            "not-text",
            "the file is a Word document of the old kind, or has a password; save it as .docx",
        )
    return decoded(body)


def _stamp(starts_at: timedelta | None) -> str:
    if starts_at is None:
        return ""
    minutes, seconds = divmod(int(starts_at.total_seconds()), 60)
    return f"[{minutes // 60:02}:{minutes % 60:02}:{seconds:02}] "


def _unpacked(body: bytes, max_bytes: int) -> bytes:
    try:
        with gzip.open(io.BytesIO(body)) as packed:
            unpacked = packed.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise BadTranscript(
            "damaged", "the file is gzip, but cut short or broken; upload it again"
        ) from None
    if len(unpacked) > max_bytes:
        raise BadTranscript(
            "too-large",
            f"the file unpacks to more than the {max_bytes:,} bytes that MaxTranscriptBytes allows;"
            " split it, or raise the setting",
        )
    return unpacked
