"""Word's `.docx` and OpenDocument's `.odt` as lines of text: a paragraph, or a row of a table, each.

Teams lets people download a transcript as `.docx`: name and time, a line break, what was said.
"""

import io
import zipfile
import zlib
from xml.parsers import expat

from core.errors import BadTranscript

_MAIN_PARTS = ("word/document.xml", "content.xml")
_CHUNK_BYTES = 64 * 1024
_LINE_ENDS = frozenset({"w:br", "w:cr", "text:line-break"})
_PARAGRAPHS = frozenset({"w:p", "text:p", "text:h"})
_ROWS = frozenset({"w:tr", "table:table-row"})
_CELLS = frozenset({"w:tc", "table:table-cell"})
_SIGNS = {"w:tab": "\t", "text:tab": "\t", "text:s": " ", "w:noBreakHyphen": "-"}
# Comments, deleted words, and the second telling of what newer programs show another way.
_LEFT_OUT = frozenset(
    {"mc:Fallback", "w:del", "w:tabs", "office:annotation", "text:tracked-changes", "text:note"}
)
_TEXTS = frozenset({"w:t", "text:p", "text:h"})  # what holds characters that are read


def looks_like(body: bytes) -> bool:
    return body.startswith(b"PK\x03\x04")


def text_of(body: bytes, *, max_bytes: int) -> str:
    """Return the text; its XML may unpack to `max_bytes`. Raises BadTranscript."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            name = next((name for name in _MAIN_PARTS if name in archive.NameToInfo), None)
            if name is None:
                raise BadTranscript(
                    "not-text",
                    "the file is a ZIP archive, and no Word or OpenDocument text;"
                    " unpack it and upload the transcript in it",
                )
            return _lines_of(archive, name, max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, expat.ExpatError, ValueError):
        raise _damaged() from None
    except (NotImplementedError, RuntimeError):  # another packing; a password
        raise BadTranscript(
            "not-text",
            "the document is encrypted or packed in an unusual way; save it again as .docx",
        ) from None


def _lines_of(archive: zipfile.ZipFile, name: str, max_bytes: int) -> str:
    reader = _Reader()
    read_bytes = 0
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK_BYTES):
            read_bytes += len(chunk)
            if read_bytes > max_bytes:
                raise BadTranscript(
                    "too-large",
                    f"the document unpacks to more than the {max_bytes:,} bytes that"
                    " MaxTranscriptBytes allows; split it, or raise the setting",
                )
            reader.feed(chunk)
    return reader.text()


class _Reader:
    """Collects the characters of the paragraphs. A doctype, with which XML can grow, is refused."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._pieces: list[str] = []
        self._left_out = 0  # how many elements deep
        self._texts = 0
        self._rows = 0

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)

    def text(self) -> str:
        self._parser.Parse(b"", True)
        return "".join(self._pieces)

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if self._left_out or name in _LEFT_OUT:
            self._left_out += 1
            return
        self._texts += name in _TEXTS
        self._rows += name in _ROWS
        if name in _LINE_ENDS:
            self._pieces.append(" " if self._rows else "\n")
        elif name in _SIGNS:
            self._pieces.append(_SIGNS[name])

    def _end(self, name: str) -> None:
        if self._left_out:
            self._left_out -= 1
            return
        self._texts -= name in _TEXTS
        self._rows -= name in _ROWS
        if name in _ROWS or (name in _PARAGRAPHS and not self._rows):
            self._pieces.append("\n")
        elif name in _CELLS:
            self._pieces.append("\t")
        elif name in _PARAGRAPHS:
            self._pieces.append(" ")

    def _characters(self, data: str) -> None:
        if self._texts and not self._left_out:
            self._pieces.append(data)


def _refuse_doctype(*_: object) -> None:
    raise _damaged()


def _damaged() -> BadTranscript:
    return BadTranscript(
        "damaged",
        "the document is cut short or broken; save it again as .docx, or as text in UTF-8",
    )
