"""The secret behind the tokens: how it is compared, and how it is replaced while callbacks come in."""

import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from cli.operating.rotation import CallbackSecret, Step
from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from core.errors import BadToken
from core.jobs.callback import CallRef, is_token_of, token_for
from tests.builders import JOB_ID, NOON, a_ref
from tests.fuzz.receiver import CURRENT, PREVIOUS, REMOVED, SecretsManager
from webhook_receiver.callbacks import checked_ref

CACHE_SECONDS = 300
DEADLINE_SECONDS = 3600  # JobDeadlineMinutes
ENVIRONMENTS = 4  # of each function at once


class TestComparing:
    @pytest.fixture
    def compared(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = []
        compare = hmac.compare_digest

        def spy(expected: Any, claimed: Any) -> bool:
            pairs.append((expected, claimed))
            return compare(expected, claimed)

        monkeypatch.setattr(hmac, "compare_digest", spy)
        return pairs

    @pytest.mark.parametrize("made_with", [CURRENT, PREVIOUS, REMOVED])
    def test_compares_with_every_live_secret_whichever_fits(
        self, compared: list[tuple[Any, Any]], made_with: bytes
    ) -> None:
        token = token_for(a_ref(), made_with)

        is_right = is_token_of(a_ref(), token, (CURRENT, PREVIOUS))

        assert is_right is (made_with != REMOVED)
        assert compared == [
            (token_for(a_ref(), secret).encode(), token.encode()) for secret in (CURRENT, PREVIOUS)
        ]

    @pytest.mark.parametrize("token", ["", "A", "é" * 43, "\ud800", "A" * 100_000])
    def test_takes_the_same_steps_for_a_token_of_any_form(
        self, compared: list[tuple[Any, Any]], token: str
    ) -> None:
        assert not is_token_of(a_ref(), token, (CURRENT, PREVIOUS))

        assert len(compared) == 2
        assert all(type(part) is bytes for pair in compared for part in pair)

    @pytest.mark.parametrize("verdict", [True, False])
    def test_is_left_to_the_constant_time_comparison_alone(
        self, monkeypatch: pytest.MonkeyPatch, verdict: bool
    ) -> None:
        monkeypatch.setattr(hmac, "compare_digest", lambda expected, claimed: verdict)

        for token in (token_for(a_ref(), CURRENT), "wrong"):
            assert is_token_of(a_ref(), token, (CURRENT, PREVIOUS)) is verdict


@dataclass
class Clock:
    """Both of the clocks that a cached secret goes by."""

    seconds: float = 0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def environments(clock: Clock, secrets_manager: SecretsManager) -> list[ManagedCallbackSecrets]:
    """Return what several execution environments of a function hold, each with a cache of its own."""
    return [
        ManagedCallbackSecrets(
            SecretReader(
                secrets_manager,  # type: ignore[arg-type]
                "callback",
                monotonic=clock.monotonic,
                clock=clock.monotonic,
            )
        )
        for _ in range(ENVIRONMENTS)
    ]


def value(current: bytes, previous: bytes | str = "") -> str:
    return json.dumps(
        {
            "current": current.decode(),
            "previous": previous if isinstance(previous, str) else previous.decode(),
        }
    )


def rotation() -> Iterator[tuple[float, str]]:
    """Yield when `secret rotate --wait` stores which value; PREVIOUS is the old secret, CURRENT the new."""
    held, now = CallbackSecret(current=PREVIOUS.decode()), NOON
    while True:
        held = held.moved_on(now, CURRENT.decode)
        yield (now - NOON).total_seconds(), held.as_value()
        if held.step is Step.AT_REST:
            return
        now = held.next_at(job_deadline=timedelta(seconds=DEADLINE_SECONDS)) or now


@dataclass
class Traffic:
    """Requests and their callbacks, strangers in between, while the secret is being replaced."""

    clock: Clock
    rng: Random
    secrets_manager: SecretsManager
    refused: list[float] = field(default_factory=list)
    taken: int = 0

    def run(self, puts: list[tuple[float, str]]) -> None:
        submitters = environments(self.clock, self.secrets_manager)
        receivers = environments(self.clock, self.secrets_manager)
        ends = puts[-1][0] + 2 * DEADLINE_SECONDS
        waiting: list[tuple[float, CallRef, str]] = []
        at = -2.0 * DEADLINE_SECONDS
        while at < ends:
            at += self.rng.choice([0.5, 1, 3, 10, 40])
            self.clock.seconds = at
            while puts and puts[0][0] <= at:
                self.secrets_manager.value = puts.pop(0)[1]
            ref = CallRef(JOB_ID, "whole", self.rng.randint(1, 999))
            token = token_for(ref, self.rng.choice(submitters).current())
            lasts = self.rng.choice([0.2, 1, 5, 20, 60, 600, self.rng.uniform(0, DEADLINE_SECONDS)])
            waiting.append((at + lasts, ref, token))
            if self.rng.random() < 0.3:
                assert not self._knock(receivers, ref, "A" * 43)
            for due in [each for each in waiting if each[0] <= at]:
                waiting.remove(due)
                self._callback(receivers, *due[1:])

    def _callback(self, receivers: list[Any], ref: CallRef, token: str) -> None:
        if self._knock(receivers, ref, token):
            self.taken += 1
        else:
            self.refused.append(self.clock.seconds)

    def _knock(self, receivers: list[Any], ref: CallRef, token: str) -> bool:
        path = {"job_id": ref.job_id, "call_id": ref.call_id, "attempt": str(ref.attempt)}
        try:
            checked_ref({"pathParameters": path | {"token": token}}, self.rng.choice(receivers))
        except BadToken:
            return False
        return True


class TestReplacing:
    @pytest.mark.parametrize("seed", range(8))
    def test_as_the_command_does_it_refuses_no_genuine_callback(
        self, clock: Clock, seed: int
    ) -> None:
        traffic = Traffic(clock, seeded(seed), SecretsManager(value(PREVIOUS)))

        traffic.run(list(rotation()))

        assert traffic.refused == []
        assert traffic.taken > 1000

    @pytest.mark.parametrize(
        "hurried",
        [
            [(0.0, value(CURRENT))],
            [
                (0.0, value(PREVIOUS, CURRENT)),
                (300.0, value(CURRENT, PREVIOUS)),
                (600.0, value(CURRENT)),
            ],
        ],
        ids=["at once", "emptied too early"],
    )
    def test_otherwise_refuses_some(self, clock: Clock, hurried: list[tuple[float, str]]) -> None:
        """What the pauses of `secret rotate` are for; RunPod calls again, and then the sweeper asks."""
        refused = 0
        for seed in range(8):
            traffic = Traffic(clock, seeded(seed), SecretsManager(value(PREVIOUS)))
            traffic.run(list(hurried))
            refused += len(traffic.refused)

        assert refused > 0

    @pytest.mark.parametrize("is_announced", [True, False])
    def test_is_announced_first_because_a_stranger_may_have_used_up_the_look(
        self, clock: Clock, is_announced: bool
    ) -> None:
        """RunPod's three tries fall into the half minute in which a receiver does not look again."""
        secrets_manager = SecretsManager(value(PREVIOUS, CURRENT if is_announced else ""))
        (receiver, *_) = environments(clock, secrets_manager)
        (submitter, *_) = environments(clock, secrets_manager)
        wrong = {"pathParameters": {**path_of(a_ref()), "token": "A" * 43}}
        with pytest.raises(BadToken):
            checked_ref(wrong, receiver)
        secrets_manager.value = value(CURRENT, PREVIOUS)
        token = token_for(a_ref(), submitter.current())
        callback = {"pathParameters": {**path_of(a_ref()), "token": token}}
        taken = 0

        for clock.seconds in (4, 14, 24):
            with suppress(BadToken):
                taken += checked_ref(callback, receiver) == a_ref()

        assert token == token_for(a_ref(), CURRENT)
        assert taken == (3 if is_announced else 0)

    def test_keeps_the_old_one_as_long_as_a_submitter_may_have_it(self, clock: Clock) -> None:
        """A submitter that looked just before the swap makes old tokens for five minutes more."""
        puts = list(rotation())
        swapped_at, emptied_at = puts[1][0], puts[2][0]

        announced = json.loads(puts[0][1])
        assert (announced["current"], announced["previous"]) == (
            PREVIOUS.decode(),
            CURRENT.decode(),
        )
        assert swapped_at >= CACHE_SECONDS
        assert emptied_at - swapped_at >= CACHE_SECONDS + DEADLINE_SECONDS
        assert puts[-1][1] == value(CURRENT)

    def test_shuts_an_old_token_out_within_the_cache_time(self, clock: Clock) -> None:
        secrets_manager = SecretsManager(value(CURRENT, PREVIOUS))
        receivers = environments(clock, secrets_manager)
        old = {"pathParameters": {**path_of(a_ref()), "token": token_for(a_ref(), PREVIOUS)}}
        for each in receivers:
            assert checked_ref(old, each) == a_ref()
        secrets_manager.value = value(CURRENT)

        clock.seconds = CACHE_SECONDS + 1
        for each in receivers:
            with pytest.raises(BadToken):
                checked_ref(old, each)

    def test_is_noticed_at_the_first_token_that_is_not_known(self, clock: Clock) -> None:
        secrets_manager = SecretsManager(value(PREVIOUS))
        (receiver, *_) = environments(clock, secrets_manager)
        receiver.live()
        secrets_manager.value = value(CURRENT, PREVIOUS)

        new = {"pathParameters": {**path_of(a_ref()), "token": token_for(a_ref(), CURRENT)}}
        assert checked_ref(new, receiver) == a_ref()

    def test_costs_strangers_one_look_in_half_a_minute(self, clock: Clock) -> None:
        secrets_manager = SecretsManager(value(CURRENT))
        (receiver, *_) = environments(clock, secrets_manager)
        wrong = {"pathParameters": {**path_of(a_ref()), "token": "A" * 43}}

        for _ in range(3000):
            clock.seconds += 0.1
            with pytest.raises(BadToken):
                checked_ref(wrong, receiver)

        assert secrets_manager.fetches <= 1 + 300 / 30 + 1


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same traffic every time


def path_of(ref: CallRef) -> dict[str, str]:
    return {"job_id": ref.job_id, "call_id": ref.call_id, "attempt": str(ref.attempt)}
