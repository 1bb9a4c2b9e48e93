"""`secret` over moto: a rotation step by step, resumable, and without a callback lost; a new key."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from tests.builders import SECRET
from tests.cli.operating.operated import Operated, operated
from tests.fakes.cloud import RUNPOD

KEY = "rpa_" + "Z9y8X7w6" * 5


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def pass_minutes(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("cli.operating.secrets.now", clock)
    monkeypatch.setattr("cli.operating.secrets._pause", clock.sleep)
    return clock


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Operated]:
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    with operated(monkeypatch) as stack:
        yield stack


def live() -> tuple[bytes, ...]:
    """Return what counts for a function that reads the secret now: the one that signs comes first."""
    return ManagedCallbackSecrets(SecretReader(boto3.client("secretsmanager"), "callback")).live()


def put(value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    boto3.client("secretsmanager").put_secret_value(SecretId="callback", SecretString=text)


def test_the_first_step_announces_a_new_secret_and_signs_with_the_old(stack: Operated) -> None:
    told = stack.json("secret", "rotate", "--yes")

    assert told["step"] == "announced"
    assert live()[0] == SECRET
    assert len(live()) == 2


def test_a_step_before_its_time_is_not_taken(stack: Operated, clock: Clock) -> None:
    stack.json("secret", "rotate", "--yes")
    before = live()
    clock.pass_minutes(4)

    told = stack.json("secret", "rotate", "--yes")

    assert told["step"] == "announced"
    assert told["next_at"] == "2026-03-02T12:05:00+00:00"
    assert live() == before


def test_the_second_step_lets_the_new_one_sign_and_takes_the_old(
    stack: Operated, clock: Clock
) -> None:
    stack.json("secret", "rotate", "--yes")
    old, new = live()
    clock.pass_minutes(5)

    stack.json("secret", "rotate", "--yes")

    assert live() == (new, old)


def test_the_old_one_is_retired_once_all_that_it_signed_has_ended(
    stack: Operated, clock: Clock
) -> None:
    stack.json("secret", "rotate", "--yes")
    clock.pass_minutes(5)
    stack.json("secret", "rotate", "--yes")
    new = live()[0]
    clock.pass_minutes(64)
    assert stack.json("secret", "rotate", "--yes")["step"] == "exchanged"
    clock.pass_minutes(1)

    told = stack.json("secret", "rotate", "--yes")

    assert told["step"] == "at rest"
    assert live() == (new,)


def test_with_wait_one_command_does_it_all(stack: Operated, clock: Clock) -> None:
    told = stack.json("secret", "rotate", "--wait", "--yes")

    assert told["step"] == "at rest"
    assert SECRET not in live()
    assert clock.at - datetime(2026, 3, 2, 12, tzinfo=UTC) >= timedelta(minutes=70)


def test_status_says_how_far_it_is_and_prints_no_secret(stack: Operated) -> None:
    stack.json("secret", "rotate", "--yes")

    result = stack.run("secret", "status")

    assert "A new secret is announced" in result.stdout
    assert not [each for each in live() if each.decode() in result.stdout]


def test_a_rotation_begun_by_hand_is_not_guessed_at(stack: Operated, clock: Clock) -> None:
    put({"current": "c" * 40, "previous": "p" * 40})

    refused = stack.run("secret", "rotate", "--yes")
    told = stack.json("secret", "rotate", "--at", "announced", "--yes")

    assert refused.exit_code == 1
    assert "--at announced" in refused.stderr
    assert told["step"] == "announced"
    assert live() == (b"c" * 40, b"p" * 40)
    clock.pass_minutes(5)
    assert stack.json("secret", "rotate", "--yes")["step"] == "exchanged"
    assert live() == (b"p" * 40, b"c" * 40)


def test_a_leaked_secret_is_replaced_at_once(stack: Operated) -> None:
    stack.json("secret", "rotate", "--leaked", "--yes")

    assert len(live()) == 1
    assert live()[0] != SECRET


def test_a_secret_that_nobody_can_use_is_explained(stack: Operated) -> None:
    put("not JSON")

    result = stack.run("secret", "rotate", "--yes")

    assert result.exit_code == 1
    assert "--leaked" in result.stderr


def test_a_dry_run_takes_no_step(stack: Operated) -> None:
    told = stack.json("secret", "rotate", "--dry-run")

    assert told["next"] == "announce a new secret"
    assert live() == (SECRET,)


def test_whoever_is_second_in_the_same_moment_writes_nothing(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others_first() -> str:
        put({"current": "o" * 40, "previous": ""})
        return "n" * 40

    monkeypatch.setattr("cli.operating.secrets.new_secret", others_first)

    result = stack.run("secret", "rotate", "--yes")

    assert result.exit_code == 1
    assert live() == (b"o" * 40,)


def stored_key() -> str:
    client = boto3.client("secretsmanager")
    return str(client.get_secret_value(SecretId="runpod/api-key")["SecretString"])


def test_a_key_that_runpod_takes_is_stored_and_never_printed(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    stack.cloud.runpod.get(f"{RUNPOD}/health", json={})

    result = stack.run("secret", "set-key", "--yes")

    assert result.exit_code == 0, result.stderr
    assert stored_key() == KEY
    assert KEY not in result.stdout + result.stderr


def test_a_key_that_runpod_refuses_is_not_stored(
    stack: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    stack.cloud.runpod.get(f"{RUNPOD}/health", status=401)

    result = stack.run("secret", "set-key", "--yes")

    assert result.exit_code == 1
    assert "RunPod refuses the key" in result.stderr
    assert stored_key() != KEY


def test_without_a_terminal_a_key_comes_from_the_environment_alone(stack: Operated) -> None:
    assert stack.run("secret", "set-key", "--yes").exit_code == 2
