"""Nothing is lost, whichever single call of AWS or RunPod fails, and however it fails.

The calls come from runs of the real handlers that are recorded as the tests are collected, so a call
that is written tomorrow is tested tomorrow. The first test of a group plays the whole group's cases.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.aws.names import facts_key_for
from core.jobs.job import JobState
from tests.builders import API_KEY, an_event
from tests.fakes.cloud import APPS
from tests.faults.forks import run_each
from tests.faults.invariants import check
from tests.faults.scenario_runner import Ended, ScenarioRunner, scenario_runner
from tests.faults.scenarios import SCENARIOS, Case, cases, recorded
from tests.faults.wire import Fault


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=str)


@pytest.fixture(scope="module")
def runner() -> Iterator[ScenarioRunner]:
    with scenario_runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def played() -> dict[str, Ended | str]:
    """The cases, by name, that were played and not looked at yet."""
    return {}


@pytest.fixture
def ended(
    request: pytest.FixtureRequest,
    runner: ScenarioRunner,
    played: dict[str, Ended | str],
    case: Case,
) -> Ended:
    if str(case) not in played:
        group = {each.plan: each for each in _selected(request.session) if each.group == case.group}
        found = run_each(runner, case.scenario, group)
        played |= {str(group[plan]): ended for plan, ended in found.items()}
    assert str(case) in played, "the call was not made this time"
    ended = played.pop(str(case))
    assert isinstance(ended, Ended), ended
    return ended


def _selected(session: pytest.Session) -> Iterator[Case]:
    """Return the cases among the tests that are to be run."""
    for item in session.items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            case = item.callspec.params.get("case")
            if isinstance(case, Case):
                yield case


def test_nothing_is_lost_when_a_call_fails(ended: Ended, case: Case) -> None:
    assert ended.has_failed, "the call was not made this time"
    expected = recorded()[case.scenario.name]
    check(ended, ends=case.scenario.ends, runs_without_fault=len(expected.runs))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_is_lost_without_a_fault(scenario: Any) -> None:
    ended = recorded()[scenario.name]

    check(ended, ends=scenario.ends, runs_without_fault=len(ended.runs))


class TestTheRecorder:
    def test_saw_each_function_call_each_service(self) -> None:
        sites = {case.plan.site for case in cases()}

        tells_of_jobs = {
            "notifier",
            "webhook_sender",
        }  # which end none: tests/functions has their faults
        assert {site.function for site in sites} == set(APPS) - tells_of_jobs
        assert {site.operation.rpartition(".")[0] for site in sites} >= {
            "dynamodb",
            "s3",
            "sqs",
            "secretsmanager",
        }
        assert {site.operation for site in sites if site.operation.endswith((" /run", "{id}"))} == {
            "POST /run",
            "GET /status/{id}",
            "POST /cancel/{id}",
        }

    def test_saw_about_as_many_calls_as_there_are(self) -> None:
        """A recorder that lost half of them would leave the tests green."""
        assert len({case.plan.site for case in cases()}) >= 40
        assert {case.plan.fault for case in cases()} == set(Fault)

    def test_finds_the_same_calls_each_time(self, runner: ScenarioRunner) -> None:
        again = runner.run(SCENARIOS[-1])

        assert again.seen == recorded()[SCENARIOS[-1].name].seen


def test_an_answer_that_was_lost_makes_the_sdk_repeat_the_call(runner: ScenarioRunner) -> None:
    """The repeated call finds the write done, takes it for another writer's, and loads the record again."""
    case, *_ = [
        case
        for case in cases()
        if case.plan.fault is Fault.REPEATED
        and case.plan.site.trail[0].startswith("Attempts.record_taken")
    ]

    seen = runner.run(case.scenario, case.plan).seen

    looked = {site.trail[:2] for site in seen if site.function == "submitter"}
    assert ("Attempts._persistently", "DynamoJobStore.load") in looked


def without(key: str) -> Callable[[Ended], Ended]:
    def changed(ended: Ended) -> Ended:
        objects = {name: text for name, text in ended.objects.items() if not name.endswith(key)}
        return replace(ended, objects=objects)

    return changed


def with_audit(*whats: str) -> Callable[[Ended], Ended]:
    """Give the job another audit."""
    job = [an_event(what=what) for what in whats]
    return lambda ended: replace(ended, audits=ended.audits | {"job": job})


def with_object(key: Callable[[Ended], str], text: str) -> Callable[[Ended], Ended]:
    return lambda ended: replace(ended, objects=ended.objects | {key(ended): text})


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda ended: replace(ended, job=replace(ended.job, state=JobState.ACTIVE)),
        without(".txt"),
        without(".json"),
        with_object(lambda ended: ended.job.summary_key, "another text\n"),
        with_object(lambda ended: facts_key_for(ended.job.summary_key), '{"job_id": "other"}'),
        with_object(lambda ended: "summaries/second.txt", "a second summary\n"),
        lambda ended: replace(ended, lines_changed=1),
        lambda ended: replace(
            ended, audits=ended.audits | {"job": [an_event(what="active -> failed")]}
        ),
        lambda ended: replace(
            ended, audits=ended.audits | {"job": [an_event(what="active -> succeeded")] * 2}
        ),
        lambda ended: replace(ended, runs=ended.runs * 3),
        lambda ended: replace(ended, calls=[replace(call, attempts=()) for call in ended.calls]),
        lambda ended: replace(ended, dead_letters=["{}"]),
        lambda ended: replace(ended, still_due=["job"]),
        lambda ended: replace(ended, is_at_rest=False),
        lambda ended: replace(ended, log=ended.log + API_KEY),
        lambda ended: replace(ended, log=ended.log + ended.runs[0].webhook.split("/")[-1]),
        lambda ended: replace(ended, log=ended.log + ended.objects[ended.job.summary_key]),
    ],
)
def test_a_broken_invariant_is_noticed(spoiled: Callable[[Ended], Ended]) -> None:
    ended = spoiled(recorded()["one call"])

    with pytest.raises(AssertionError):
        check(ended, ends=JobState.SUCCEEDED, runs_without_fault=1)
