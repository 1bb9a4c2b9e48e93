"""One self-contained HTML page: a summary beside its transcript, linked both ways.

It loads nothing and works without its script: the links lead to the turns and back. The script adds that
whatever belongs together is marked on both sides.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.operating.exports.about import About
from cli.operating.exports.linked import ShownPart, by_outcome, linked_parts, linked_turns
from cli.operating.exports.transcript import Turns

_MOST_BACK = 6

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(about: About, turns: Turns) -> str:
    passages = turns.passages.all if turns.passages else ()
    parts = list(linked_parts(about, last=len(passages)))
    return _templates.get_template("page.html.j2").render(
        about=about,
        fields=about.fields,
        language=about.language_tag,
        groups=_grouped(parts),
        turns=list(linked_turns(passages, parts)),
        remark=turns.remark,
        checks=by_outcome(about.checks),
        most_back=_MOST_BACK,
    )


def _grouped(parts: list[ShownPart]) -> list[tuple[str, list[ShownPart]]]:
    """Return neighbours of one kind together: the items of a list are in one list."""
    groups: list[tuple[str, list[ShownPart]]] = []
    for shown in parts:
        if groups and groups[-1][0] == shown.part.kind:
            groups[-1][1].append(shown)
        else:
            groups.append((shown.part.kind, [shown]))
    return groups
