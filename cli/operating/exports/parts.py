"""A summary's Markdown as parts, each with the turns that it rests on. Pure.

The facts list the sources in the order of the text: one for each paragraph, one for each entry of a list,
one for each quote. Where they don't fit the text, somebody has changed one of the two, and nothing is
linked: a wrong link is worse than none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["heading", "paragraph", "item", "quote"]

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
# A model wrote it: what would load or lead anywhere stays text.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("strikethrough")
    .disable(["image", "link", "autolink", "html_block", "html_inline", "reference"])
)
_OPENS = {"strong_open": "is_bold", "em_open": "is_italic", "s_open": "is_struck"}
_CLOSES = {name.replace("open", "close"): style for name, style in _OPENS.items()}


@dataclass(frozen=True, kw_only=True)
class Run:
    """Text of one style."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_struck: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    kind: Kind
    runs: tuple[Run, ...] = field(repr=False)
    level: int = 0  # of a heading
    turns: tuple[int, ...] = ()  # numbers of passages that it rests on
    starts_at: float | None = None  # seconds into the recording

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Summary:
    parts: tuple[Part, ...]
    is_linked: bool

    @property
    def title(self) -> str:
        return next((part.text for part in self.parts if part.kind == "heading"), "Summary")


def summary_of(text: str, facts: Mapping[str, Any]) -> Summary:
    """Read a summary, and link its parts to their turns if the facts fit it."""
    blocks = [
        tuple(_parts(block)) for block in re.split(r"\n[ \t]*\n", text.strip()) if block.strip()
    ]
    linked = _linked(blocks, _sources(facts))
    if linked is None:
        return Summary(parts=tuple(part for block in blocks for part in block), is_linked=False)
    return Summary(parts=tuple(linked), is_linked=any(part.turns for part in linked))


def _sources(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    writing = facts.get("writing")
    sources = writing.get("sources") if isinstance(writing, dict) else None
    return [each for each in sources or () if isinstance(each, dict)]


def _linked(
    blocks: Iterable[Sequence[Part]], sources: Sequence[Mapping[str, Any]]
) -> list[Part] | None:
    """Return the parts with their turns; None where sources and text are not of each other."""
    left = list(sources)
    linked: list[Part] = []
    for block in blocks:
        if block and block[0].kind == "heading":
            linked += block
            continue
        is_of_one = bool(left) and left[0].get("kind") == "paragraph"
        wanted = 1 if is_of_one else len(block)
        taken, left = left[:wanted], left[wanted:]
        if len(taken) < wanted:
            return None
        for part, source in zip(block, taken * len(block) if is_of_one else taken, strict=True):
            if not _fits(part, source):
                return None
            turns = tuple(int(turn) for turn in source.get("turns", ()))
            linked.append(replace(part, turns=turns, starts_at=source.get("starts_at")))
    return None if left else linked


def _fits(part: Part, source: Mapping[str, Any]) -> bool:
    match source.get("kind"):
        case "paragraph":
            return True
        case "quote":
            return part.kind == "quote"
    return part.kind == "item"


def _parts(block: str) -> Iterator[Part]:
    heading = _HEADING.fullmatch(block.strip())
    if heading:
        inline = _MARKDOWN.parseInline(heading[2])[0]
        yield Part(kind="heading", runs=tuple(_runs(inline)), level=len(heading[1]))
        return
    kinds: list[Kind] = []
    for token in _MARKDOWN.parse(block):
        match token.type:
            case "blockquote_open":
                kinds.append("quote")
            case "list_item_open":
                kinds.append("item")
            case "blockquote_close" | "list_item_close":
                kinds.pop()
            case "inline":
                yield Part(kind=kinds[-1] if kinds else "paragraph", runs=tuple(_runs(token)))
            case "fence" | "code_block":
                yield Part(kind="paragraph", runs=(Run(text=token.content.strip()),))


def _runs(inline: Token) -> Iterator[Run]:
    style = Run(text="")
    for token in inline.children or ():
        if token.type in _OPENS:
            style = replace(style, **{_OPENS[token.type]: True})  # type: ignore[arg-type]  # styles are bools
        elif token.type in _CLOSES:
            style = replace(style, **{_CLOSES[token.type]: False})  # type: ignore[arg-type]
        elif token.type in {"softbreak", "hardbreak"}:
            yield replace(style, text=" " if token.type == "softbreak" else "\n")
        elif token.content:
            yield replace(style, text=token.content)
