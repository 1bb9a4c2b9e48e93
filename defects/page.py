"""docs/planted-defects.md: every planted defect and the test that noticed it."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from defects.plant import SEEN, Kind
from defects.trial import ROOT, Outcome

PAGE = ROOT / "docs" / "planted-defects.md"

_INTRODUCTION = """\
# Planted defects

Do the tests notice what goes wrong elsewhere? We read public projects of this kind (transcripts to
summaries, RunPod handlers, webhook receivers, queues of documents) and collected their defects. Each is
made anew here in our own code, one at a time, in a copy of the tree; the test suite runs there and must
fail.

    make defects                                    # all of them; writes this page
    .venv/bin/python -m defects --only NAME         # one

{count} defects, all caught, in {minutes} minutes on two cores. First the suite passes in a copy without a
defect. A copy whose tests can't be run counts as a fault of the plant, not as caught. Tests that need a
deployed stack (`tests/local`, `tests/cloud`) are left out. A unit test keeps the plants from rotting:
each must apply to the code as it is, and stand on this page.
"""


def page(outcomes: Sequence[Outcome], *, minutes: float) -> str:
    """Return the page for defects that were all caught."""
    planted = Counter(outcome.plant.kind for outcome in outcomes)
    lines = [
        _INTRODUCTION.format(count=len(outcomes), minutes=max(1, round(minutes))),
        "## Kinds",
        "",
        "| kind | as it is seen | planted |",
        "| --- | --- | --- |",
        *(f"| {kind} | {SEEN[kind]} | {planted[kind]} |" for kind in Kind),
        "",
        "## Defects",
        "",
        "Seconds include the copy, the start of Python and imports: about three.",
        "",
        "| plant | what goes wrong | kind | planted in | caught by | s |",
        "| --- | --- | --- | --- | --- | --- |",
        *map(_row, outcomes),
    ]
    return "\n".join(lines) + "\n"


def listed(page: str) -> list[str]:
    """Return the names of the plants that a page lists."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)


def _row(outcome: Outcome) -> str:
    plant = outcome.plant
    files = ", ".join(f"`{file}`" for file in dict.fromkeys(edit.file for edit in plant.edits))
    file, _, test = outcome.caught_by.partition("::")
    test = test.replace("::", " ")
    caught_by = f"`{Path(file).relative_to('tests')}` {test}"
    return (
        f"| `{plant.name}` | {plant.what} | {plant.kind} | {files} | {caught_by}"
        f" | {outcome.seconds:.0f} |"
    )
