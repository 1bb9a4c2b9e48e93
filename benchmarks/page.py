"""docs/performance.md: its tables, made of what was measured last and of what the cost model gave.

A table stands between two comments, `<!-- table: NAME -->` and `<!-- end of NAME -->`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path

from benchmarks import results
from benchmarks.costs import kept
from benchmarks.figures import Figure

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_VERDICTS = {None: "", True: "met", False: "**missed**"}
_TABLE = re.compile(
    r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL
)


def by_group(figures: Iterable[Figure]) -> Iterator[tuple[str, list[Figure]]]:
    """Yield the figures of each group, as they were measured."""
    for group, members in groupby(
        sorted(figures, key=lambda each: each.group), lambda each: each.group
    ):
        yield group, list(members)


def rewrite() -> None:
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def rewritten(text: str) -> str:
    """Return the page with each of its tables as it has to be."""
    tables = {
        "measured": measured(),
        **{name: markdown(*each) for name, each in kept.kept().items()},
    }
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found['name']]}\n{found[3]}", text)


def names(text: str) -> list[str]:
    return [found["name"] for found in _TABLE.finditer(text)]


def measured() -> str:
    """Return the table of all figures, with why goals are missed below it."""
    figures = list(chain.from_iterable(results.kept().values()))
    rows: list[Sequence[str]] = []
    notes: list[str] = []
    for group, members in by_group(figures):
        rows.append((f"**{group}**", "", "", "", "", ""))
        for each in members:
            mark = ""
            if each.note and each.is_met is False:
                notes += [] if each.note in notes else [each.note]
                mark = f" ({notes.index(each.note) + 1})"
            rows.append(
                (each.name, each.value_text, each.beside_text, each.ratio_text, each.goal_text,
                 f"{_VERDICTS[each.is_met]}{mark}")
            )  # fmt: skip
    head = ("what", "measured", "beside", "ratio", "goal", "")
    listed = "\n".join(f"{at}. {note[:1].upper()}{note[1:]}." for at, note in enumerate(notes, 1))
    return "\n\n".join(each for each in (markdown(head, rows, numbers=(1, 3, 4)), listed) if each)


def markdown(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    """Return a table in Markdown; `numbers` are the columns that go to the right."""
    rule = ["---:" if at in numbers else "---" for at in range(len(head))]
    return "\n".join(
        f"| {' | '.join(line)} |".replace("|  |", "| |") for line in (head, rule, *rows)
    )
