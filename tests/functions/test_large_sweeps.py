"""Sweeps of thousands, counted: requests, time on a virtual clock, and who comes first."""

from collections import Counter
from dataclasses import replace
from itertools import count
from threading import Event

import pytest

from benchmarks.measures.sweep import TIMEOUT_SECONDS, swept
from benchmarks.own_time import OwnSeconds
from core.errors import RunPodBusy
from core.jobs.call import CallState
from core.runpod.reports import RunPodReport
from sweeper.results import SweepOutcome
from tests.builders import NOON, a_call, a_job, minutes
from tests.functions.sweeping import RUNNING, SweeperSetup

OWN = OwnSeconds(poll=0.002, write=0.003, read=0.0002)


class TestASweepOfThousands:
    def test_reads_a_hundred_items_at_a_time(self) -> None:
        requests = swept(1_000, 10_000, OWN).requests

        assert requests == {"Query": 1, "BatchGetItem": 20, "UpdateItem": 1_000}

    def test_costs_the_same_however_many_jobs_there_are(self) -> None:
        assert swept(500, 1_000, OWN).requests == swept(500, 1_000_000, OWN).requests

    def test_keeps_to_what_runpod_takes(self) -> None:
        sweep = swept(1_500, 1_500, OWN)

        assert sweep.refused == 0
        assert sweep.seconds <= 1.3 * sweep.floor_seconds

    def test_on_a_slow_processor_ends_in_time_and_the_next_one_goes_on(self) -> None:
        slow = OwnSeconds(poll=0.030, write=0.030, read=0.0002)

        sweeps = swept(2_000, 2_000, slow)

        assert sweeps.sweeps == 2
        assert sweeps.longest_seconds < TIMEOUT_SECONDS
        assert sweeps.looked_at == 2_000  # each once
        places = [int(runpod_id.removeprefix("rp-")) for runpod_id in sweeps.order]
        overtaken = max(abs(number - place) for place, number in enumerate(places))
        assert overtaken < 100  # longest overdue first, but for those read at once


class TestABatch:
    def test_with_a_record_that_nobody_can_read_is_looked_at_all_the_same(self) -> None:
        setup = SweeperSetup().holding_many(3)
        setup.runpod.status = lambda _: RUNNING  # type: ignore[method-assign]
        real_load = setup.store.load

        def load(job_id: str, call_id: str):  # type: ignore[no-untyped-def]
            if job_id.endswith("1"):
                raise ValueError("the item is broken")
            return real_load(job_id, call_id)

        def load_many(_):  # type: ignore[no-untyped-def]
            raise ValueError("the item is broken")

        setup.store.load, setup.store.load_many = load, load_many  # type: ignore[method-assign]

        with pytest.raises(ExceptionGroup, match="1 due calls could not be looked at"):
            setup.sweep()

        polled = [setup.store.history(f"{each:032x}")[1][0].polls for each in range(3)]
        assert polled == [1, 0, 1]


class TestAJobOfManySections:
    def test_that_failed_is_read_at_once(self) -> None:
        setup = SweeperSetup()
        calls = [a_call(CallState.WAITING, id=f"1-{each}") for each in range(1_000)]
        ended = a_job(stage_calls=1_000).with_failure("deadline", setup.lifecycle.event(NOON))
        setup.store.create(replace(ended, due_at=NOON), [replace(c, due_at=None) for c in calls])
        reads: list[str] = []
        real_load = setup.store.load
        setup.store.load = lambda *key: (reads.append(key[1]), real_load(*key))[1]  # type: ignore[method-assign,func-returns-value]

        setup.sweep()

        assert reads == []  # no call by itself
        states = {call.state for call in setup.store.history(ended.id)[1]}
        assert states == {CallState.CANCELLED}


class TestCancelling:
    def test_has_a_pace_of_its_own(self) -> None:
        setup = a_sweep_past_the_deadline(50)
        turns: list[int] = []

        setup.sweep(cancel_pace=lambda: turns.append(1))

        assert len(turns) == len(setup.runpod.cancelled) == 50

    def test_in_vain_stops_no_poll(self) -> None:
        setup = a_sweep_past_the_deadline(300)

        def refuse(_: str) -> None:
            raise RunPodBusy("429")

        setup.runpod.cancel = refuse  # type: ignore[method-assign]

        outcomes = [look.outcome for look in setup.sweep()]

        assert outcomes == [SweepOutcome.GIVEN_UP] * 300

    def test_what_is_left_behind_in_vain_stops_no_poll_either(self) -> None:
        """Polls go on, of more calls than there are threads, once cancels are refused again and again."""
        setup = SweeperSetup().holding_many(200)
        for each in range(100):
            job = setup.store.load_job(f"{each:032x}")
            setup.store.save_job(job.with_failure("deadline", setup.lifecycle.event(NOON)))
        refused, enough = count(1), Event()

        def refuse(_: str) -> None:
            if next(refused) >= 60:  # in a row, after which nothing is asked in this sweep
                enough.set()
            raise RunPodBusy("429")

        def running(_: str) -> RunPodReport:
            assert enough.wait(timeout=30)
            return RUNNING

        setup.runpod.cancel = refuse  # type: ignore[method-assign]
        setup.runpod.status = running  # type: ignore[method-assign]

        outcomes = Counter(look.outcome for look in setup.sweep())

        assert outcomes[SweepOutcome.STILL_RUNNING] == 100


def a_sweep_past_the_deadline(calls: int) -> SweeperSetup:
    """Return a sweep of calls whose jobs have run out of time while RunPod is still at them."""
    setup = SweeperSetup(now=NOON + minutes(70)).holding_many(calls)

    def running(_: str) -> RunPodReport:
        return RUNNING

    setup.runpod.status = running  # type: ignore[method-assign]
    return setup
