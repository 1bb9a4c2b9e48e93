"""Nothing has to be typed twice: every option of every command has a twin in the environment."""

import json
from collections.abc import Iterator

import click
import pytest

from cli.__main__ import main
from core.jobs.job import JobState
from tests.builders import minutes
from tests.fakes.operated import operated


def options(group: click.Group) -> Iterator[tuple[str, click.Option]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from options(command)
        for option in command.params:
            if isinstance(option, click.Option):
                yield f"{name} {option.opts[0]}", option


def test_every_option_has_one_and_says_so() -> None:
    without = [name for name, option in options(main) if not (option.envvar and option.show_envvar)]

    assert without == []


def test_no_two_options_of_different_meaning_share_one() -> None:
    by_variable: dict[str, set[str]] = {}
    for _, option in options(main):
        by_variable.setdefault(str(option.envvar), set()).add(max(option.opts, key=len))

    assert {name: flags for name, flags in by_variable.items() if len(flags) > 1} == {}


def test_it_counts_as_the_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with operated(monkeypatch) as operator:
        operator.recorded(1, ago=minutes(1))
        operator.recorded(2, ago=minutes(2), state=JobState.FAILED)
        result = operator.run(
            "list", "--json", SUMMARIES_LIST_LIMIT="1", SUMMARIES_LIST_STATE="failed"
        )

    assert [job["key"] for job in json.loads(result.stdout)["jobs"]] == ["calls/2.txt"]
