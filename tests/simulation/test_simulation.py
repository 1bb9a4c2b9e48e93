"""A fixed number of runs, the seeds that once found something, and that the watch is awake.

Many more: `make simulate SEEDS=10000`.
"""

import io
from collections import Counter
from dataclasses import replace

import pytest

from core import redeem, settle
from core.settle import Settled, Settler
from submitter.submit import Submitter
from tests.simulation.story import Outcome, run_seed
from tests.simulation.weather import CALM, FAULTS, Weather

_SEEDS_PER_TEST = 25
_PIECES = 8

# What each found is told in docs/reliability.md. The schedule a seed stands for changes with the code,
# so each of these findings has a test of its own besides.
FOUND = {43, 21_742, 22_228, 30_345, 40_535}


@pytest.mark.parametrize("piece", range(_PIECES))
def test_every_promise_holds_whatever_goes_wrong(piece: int, output: io.StringIO) -> None:
    first = piece * _SEEDS_PER_TEST

    outcomes = [run_seed(seed, output) for seed in range(first, first + _SEEDS_PER_TEST)]

    assert told(outcomes) == ""


@pytest.mark.parametrize("seed", sorted(FOUND))
def test_what_a_seed_found_stays_mended(seed: int, output: io.StringIO) -> None:
    assert told([run_seed(seed, output)]) == ""


def test_a_run_is_its_seed(output: io.StringIO) -> None:
    first = run_seed(11, output, keeps_history=True)
    second = run_seed(11, output, keeps_history=True)

    assert first == second
    assert len(first.history) > 100


def test_nothing_goes_wrong_in_calm_weather(output: io.StringIO) -> None:
    outcomes = [run_seed(seed, output, weather=CALM) for seed in range(20)]

    assert told(outcomes) == ""
    assert sum((outcome.tally for outcome in outcomes), Counter[str]()).keys().isdisjoint(FAULTS)
    assert sum(outcome.jobs["succeeded"] for outcome in outcomes) >= 20


def test_lost_callbacks_alone_cost_no_summary_and_no_gpu_run(output: io.StringIO) -> None:
    weather = replace(CALM, callbacks_lost=1.0)

    outcomes = [run_seed(seed, output, weather=weather) for seed in range(20)]

    assert told(outcomes) == ""
    assert all(set(outcome.jobs) <= {"succeeded", "superseded", "replaced"} for outcome in outcomes)


class TestTheWatch:
    """Each of these breaks the program where it matters, and a promise must be seen to break."""

    WEATHER = Weather(callbacks_repeated=0.5, callbacks_lost=0.2, aws_requests=0.05, kills=0.03)

    def test_sees_a_summary_that_is_not_runpods(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settle, "count_words", lambda text: len(text.split()) + 1)

        assert "without its summary" in self.broken(output)

    def test_sees_a_job_that_never_ends(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def swallowed(settler: Settler, *_: object, **__: object) -> Settled:
            raise settle.UnknownCall("not there")

        monkeypatch.setattr(Settler, "settle", swallowed)

        assert self.broken(output)

    def test_sees_a_request_that_is_not_on_record(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Submitter, "_claimed", lambda _self, call, _now: call)

        assert self.broken(output)

    def test_sees_money_spent_without_bound(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.jobs.Call.paid_attempts", property(lambda _: 0))

        weather = replace(self.WEATHER, gpu_losses=0.9)
        assert "paid for too often" in self.broken(output, weather)

    def test_sees_a_receipt_that_is_believed_unseen(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(redeem, "checked_text", lambda body, _: body.decode().strip())

        weather = replace(self.WEATHER, pulls_broken=0.9)
        assert "is not what RunPod made" in self.broken(output, weather)

    def test_sees_private_words_in_a_log_line(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from core.telemetry import logger
        from webhook_receiver import app

        def told_all(event: dict[str, str]) -> None:
            logger.info("callback", extra={"body": event["body"]})

        parse = app.parse_body
        monkeypatch.setattr(app, "parse_body", lambda event: told_all(event) or parse(event))

        assert "log line" in self.broken(output)

    def broken(self, output: io.StringIO, weather: Weather | None = None) -> str:
        outcomes = [run_seed(seed, output, weather=weather or self.WEATHER) for seed in range(10)]
        return "\n".join(outcome.broken for outcome in outcomes)


def told(outcomes: list[Outcome]) -> str:
    """Return the history of what broke, to be read in a test's report."""
    broken = [outcome for outcome in outcomes if outcome.broken]
    if not broken:
        return ""
    first = broken[0]
    lines = [*map(str, first.history), f"seed {first.seed}: {first.broken}", str(first.weather)]
    return "\n".join(lines)
