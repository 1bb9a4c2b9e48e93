"""The table of failures is the one in docs/operating.md, and no code lives outside it.

pytest tests/unit/test_failures.py --write-golden      # writes the page's table anew
"""

import ast
import re
from pathlib import Path

import pytest

from core.errors import BadTranscript
from core.failures import FAILURES, Failure, FailureKind

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operating.md"
HEADING = "| code | what happened | what to do | retried |\n| --- | --- | --- | --- |\n"
FOLDERS = ("core", "submitter", "webhook_receiver", "sweeper", "worker")


def row(kind: FailureKind) -> str:
    retried = "yes" if kind.may_help_to_retry else ""
    return f"| `{kind.code}` | {kind.happened} | {kind.advice} | {retried} |\n"


def test_the_operators_page_has_the_table(request: pytest.FixtureRequest) -> None:
    table = HEADING + "".join(map(row, FAILURES.values()))
    page = PAGE.read_text()
    if request.config.getoption("--write-golden"):
        page = re.sub(re.escape(HEADING) + r"(?:\|.*\n)*", lambda _: table, page)
        PAGE.write_text(page)

    assert table in page


def test_every_code_is_used() -> None:
    literals = {
        node.value
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "core" / "failures.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set(FAILURES) - literals == set()


def test_a_code_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no-such-code"):
        Failure("no-such-code")
    with pytest.raises(AssertionError, match="no-such-code"):
        BadTranscript("no-such-code", "for some reason")


def test_a_failure_without_words_of_its_own_says_what_the_table_says() -> None:
    assert Failure("cancelled").message == (
        "the request was cancelled on RunPod; upload the file again if need be"
    )
