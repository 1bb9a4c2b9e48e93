"""From the bytes of an upload to the text of a transcript, or to a reason a person understands."""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from core.errors import BadTranscript

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
_LEADING_STAMP = re.compile(
    r"^[ \t]*[\[(]?(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])]?[ \t]+", re.M
)


@dataclass(frozen=True)
class Transcript:
    text: str
    words: int


def read_transcript(body: bytes) -> Transcript:
    """Decode an upload and leave out what only costs tokens: times at the beginning of a line.

    Raises BadTranscript for a body that is empty or not text.
    """
    text = _decoded(body).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text)
    text = _LEADING_STAMP.sub("", text).strip()
    words = len(text.split())
    if not words:
        raise BadTranscript("empty", "the file holds no words; upload a transcript with text in it")
    return Transcript(text=text, words=words)


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
