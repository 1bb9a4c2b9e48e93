"""The runs that calls are recorded in, and from them the cases: which call fails, and how."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from core.aws.queue import ATTEMPT_REQUESTED, NEXT_STAGE_REQUESTED
from core.jobs.job import JobState
from tests.fakes.model import a_transcript
from tests.fakes.runpod_endpoint import Habits
from tests.faults.scenario_runner import Ended, Scenario, scenario_runner
from tests.faults.sites import Site
from tests.faults.wire import Plan, faults_of

_SHORT = a_transcript(100, markers=5)
_LONG = a_transcript(1_600, markers=5)
_PARTS = {"SUMMARY_WORDS": "600", "LEAST_LENGTH_PERCENT": "75"}

# The cheapest first: a site's calls fail in the first scenario that has it, unless one repeats it.
SCENARIOS = (
    Scenario("one call", _SHORT),
    Scenario("callback lost", _SHORT, habits=Habits(callbacks=0)),
    Scenario(
        "called back once and forgotten",
        _SHORT,
        habits=Habits(callbacks=1, keeps=timedelta()),
        repeats=True,
    ),
    Scenario(
        "retried and verified",
        _SHORT,
        habits=Habits(loses_first_attempts=True),
        environment={"VERIFY_CALLBACKS": "true"},
        slow_messages=ATTEMPT_REQUESTED,
    ),
    Scenario(
        "given up",
        _SHORT,
        habits=Habits(never_ends=True),
        environment={"JOB_DEADLINE_MINUTES": "15", "MAX_POLLING_ATTEMPTS": "3"},
        ends=JobState.FAILED,
    ),
    Scenario(
        "sections",
        _LONG,
        key="summary-strategy=sections/board.txt",
        environment=_PARTS,
        slow_messages=NEXT_STAGE_REQUESTED,
    ),
    Scenario("pulled", _SHORT, environment={"MODE": "pull"}),
    Scenario(
        "pulled, called back once and forgotten",
        _SHORT,
        habits=Habits(callbacks=1, keeps=timedelta()),
        environment={"MODE": "pull"},
        repeats=True,
    ),
    Scenario("repaired and joined", _LONG, habits=Habits(share_written=0.6), environment=_PARTS),
)


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    plan: Plan

    def __str__(self) -> str:
        when = " for the last time" if self.plan.occurrence > 1 else ""
        return f"{self.scenario.name}: {self.plan.site}{when}, {self.plan.fault}"


@cache
def recorded() -> dict[str, Ended]:
    """Return each scenario's run without a fault."""
    with scenario_runner() as runner:
        return {scenario.name: runner.run(scenario) for scenario in SCENARIOS}


def cases() -> list[Case]:
    """Return them in one order, always: each site's first and last call, with each fault."""
    return [
        Case(scenario, Plan(site, occurrence, fault))
        for scenario, sites in _sites()
        for site, count in sites
        for occurrence in sorted({1, count})
        for fault in faults_of(site)
    ]


def _sites() -> Iterator[tuple[Scenario, list[tuple[Site, int]]]]:
    known: set[Site] = set()
    for scenario in SCENARIOS:
        seen = recorded()[scenario.name].seen
        yield (
            scenario,
            sorted(
                (site, count)
                for site, count in seen.items()
                if scenario.repeats or site not in known
            ),
        )
        known |= seen.keys()
