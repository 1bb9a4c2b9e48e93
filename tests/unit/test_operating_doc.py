"""What docs/operating.md and docs/commands.md say can be typed, and the tool would take it."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest

from cli.__main__ import main
from core.failures import FAILURES
from tests.local.on_call.situations import SITUATIONS as PLANTED
from tests.pages import OPERATING, ROOT, Command, commands_in, sections, steps

PAGES = (
    OPERATING,
    ROOT / "docs" / "commands.md",
    ROOT / "docs" / "deploying.md",
    ROOT / "README.md",
)
COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands_in(page)))
# By these headings alarms name what to read.
SITUATIONS = [
    "A failed job",
    "A stuck job",
    "Lost callbacks",
    "Dead letters",
    "Rotating the callback secret",
    "A leaked secret",
    "A new RunPod key",
    "A bad prompt",
    "A privacy request",
    "A cost surprise",
    "An upgrade",
    "A rollback",
    "A full stop",
    "A RunPod outage",
    "A wrong summary",
    "A function in trouble",
    "Notices that did not arrive",
]


def parsed(words: list[str]) -> tuple[click.Command, dict[str, Any]]:
    """Return the command that words mean, and its arguments, as the tool would take them."""
    context = main.make_context("summaries", list(words))
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(name, list(rest), parent=context)
        if isinstance(command, click.Group):
            rest = [*context.protected_args, *context.args]
    return command, context.params


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files be there that the pages name for an example."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").mkdir()
    for name in (
        "board.vtt",
        "board.txt",
        "meeting.txt",
        "council.docx",
        "names.txt",
        "FILE",
        "samples/weekly-standup.txt",
    ):
        (tmp_path / name).write_text("Ann: A word.\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.page}: {one.line}")
def test_the_tool_takes_every_command_of_the_pages(command: Command) -> None:
    with suppress(click.exceptions.Exit):  # --help: the rest is not looked at
        if command.words[0] != "COMMAND":
            parsed(command.words)


def test_a_command_that_the_tool_does_not_take_would_be_noticed() -> None:
    for wrong in ("retry --no-such-option", "no-such-command", "list --state ended", "show"):
        with pytest.raises(click.UsageError):
            parsed(wrong.split())


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if "--reason" in each.line], ids=lambda one: one.line
)
def test_every_reason_that_a_command_names_is_one(command: Command) -> None:
    named = re.findall(r"--reason (\S+)", command.line)

    assert set(named) - {"CODE"} <= set(FAILURES)


def test_the_page_has_a_section_for_each_situation_in_this_order() -> None:
    assert [name for name in sections() if name in SITUATIONS] == SITUATIONS


def test_each_situation_is_planted_by_a_test_that_types_its_commands() -> None:
    assert set(PLANTED) == set(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_section_says_what_to_type_and_when_it_is_over(situation: str) -> None:
    assert any(step[0] == "summaries" for step in steps(situation))
    assert "**Over** when" in sections()[situation]


def test_links_lead_to_sections_of_the_page() -> None:
    text = OPERATING.read_text(encoding="utf-8")
    anchors = {name.lower().replace(" ", "-") for name in sections()}

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_no_recipe_is_left_where_a_command_does_it() -> None:
    assert not re.search(r"^(?:\$ )?aws ", OPERATING.read_text(encoding="utf-8"), re.MULTILINE)
