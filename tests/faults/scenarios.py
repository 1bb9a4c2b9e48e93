"""The runs that calls are recorded in, and from them the cases: which call fails, and how."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial

from core.aws.queue import ATTEMPT_REQUESTED, NEXT_STAGE_REQUESTED
from core.jobs.job import JobState
from core.summaries.asks import AskKind
from tests.fakes.model import FakeModel, a_transcript
from tests.fakes.runpod_endpoint import Habits
from tests.faults.scenario_runner import Ended, Scenario, scenario_runner
from tests.faults.sites import Site
from tests.faults.wire import Fault, Plan, faults_of
from tests.shared import made_once
from tests.writing_habits import breaking_json, refusing
from tests.writing_model import always

_BEFORE_AND_AFTER = (Fault.ERROR, Fault.KILLED_AFTER)

_SHORT = a_transcript(100, markers=5)
_LONG = a_transcript(1_600, markers=5)
_OUTLINED = "summary-strategy=outline/board.txt"
_WORDS = {"SUMMARY_WORDS": "300"}


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
        "declined by the model",
        _SHORT,
        habits=Habits(model=FakeModel(habit=refusing)),
        ends=JobState.FAILED,
    ),
    Scenario(
        "outline again, sections and ledger, overview",
        _LONG,
        key=_OUTLINED,
        habits=Habits(model=FakeModel(habit=always(breaking_json, AskKind.OUTLINE, tries=1))),
        environment=_WORDS,
        in_each_stage=True,
    ),
    Scenario(
        "stages, called back once and forgotten",
        _LONG,
        key=_OUTLINED,
        habits=Habits(callbacks=1, keeps=timedelta()),
        environment=_WORDS,
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
    Scenario(
        "prompts too long for the endpoint",
        _LONG,
        key=_OUTLINED,
        habits=Habits(model=FakeModel(context_tokens=4_500)),
        environment=_WORDS,
    ),
)


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    plan: Plan

    @property
    def group(self) -> str:
        """The cases that are played together: with pytest-xdist, by one worker (tests/conftest.py)."""
        return f"{self.scenario.name}: {self.plan.site.function} "

    def __str__(self) -> str:
        which = f", call {self.plan.occurrence}" if self.plan.occurrence > 1 else ""
        return f"{self.scenario.name}: {self.plan.site}{which}, {self.plan.fault}"


@cache
def recorded() -> dict[str, Ended]:
    """Return each scenario's run without a fault.

    Each of pytest-xdist's workers needs them all, to collect the same cases: one of them plays each.
    """
    with scenario_runner() as runner:
        return made_once("recorded", {each.name: partial(runner.run, each) for each in SCENARIOS})


def cases() -> list[Case]:
    """Return them in one order, always: each site's first and last call, with each fault.

    Where a scenario says so, the first call of every stage fails too, before and after it is done.
    """
    return [
        Case(scenario, Plan(site, occurrence, fault))
        for scenario, sites in _sites()
        for site, occurrences in sites
        for occurrence, faults in sorted(occurrences.items())
        for fault in faults
    ]


def _sites() -> Iterator[tuple[Scenario, list[tuple[Site, dict[int, tuple[Fault, ...]]]]]]:
    """Return which calls of which sites fail in each scenario, and how."""
    known: set[Site] = set()
    for scenario in SCENARIOS:
        ended = recorded()[scenario.name]
        tried: dict[Site, dict[int, tuple[Fault, ...]]] = {site: {} for site in ended.seen}
        if scenario.in_each_stage:
            for (site, _), occurrence in ended.first_in_stage.items():
                tried[site][occurrence] = _BEFORE_AND_AFTER
        for site, count in ended.seen.items():
            if scenario.repeats or site not in known:
                tried[site] |= dict.fromkeys((1, count), faults_of(site))
        yield scenario, sorted(tried.items(), key=lambda each: each[0])
        known |= tried.keys()
