"""A sweep ends in time, whatever hangs, and what hangs delays nothing else."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.errors import RunPodBusy, RunPodError, RunPodFailed, RunPodRefused, RunPodSilent
from core.jobs.call import CallState
from core.runpod.reports import RunPodReport
from sweeper.lanes import Circuit, CircuitOpen, paced
from sweeper.results import SweepOutcome
from tests.builders import JOB_ID, NOON, a_call, a_job, a_pull_call, a_pull_report, minutes
from tests.functions.sweeping import RUNNING, SweeperSetup

_SECONDS_BEFORE_A_TEST_FAILS = 60.0  # nothing waits so long unless it hangs


@dataclass
class Hanging:
    """A request that hangs until the test releases it."""

    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def status(self, runpod_id: str) -> RunPodReport:
        self.asked.append(runpod_id)
        self.gate.wait(_SECONDS_BEFORE_A_TEST_FAILS)
        raise RunPodSilent("no answer")


@pytest.fixture
def setup() -> SweeperSetup:
    return SweeperSetup()


@pytest.fixture
def hanging(setup: SweeperSetup) -> Iterator[Hanging]:
    hanging = Hanging()
    setup.runpod.status = hanging.status  # type: ignore[method-assign]
    yield hanging
    hanging.gate.set()


class TestASweepWhoseTimeIsUp:
    def test_ends_though_runpod_never_answers(self, setup: SweeperSetup, hanging: Hanging) -> None:
        setup.holding_many(100)
        turns: list[int] = []

        looks = setup.sweep(
            pace=lambda: turns.append(1),
            seconds_left=lambda: 100.0 if len(turns) < 48 else 0.0,  # every thread has its ask
        )

        assert len(turns) == 48
        assert {look.outcome for look in looks} == {SweepOutcome.LEFT}

    def test_ends_though_the_table_never_answers(self, setup: SweeperSetup) -> None:
        gate = threading.Event()
        reads = iter(range(100))
        setup.store.due = lambda _: (gate.wait(60), iter([]))[1]  # type: ignore[method-assign]

        looks = setup.sweep(seconds_left=lambda: 0.0 if next(reads) else 100.0)

        assert looks == []
        gate.set()

    def test_starts_no_request_that_might_not_end_in_time(self, setup: SweeperSetup) -> None:
        setup.holding_many(3)

        looks = setup.sweep(seconds_left=lambda: 30.0)

        assert [look.outcome for look in looks] == [SweepOutcome.LEFT] * 3
        assert setup.runpod.asked == []

    def test_does_what_needs_no_runpod_as_long_as_that_can_end(self, setup: SweeperSetup) -> None:
        setup.holding(a_call(CallState.WAITING))

        assert [look.outcome for look in setup.sweep(seconds_left=lambda: 30.0)] == [
            SweepOutcome.RESENT
        ]

    def test_leaves_what_it_did_not_get_to_first_in_the_next(self, setup: SweeperSetup) -> None:
        setup.holding_many(100)
        turns: list[int] = []

        setup.sweep(
            pace=lambda: turns.append(1), seconds_left=lambda: 100.0 if len(turns) < 30 else 20.0
        )
        first = list(setup.runpod.asked)
        setup.sweep()

        assert len(first) == 30
        assert len(setup.runpod.asked) == 100
        assert len(set(setup.runpod.asked)) == 100


class TestARunPodThatHangs:
    def test_delays_nothing_that_does_not_need_it(
        self, setup: SweeperSetup, hanging: Hanging
    ) -> None:
        """The one job behind all that hang lost its message; RunPod is let go when it is found."""
        setup.holding_many(300)
        done = frozenset({"1-0", "1-1"})
        job = a_job(stage_calls=2, done=done)
        setup.store.create(replace(job, due_at=setup.now), [])
        setup.queue.request_next_stage = lambda _: hanging.gate.set()  # type: ignore[method-assign]

        looks = setup.sweep()

        assert SweepOutcome.RESENT in {look.outcome for look in looks}

    def test_is_not_polled_again_in_this_sweep(self, setup: SweeperSetup) -> None:
        setup.holding_many(300).runpod.status = failing = Failing(RunPodFailed("502"))  # type: ignore[method-assign,assignment]

        looks = setup.sweep()

        assert len(failing.asked) <= 60 + 48  # sixty in a row, and what was under way by then
        assert [look.outcome for look in looks] == [SweepOutcome.LEFT] * 300

    def test_is_polled_about_other_calls_in_the_next_sweep(self, setup: SweeperSetup) -> None:
        setup.holding_many(300).runpod.status = failing = Failing(RunPodFailed("502"))  # type: ignore[method-assign,assignment]

        setup.sweep()
        first = set(failing.asked)
        failing.asked.clear()
        setup.now += minutes(2)
        setup.sweep()

        assert first
        assert not first & set(failing.asked)

    @pytest.mark.parametrize("minute", [70, 200])
    def test_keeps_no_job_past_its_patience(self, setup: SweeperSetup, minute: int) -> None:
        setup.holding_many(100).runpod.status = Failing(RunPodFailed("502"))  # type: ignore[method-assign,assignment]
        setup.now = NOON + minutes(minute)

        while list(setup.store.due(setup.now)):
            setup.sweep()
            setup.now += minutes(2)

        assert setup.now <= NOON + minutes(minute + 12)


@dataclass
class Failing:
    error: RunPodError
    asked: list[str] = field(default_factory=list)

    def __call__(self, runpod_id: str) -> RunPodReport:
        self.asked.append(runpod_id)
        raise self.error


class TestACircuit:
    @pytest.mark.parametrize("error", [RunPodBusy, RunPodFailed, RunPodSilent, RunPodRefused])
    def test_opens_after_failures_in_a_row(self, error: type[RunPodError]) -> None:
        circuit = Circuit(failures_in_a_row=2)
        for _ in range(2):
            with pytest.raises(error):
                circuit.through(raising(error("")))

        with pytest.raises(CircuitOpen):
            circuit.through(lambda: "not asked")

    def test_stays_closed_while_something_gets_through(self) -> None:
        circuit = Circuit(failures_in_a_row=2)
        for _ in range(5):
            with pytest.raises(RunPodFailed):
                circuit.through(raising(RunPodFailed("")))
            assert circuit.through(lambda: "through") == "through"


def raising(error: Exception) -> Callable[[], Any]:
    def request() -> Any:
        raise error

    return request


class TestASweep:
    def test_works_through_thousands(self, setup: SweeperSetup) -> None:
        setup.holding_many(3_000).runpod.status = lambda _: RUNNING  # type: ignore[method-assign]

        looks = setup.sweep()

        assert [look.outcome for look in looks] == [SweepOutcome.STILL_RUNNING] * 3000

    def test_takes_a_turn_for_each_ask(self, setup: SweeperSetup) -> None:
        setup.holding_many(5)
        turns: list[int] = []

        looks = setup.sweep(pace=lambda: turns.append(1))

        assert len(turns) == len(looks) == 5

    def test_is_not_delayed_by_a_call_that_can_not_be_loaded(self, setup: SweeperSetup) -> None:
        setup.holding(a_pull_call()).runpod.reports["rp-1"] = a_pull_report()
        real_load = setup.store.load

        def load(job_id: str, call_id: str) -> Any:
            if job_id == "broken":
                raise ValueError("the item is broken")
            return real_load(job_id, call_id)

        setup.store.load = load  # type: ignore[method-assign]
        setup.store.due = lambda now: iter([("broken", "1-0"), (JOB_ID, "whole")])  # type: ignore[method-assign]

        with pytest.raises(ExceptionGroup, match="1 due calls could not be looked at"):
            setup.sweep()

        assert real_load(JOB_ID, "whole")[0].state == "succeeded"

    def test_twice_at_once_settles_everything_once(self, setup: SweeperSetup) -> None:
        setup.holding(a_pull_call()).runpod.reports["rp-1"] = a_pull_report()
        setup.store.due = lambda now: iter([(JOB_ID, "whole")] * 8)  # type: ignore[method-assign]

        looks = setup.sweep()

        events = [event.what for event in setup.store.history(JOB_ID)[2]]
        assert len(looks) == 8
        assert events.count("active -> succeeded") == 1


def test_polls_are_paced() -> None:
    slept: list[float] = []
    pace = paced(per_second=100, clock=lambda: 100.0, sleep=slept.append)

    for _ in range(3):
        pace()

    assert slept == pytest.approx([0.0, 0.01, 0.02])  # the clock stands still
