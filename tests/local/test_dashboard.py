"""The dashboard as it was deployed to the emulator, and drawn from what the functions print."""

import time
from pathlib import Path

from benchmarks.dashboard.figures import collected, name_of
from benchmarks.dashboard.pictures import draw
from core.jobs.job import JobState
from core.telemetry import SERVICE, Metric
from tests.local.conftest import Local, short_transcript

PNG = b"\x89PNG"
# What a single job that goes well leaves, and a sweep.
LEFT = (
    Metric.JOBS_SUCCEEDED,
    Metric.CALLS_SUBMITTED,
    Metric.CALLBACKS_LOST,
    Metric.SECONDS_TO_SUMMARY,
    Metric.SECONDS_ON_GPU,
    Metric.TOKENS_GENERATED,
    Metric.OLDEST_ACTIVE_JOB_SECONDS,
    Metric.ENDPOINT_JOBS_IN_QUEUE,
)


def test_the_dashboard_is_drawn_from_a_run(local: Local, marker: str, tmp_path: Path) -> None:
    began_at = time.time()
    stored = local.stack.upload(short_transcript(marker), f"{marker}.txt")
    assert local.stack.wait_for_job(stored).job.state is JobState.SUCCEEDED
    local.stack.invoke_sweeper()

    figures = collected(local.stack, began_at=began_at)
    draw(figures, tmp_path / "dashboard.png")

    stack_name = local.stack.outputs["SubmitterFunction"].removesuffix("-submitter")
    printed = {sample.name for sample in figures.samples}
    for metric in LEFT:
        assert name_of(f"TranscriptSummaries/{stack_name}", metric.value, SERVICE) in printed
    assert (tmp_path / "dashboard.png").read_bytes().startswith(PNG)


def test_the_dashboard_shows_the_alarms_that_were_deployed(local: Local) -> None:
    figures = collected(local.stack, began_at=time.time())

    (shown,) = [
        each["properties"]["alarms"] for each in figures.body["widgets"] if each["type"] == "alarm"
    ]
    assert set(shown) <= {alarm["AlarmArn"] for alarm in figures.alarms}


def test_the_dashboard_asks_for_metrics_by_the_names_that_were_deployed(local: Local) -> None:
    """No reference of the template is left in it."""
    figures = collected(local.stack, began_at=time.time())

    assert "${" not in str(figures.body)
    assert local.stack.outputs["SweeperFunction"] in str(figures.body)
