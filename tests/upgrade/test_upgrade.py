"""A release that is deployed over an earlier one goes on with each of its jobs, wherever it was.

What earlier releases stored, sent and were promised stands in releases/, as their own functions left it.
"""

from collections.abc import Iterator

import boto3
import pytest

from core.aws.items import JOB_ITEM, ListedJob
from core.aws.job_index import JobIndex
from core.aws.values import unpacked
from core.jobs.job import JobState
from tests.faults.scenario_runner import ScenarioRunner, scenario_runner
from tests.upgrade.moments import JOBS, RELEASES, recordings
from tests.upgrade.resume import Case, cases, check_nothing_is_lost, put_back, resume

ALL = [case for release in sorted(RELEASES.iterdir()) for case in cases(release / JOBS)]


@pytest.fixture(scope="module")
def runner() -> Iterator[ScenarioRunner]:
    with scenario_runner() as runner:
        yield runner


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_job_of_an_earlier_release_ends_as_it_would_have(
    runner: ScenarioRunner, case: Case
) -> None:
    """Its summary is there, RunPod was asked for nothing twice, and no message is left over."""
    check_nothing_is_lost(resume(runner, case), case)

    ended = {job.id: job.state for job in _listed()}
    assert list(ended.values()) == [JobState(case.recording.ends)]


@pytest.mark.parametrize("case", [case for case in ALL if case.moment.items], ids=str)
def test_a_job_of_an_earlier_release_is_listed_before_anything_is_written(
    runner: ScenarioRunner, case: Case
) -> None:
    runner.empty()
    put_back(case)

    (job,) = [item for item in map(unpacked, case.moment.items) if item["item"] == JOB_ITEM]
    (listed,) = _listed()
    assert (listed.id, listed.state, listed.key) == (
        job["job_id"],
        JobState(job["state"]),
        case.recording.key,
    )


def test_each_release_is_recorded_in_every_state_that_a_job_can_be_in() -> None:
    for release in RELEASES.iterdir():
        names = [moment.name for each in recordings(release / JOBS) for moment in each.moments]
        told = "; ".join(names)
        for state in (
            *("waiting", "held", "submitting", "submitted", "polled", "publishing in stage"),
            *("attempt 2", "attempt requested", "next stage requested", "upload announced"),
            *("no callback to come", "active in stage 0", "active in stage 3", "cancelled"),
            *("succeeded in stage 1", "failed in stage 1; failed", "failed in stage 2"),
        ):
            assert state in told, f"{release.name} was not recorded with {state}"


def _listed() -> list[ListedJob]:
    index = JobIndex(boto3.client("dynamodb"), "jobs")
    return [job for state in JobState for job in index.jobs(state)]
