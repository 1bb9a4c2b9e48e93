"""Summaries of parts, put together as one: section by section, each in the order of the parts.

The parts share a structure (core/prompts): a title, then `##` sections. Sections of the same heading
become one; the first part's title stands for all. No sentence is lost or changed. Pure.
"""

import re
from collections.abc import Sequence

_HEADING = re.compile(r"^(#{1,2})\s+(.+?)\s*#*$")


def joined(texts: Sequence[str]) -> str:
    """Return one text of several, in order. Texts without headings follow one another."""
    if len(texts) == 1:
        return texts[0]
    title = ""
    sections: dict[str, tuple[str, list[str]]] = {}
    for text in texts:
        for level, heading, body in _sections(text):
            if level == 1:
                title = title or heading
                heading_key, heading_line = "", ""
            else:
                heading_key, heading_line = heading.casefold(), heading
            kept = sections.setdefault(heading_key, (heading_line, []))
            if body:
                kept[1].append(body)
    parts = [f"# {title}"] if title else []
    for heading, bodies in sections.values():
        if heading and bodies:
            parts.append(f"## {heading}")
        parts.extend(bodies)
    return "\n\n".join(parts)


def _sections(text: str) -> list[tuple[int, str, str]]:
    """Return level, heading and body of each section; what stands before the first is level 1."""
    found: list[tuple[int, str, list[str]]] = [(1, "", [])]
    for line in text.strip().splitlines():
        heading = _HEADING.match(line)
        if heading:
            found.append((len(heading[1]), heading[2], []))
        else:
            found[-1][2].append(line)
    return [(level, heading, "\n".join(lines).strip()) for level, heading, lines in found]
