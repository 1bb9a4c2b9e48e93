"""Rich text: the words of an RTF document, as plain text.

Our own reader: the small libraries look for links and fonts with patterns that take minutes for a hostile
line, and this has to take none.
"""

import re
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>.)"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\n]+)|\n",
    re.DOTALL,
)
_NOT_SHOWN_IN_WORDS = (
    "annotation atnid author bkmkend bkmkstart colorschememapping colortbl comment datafield"
    " datastore filetbl fldinst fonttbl footer footerf footerl footerr footnote generator header"
    " headerf headerl headerr info latentstyles listoverridetable listtable objdata object"
    " operator pict revtbl rsidtbl shp stylesheet themedata title upr xmlnstbl"
)
_NOT_SHOWN = frozenset(_NOT_SHOWN_IN_WORDS.split())
_SHOWN_AS = {
    "par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t",
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "•", "emspace": " ", "enspace": " ",
}  # fmt: skip
_SIGNS = {"~": "\u00a0", "_": "-", "\n": "\n", "\r": "\n", "\\": "\\", "{": "{", "}": "}"}
_CODE_PAGE_OF_CHARSET = {
    0: 1252, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255,
    178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250,
}  # fmt: skip
_UNITS = 65_536  # of UTF-16, which RTF writes as signed numbers


@dataclass(frozen=True)
class _Group:
    is_shown: bool = True
    is_font_table: bool = False
    code_page: int = 0  # of the font; 0 is the document's
    fallback: int = 1  # how many characters stand in for one of Unicode


class _Reader:
    def __init__(self) -> None:
        self.chunks: list[str] = []
        self._bytes = bytearray()  # of one or more characters in a code page
        self._group = _Group()
        self._outer: list[_Group] = []
        self._code_page = 1252
        self._code_pages: dict[int, int] = {}  # of fonts
        self._font = 0
        self._skip = 0  # characters that repeat the one of Unicode before them
        self._is_marked = False  # by `\*`: what reads only this may leave it out

    def read(self, text: str) -> str:
        for token in _TOKEN.finditer(text):
            if token["byte"]:
                self._add_byte(int(token["byte"], 16))
                continue
            self._flush()
            if token["word"]:
                self._obey(token["word"], token["number"])
            elif token["sign"]:
                self._take_sign(token["sign"])
            elif token["brace"]:
                self._nest(token["brace"])
            elif token["text"]:
                self._show_behind_fallback(token["text"])
        self._flush()
        joined = "".join(self.chunks)
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _obey(self, word: str, number: str | None) -> None:
        value = int(number or 0)
        is_marked, self._is_marked = self._is_marked, False
        if word in _NOT_SHOWN or is_marked:
            self._group = replace(self._group, is_shown=False, is_font_table=word == "fonttbl")
        elif word in _SHOWN_AS:
            self._show(_SHOWN_AS[word])
        elif word == "u":
            self._show(chr(value % _UNITS))
            self._skip = self._group.fallback
        elif word == "uc":
            self._group = replace(self._group, fallback=min(max(value, 0), 9))
        elif word == "ansicpg":
            self._code_page = value or self._code_page
        elif word == "f":
            self._font = value
            self._group = replace(self._group, code_page=self._code_pages.get(value, 0))
        elif word == "fcharset" and value in _CODE_PAGE_OF_CHARSET and value:
            self._code_pages[self._font] = _CODE_PAGE_OF_CHARSET[value]

    def _take_sign(self, sign: str) -> None:
        if sign == "*":
            self._is_marked = True
        else:
            self._show_behind_fallback(_SIGNS.get(sign, ""))

    def _nest(self, brace: str) -> None:
        self._skip = 0
        if brace == "{":
            self._outer.append(self._group)
        elif self._outer:
            self._group = self._outer.pop()

    def _add_byte(self, byte: int) -> None:
        if self._skip:
            self._skip -= 1
        elif self._group.is_shown:
            self._bytes.append(byte)

    def _flush(self) -> None:
        if not self._bytes:
            return
        page = self._group.code_page or self._code_page
        try:
            text = self._bytes.decode(f"cp{page}" if page != 65001 else "utf-8", "replace")  # noqa: PLR2004
        except LookupError:
            text = self._bytes.decode("cp1252", "replace")
        self.chunks.append(text)
        self._bytes.clear()

    def _show_behind_fallback(self, text: str) -> None:
        skipped = min(self._skip, len(text))
        self._skip -= skipped
        self._show(text[skipped:])

    def _show(self, text: str) -> None:
        if self._group.is_shown:
            self.chunks.append(text)


def looks_like(text: str) -> bool:
    return text.lstrip()[:6].startswith("{\\rtf")


def plain_text(text: str) -> str:
    return _Reader().read(text)
