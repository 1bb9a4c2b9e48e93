"""From the bytes of an upload to the text of a transcript, or to a reason a person understands."""

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from charset_normalizer import from_bytes

from core import formats
from core.errors import BadTranscript
from core.formats.weight import FUNCTION_BYTES
from core.turns import Turn
from core.words import count_words

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 64_000  # enough to guess an encoding by, whatever the file's size
# C0 controls that text does not hold; tab, line feed, form feed and carriage return it may.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_MOST_CONTROLS_PER_CHARACTER = 0.001
_GZIP = b"\x1f\x8b"
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
    """Read an upload in any of the formats of core/formats, gzipped or not.

    `max_bytes` bounds what a gzipped one may unpack to. Raises BadTranscript.
    """
    if body.startswith(_GZIP):
        body = _unpacked(body, max_bytes)
    text = _decoded(body).replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
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


def _decoded(body: bytes) -> str:
    text = _decoded_by_mark(body)
    if text is None:
        text = _decoded_by_guess(body)
    if text is None:
        raise BadTranscript(
            "not-text", "the file is not text; export the transcript as plain text in UTF-8"
        )
    if len(_CONTROLS.findall(text)) > len(text) * _MOST_CONTROLS_PER_CHARACTER:
        raise BadTranscript(
            "not-text",
            "the file holds control characters as only binary files do;"
            " export the transcript as plain text in UTF-8",
        )
    return text


def _decoded_by_mark(body: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            try:
                return body.decode(encoding).removeprefix("\ufeff")
            except UnicodeDecodeError as exc:
                raise BadTranscript(
                    "not-text",
                    f"the file says it is {encoding.upper()} and is not, from byte {exc.start} on;"
                    " save it again as UTF-8",
                ) from None
    return None


def _decoded_by_guess(body: bytes) -> str | None:
    """Decode without a mark: UTF-8 where it is valid, else what the bytes look like."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(body[:_SAMPLE_BYTES]).best()
    if guess is None:
        return None
    try:
        return body.decode(guess.encoding)
    except (UnicodeDecodeError, LookupError):
        return None
