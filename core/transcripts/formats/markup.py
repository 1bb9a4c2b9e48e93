"""TTML, the XML and HTML that players and web pages keep transcripts in, as captions or as plain text.

Our own parting of tags: what a stranger uploads may be no XML at all, nests as deep as it likes, and
defines entities that grow; html.parser took time by the square of a crafted line until the fix of
CVE-2025-6069.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from core.transcripts.formats.cues import Cue
from core.transcripts.formats.names import can_be_name
from core.transcripts.formats.stamps import alone
from core.transcripts.turns import known_seconds, readable_label, seconds_of_clock

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w:.-]{0,60})(?P<attributes>(?:\s[^<>]*)?/?)>")
_INSTRUCTION = re.compile(r"<[?!][^<>]*>")
_ATTRIBUTE = re.compile(
    r"(?<![\w:.-])(?P<name>[\w:.-]{1,60})\s{0,9}=\s{0,9}(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)'|(?P<c>[^\s\"'>]{1,200}))"
)
_BEGINNING = re.compile(
    r"\s*<(?:\?xml|!doctype|!--|(?:\w{1,9}:)?(?:html|head|body|meta|tt|transcript|timedtext|sami|p|div|span"
    r"|br|table|ul|ol|dl|h[1-6]|b|strong|em|i|article|section|main|tei|trans|akomantoso|pre|a))(?=[\s>/]|--)",
    re.IGNORECASE,
)
_STYLING = re.compile(r"</?(?:p|br|div|span|strong|em|b|i|li|u|h[1-6])(?:\s[^<>]{0,200})?/?>", re.I)
_CHARACTERS_TO_LOOK_AT = 8_000
_FEWEST_TAGS = 3
_LINES_PER_TAG = 3
_NOT_SHOWN = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "noscript",
        "template",
        "svg",
        "metadata",
        "styling",
        "layout",
    ]
)
_BLOCKS_IN_WORDS = (
    "address article blockquote br caption dd div dl dt fieldset figure footer form h1 h2 h3 h4"
    " h5 h6 header hr li main nav ol p pre section table tbody tr ul body html sp speech u turn lg"
    " l"
)
_BLOCKS = frozenset(_BLOCKS_IN_WORDS.split())
_CELLS = frozenset({"td", "th"})
_BOLD = frozenset({"b", "strong", "cite", "speaker", "from"})
_NAMING = re.compile(r"speaker|author|participant|\bname\b|[-_]name|username", re.IGNORECASE)
_STARTS = ("begin", "start", "starttime", "t")
_ENDS = ("end", "endtime")
_LENGTHS = ("dur", "d")
_VOICES = ("agent", "who", "by", "speaker")
_TIMED = frozenset(
    {"p", "text", "turn", "sync", "u", "sp", "speech", "caption", "cue", "line", "s"}
)
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|m|s|ms|f|t)?")
_SECONDS_OF = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": 0.04}
_THOUSANDTHS = frozenset({"timedtext", "sami"})


_VOID = re.compile(r"<(?:br|hr|p|li)\s{0,3}/?>", re.IGNORECASE)  # those that need no end


class _Token(NamedTuple):
    text: str = ""
    start: str = ""  # a tag's name
    end: str = ""
    attributes: str = ""


def looks_like(text: str) -> bool:
    if _BEGINNING.match(text):
        return True
    seen = text[:_CHARACTERS_TO_LOOK_AT]
    if "</" not in seen and not _VOID.search(seen):
        return False  # `a<b` and `x->y` are no tags, however many there are
    tags = sum(1 for _ in _STYLING.finditer(seen))
    return tags >= max(_FEWEST_TAGS, seen.count("\n") / _LINES_PER_TAG) and "-->" not in seen


def cues(text: str) -> list[Cue]:
    """Return what is said with a time or by somebody, as attributes tell; nothing if none do."""
    reader = _Captions()
    for token in _tokens(text):
        reader.take(token)
    return reader.cues if reader.is_telling else []


def plain_text(text: str) -> str:
    """Return a page's words in lines, with what is bold at their beginning in Markdown."""
    chunks: list[str] = []
    hidden = ""
    bold: str = ""  # the tag that began it
    is_line_new = True  # or holds a time alone
    is_row_new = True  # of a table
    for token in _tokens(text):
        if hidden:
            hidden = "" if token.end == hidden else hidden
        elif token.text:
            words = html.unescape(" ".join(token.text.split()))
            before = " " if token.text[:1].isspace() else ""
            after = " " if token.text[-1:].isspace() and words else ""
            chunks.append(f"{before}{words}{after}")
            is_line_new = is_line_new and (not words or alone(words) is not None)
        elif token.start in _NOT_SHOWN or _is_face(token):
            hidden = token.start
        elif token.start in _BLOCKS or token.end in _BLOCKS or token.start in _CELLS:
            chunks.append("**" if bold else "")
            bold = ""
            is_row_new = is_row_new or "tr" in {token.start, token.end}
            chunks.append("\t" if token.start in _CELLS and not is_row_new else "\n")
            is_row_new = is_row_new and token.start not in _CELLS
            is_line_new = is_line_new or chunks[-1] == "\n"
        if not hidden and token.start and is_line_new and not bold and _is_naming(token):
            bold = token.start
            chunks.append("**")
        elif bold and token.end == bold:
            bold = ""
            chunks.append("** ")
        elif token.end == "span" and not bold:
            chunks.append(" ")
    joined = "".join(chunks).replace("** **", " ").replace("****", "")
    return "\n".join(" ".join(line.split(" ")).strip() for line in joined.split("\n"))


class _Captions:
    """Takes a document's tokens and makes captions of them."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []
        self.is_telling = False  # whether any tag tells a time or a speaker
        self._agents: dict[str, str] = {}  # names by their identifiers
        self._agent = ""  # of whom the name is told next
        self._hidden = ""
        self._unit = 1.0
        self._ticks = 1.0
        self._is_naming = False
        self._is_escaped_twice = False

    def take(self, token: _Token) -> None:
        if token.start:
            self._begin(token.start, _attributes(token.attributes))
        elif token.end:
            self._is_naming = False
            if token.end == self._hidden:
                self._hidden = ""
            if token.end in _TIMED and token.end != "s":
                self.cues.append(Cue())
        elif self._is_naming:
            self._agents[self._agent] = " ".join(html.unescape(token.text).split())
        elif not self._hidden and token.text.strip():
            self._say(html.unescape(token.text) if self._is_escaped_twice else token.text)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name in _THOUSANDTHS:
            self._unit = 0.001
        self._is_escaped_twice |= name == "transcript"  # by YouTube
        if rate := attributes.get("tickrate"):
            self._ticks = _number(rate) or 1.0
        if name in {"agent", "speaker", "person", "tlcperson"} and "id" in attributes:
            self._agent = attributes["id"]
            if told := attributes.get("name") or attributes.get("showas"):
                self._agents[self._agent] = told
        if name in {"name", "persname"} and self._agent:
            self._is_naming = True
        elif name in _NOT_SHOWN and not self._hidden:
            self._hidden = name
        elif name == "br" and self.cues:
            self._say("\n")
        elif name in _TIMED or name == "span":
            self._open(name, attributes)

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        voice = next((attributes[key] for key in _VOICES if attributes.get(key)), "")
        voice = self._agents.get(voice.lstrip("#"), voice.lstrip("#"))
        starts_at = self._first(attributes, _STARTS)
        self.is_telling |= bool(voice) or (starts_at is not None and name != "span")
        if name in {"span", "s"}:
            if voice and can_be_name(voice):
                self._say(f"<v {readable_label(voice)}>")
            return
        ends_at = self._first(attributes, _ENDS)
        length = self._first(attributes, _LENGTHS)
        if ends_at is None and starts_at is not None and length is not None:
            ends_at = starts_at + length
        around = self.cues[-1] if name == "p" and starts_at is None and self.cues else None
        if around and around.starts_at is not None and not around.lines:
            return  # SAMI's SYNC has the time of what lies in it
        self.cues.append(Cue(starts_at, ends_at, voice=readable_label(voice)))

    def _first(self, attributes: dict[str, str], names: tuple[str, ...]) -> float | None:
        value = next((attributes[name] for name in names if name in attributes), "")
        if ":" in value:
            return seconds_of_clock(value)
        offset = _OFFSET.fullmatch(value.strip())
        if not offset:
            return None
        unit = 1 / self._ticks if offset[2] == "t" else _SECONDS_OF.get(offset[2] or "", self._unit)
        return known_seconds(float(offset[1]) * unit)

    def _say(self, text: str) -> None:
        if not self.cues:
            self.cues.append(Cue())
        lines = self.cues[-1].lines
        if text == "\n":
            lines.append("")
        elif lines:
            joint = " " if text[:1].isspace() else ""
            lines[-1] += joint + _squeezed(text)
        else:
            lines.append(_squeezed(text))


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    is_commented = True  # whether any comment may end behind here
    for tag in re.finditer(r"<(?=[!?/A-Za-z])", text):
        if tag.start() < at:
            continue
        if text.startswith("<!--", tag.start()) and is_commented:
            end = text.find("-->", tag.start())
            is_commented = end >= 0
            if is_commented:
                yield _Token(text[at : tag.start()])
                at = end + 3
                continue
        if text.startswith("<![CDATA[", tag.start()):
            yield _Token(text[at : tag.start()])
            at = tag.start() + len("<![CDATA[")
            continue
        found = _TAG.match(text, tag.start()) or _INSTRUCTION.match(text, tag.start())
        if not found:
            continue
        if found.start() > at:
            yield _Token(text[at : found.start()])
        at = found.end()
        if found.re is _TAG:
            yield from _token(found)
    if at < len(text):
        yield _Token(text[at:].replace("]]>", ""))


def _token(tag: re.Match[str]) -> Iterator[_Token]:
    name = tag["name"].lower().rpartition(":")[2]
    if tag["end"]:
        yield _Token(end=name)
        return
    yield _Token(start=name, attributes=tag["attributes"])
    if tag["attributes"].endswith("/"):
        yield _Token(end=name)


def _attributes(text: str) -> dict[str, str]:
    return {
        found["name"].lower().rpartition(":")[2]: html.unescape(
            found["a"] or found["b"] or found["c"] or ""
        )
        for found in _ATTRIBUTE.finditer(text)
    }


def _is_face(token: _Token) -> bool:
    """Say whether this holds the initials that a page shows for somebody without a picture."""
    return "initials" in token.attributes and "initials" in _attributes(token.attributes).get(
        "class", ""
    )


def _is_naming(token: _Token) -> bool:
    if token.start in _BOLD or token.start == "dt":
        return True
    if token.start not in {"span", "div", "p", "td", "a"} or "=" not in token.attributes:
        return False
    return _NAMING.search(_attributes(token.attributes).get("class", "")) is not None


def _squeezed(text: str) -> str:
    words = " ".join(text.split())
    return f"{words} " if text[-1:].isspace() else words


def _number(value: str) -> float:
    return float(value) if re.fullmatch(r"\d{1,12}", value) else 0.0
