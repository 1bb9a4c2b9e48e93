"""Summaries of parts, put together as one: section by section, each in the order of the parts.

The parts share a structure (core/summaries/prompts): a title, then `##` sections. Sections of the same
heading become one; the first part's title stands for all. No sentence is lost or changed. Pure.
"""

from collections.abc import Sequence

_LEVELS = (1, 2)


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
        level, heading = _heading(line)
        if level:
            found.append((level, heading, []))
        else:
            found[-1][2].append(line)
    return [(level, heading, "\n".join(lines).strip()) for level, heading, lines in found]


def _heading(line: str) -> tuple[int, str]:
    """Return level and words of a `#` or `##` heading, as Markdown has it; level 0 for any other line.

    In time linear in the line, whatever the model wrote: so without a regex.
    """
    marks = line[: len(line) - len(line.lstrip("#"))]
    rest = line[len(marks) :]
    if len(marks) not in _LEVELS or not rest[:1].isspace():
        return 0, ""
    words = rest.strip()
    before_closing = words.rstrip("#")
    if before_closing == "" or before_closing[-1].isspace():  # "## C#" keeps its sign
        words = before_closing.rstrip()
    return (len(marks), words) if words else (0, "")
