"""The `summaries` commands that pages of the documentation name, as they stand there."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPERATING = ROOT / "docs" / "operating.md"
_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^ *(?:\$ )?(?:\.venv/bin/)?summaries (.+)$", re.MULTILINE)
_INDENTED = re.compile(r"^    summaries (.+)$", re.MULTILINE)
_IN_WORDS = re.compile(r"`summaries ([^`]+)`")


@dataclass(frozen=True)
class Command:
    page: str
    line: str  # without `summaries`

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)


def commands_in(page: Path) -> Iterator[Command]:
    """Yield all commands of a page: those in blocks, and those in the text."""
    text = page.read_text(encoding="utf-8")
    for block in _FENCED.findall(text):
        for line in _SHOWN.findall(block):
            yield Command(page.name, line)
    for pattern in (_INDENTED, _IN_WORDS):
        for line in pattern.findall(text):
            yield Command(page.name, line)


def sections(page: Path = OPERATING) -> dict[str, str]:
    """Return a page's sections by their headings."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def steps(section: str) -> list[list[str]]:
    """Return the commands that a section of the operator's page shows, in their order, as words.

    Those that only stand in the text are for another case than the usual one.
    """
    blocks = re.findall(r"^\$ (.+)$", sections()[section], re.MULTILINE)
    return [shlex.split(line, comments=True) for line in blocks]
