"""What `doctor` prints and how it ends, over readings that were made up."""

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from cli.__main__ import main
from cli.doctor import command, gather
from cli.doctor.readings import NotRead, Readings
from cli.doctor.registry import REGISTRY, examined
from cli.doctor.runpod import Reach
from cli.operating import desk
from tests.cli.doctor.readings import healthy

Run = Callable[..., Result]


class _NoDeployment:
    stack_name = "transcript-summaries"
    is_local = True

    def close(self) -> None:
        pass


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def with_readings(readings: Readings, *options: str) -> Result:
        monkeypatch.setattr(command, "gather", lambda *_: readings)
        monkeypatch.setattr(desk, "_deployment", lambda *_: _NoDeployment())
        return CliRunner().invoke(main, ["doctor", *options])

    return with_readings


def without(name: str, **changes: Any) -> Readings:
    held = dict(healthy(**changes).held)
    del held[name]
    return Readings(held=held, unread={name: "AWS refused GetSchedule: AccessDenied"})


class TestEnding:
    def test_a_deployment_in_order_ends_with_0(self, run: Run) -> None:
        result = run(healthy())

        assert (result.exit_code, "Nothing found" in result.output) == (0, True)

    def test_what_is_wrong_ends_with_1_and_says_what_was_seen_and_the_fix(self, run: Run) -> None:
        result = run(healthy(dead_letters=2))

        assert result.exit_code == 1
        assert "2 dead letters" in result.output
        assert "fix: look at them with `redrive --dry-run`" in result.output

    def test_a_warning_ends_with_0_unless_it_is_strict(self, run: Run) -> None:
        sick = healthy(is_key_restricted=False)

        assert run(sick).exit_code == 0
        assert run(sick, "--strict").exit_code == 1

    def test_what_could_not_be_looked_at_is_no_finding_but_is_said(self, run: Run) -> None:
        result = run(without("schedule"))

        assert result.exit_code == 0
        assert "not looked at sweep-schedule, sweep-target" in result.output
        assert run(without("schedule"), "--strict").exit_code == 1

    def test_it_claims_to_have_tried_the_webhook_only_where_it_has(self, run: Run) -> None:
        assert "was tried from this machine" in run(healthy()).output
        assert "was tried from this machine" not in run(healthy(), "--only", "clock").output

    def test_nothing_is_wider_than_eighty_columns(self) -> None:
        sick = without("schedule", dead_letters=2, template_differences=tuple("abcdefgh"))
        console = Console(width=80, file=io.StringIO())

        command._show(console, examined(sick, REGISTRY.checks), 1.0)

        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert max(map(len, lines)) <= 80

    def test_an_unknown_check_is_wrong_usage(self, run: Run) -> None:
        assert run(healthy(), "--only", "everything").exit_code == 2

    def test_the_key_goes_nowhere_without_encryption(self, run: Run) -> None:
        assert run(healthy(), "--management-url", "http://example.org").exit_code == 2

    def test_the_checks_can_be_named(self) -> None:
        result = CliRunner().invoke(main, ["doctor", "--list"])

        assert (result.exit_code, "dead-letters" in result.output.split()) == (0, True)


class TestJson:
    def test_it_is_one_document_with_errors_apart_from_warnings(self, run: Run) -> None:
        result = run(without("schedule", dead_letters=2, is_key_restricted=False), "--json")

        told = json.loads(result.stdout)
        assert result.exit_code == 1
        assert told["is_healthy"] is False
        assert [each["check"] for each in told["errors"]] == ["dead-letters"]
        assert [each["check"] for each in told["warnings"]] == ["key-restricted"]
        assert [each["checks"] for each in told["not_checked"]] == [
            ["sweep-schedule", "sweep-target"]
        ]

    def test_each_finding_says_what_was_seen_and_the_fix(self, run: Run) -> None:
        (error,) = json.loads(run(healthy(feed=None), "--json").stdout)["errors"]

        assert error.keys() == {"check", "seen", "fix"}
        assert all(error.values())


class TestReading:
    def test_what_hangs_is_left_out_and_the_rest_is_read(self) -> None:
        held_up = threading.Event()

        readings = gather._read({"feed": held_up.wait, "dead_letters": lambda: 0}, 0.2)
        held_up.set()

        assert readings.dead_letters == 0
        with pytest.raises(NotRead, match=r"no answer within 0\.2 s"):
            _ = readings.feed

    def test_what_needs_a_reading_that_failed_says_which(self) -> None:
        first = Readings(held={}, unread={"stack": "AWS refused DescribeStacks: AccessDenied"})

        readings = gather._read({"schedule": lambda: first.stack}, 5)

        assert readings.unread == {
            "schedule": "stack could not be read: AWS refused DescribeStacks: AccessDenied"
        }

    def test_both_rounds_together_are_well_under_fifteen_seconds(self) -> None:
        longest = gather._FIRST_SECONDS + gather._BEYOND_AN_ANSWER_SECONDS + Reach().answer_seconds

        assert longest < 14

    def test_what_fails_is_told_without_its_words(self) -> None:
        def fail() -> None:
            raise ValueError("https://hooks.example/a-token")

        readings = gather._read({"feed": fail}, 5)

        assert readings.unread == {"feed": "it could not be read (ValueError)"}
