"""A fixed number of runs, the seeds that once found something, and proof that a broken invariant is seen.

Many more: `make simulate SEEDS=10000`.
"""

import io
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from core.aws.files import S3IntermediateStore
from core.aws.job_store import DynamoJobStore
from core.errors import JobExists, OutputRefused, UnknownCall
from core.jobs import lifecycle, publishing, verify
from core.jobs.job import Job
from core.jobs.lifecycle import Lifecycle
from core.jobs.settle import Settlement, Settler
from core.summaries.messages import chat_request
from submitter import requests
from tests.fakes.model import a_transcript
from tests.simulation.fault_profile import CALM, FAULTS, FaultProfile
from tests.simulation.run import Outcome, Run, run_seed
from tests.simulation.simulation import Outage, Simulation

_SEEDS_PER_TEST = 25
_CHUNKS = 4  # enough for each change; what is rare is found by ten thousand

# docs/reliability.md says what each found. The schedule a seed stands for changes with the code,
# so each of these findings has a test of its own besides.
FOUND = {43, 21_742, 22_228, 30_345, 40_535, 608_274, 86_046_415}


@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_every_invariant_holds_whatever_goes_wrong(chunk: int, output: io.StringIO) -> None:
    first = chunk * _SEEDS_PER_TEST

    outcomes = [run_seed(seed, output) for seed in range(first, first + _SEEDS_PER_TEST)]

    assert describe_broken(outcomes) == ""


@pytest.mark.parametrize("seed", sorted(FOUND))
def test_a_seed_that_once_found_a_bug_finds_none_now(seed: int, output: io.StringIO) -> None:
    assert describe_broken([run_seed(seed, output)]) == ""


def test_a_seed_gives_the_same_run_each_time(output: io.StringIO) -> None:
    first = [run_seed(seed, output, keeps_history=True) for seed in range(10, 15)]
    second = [run_seed(seed, output, keeps_history=True) for seed in range(10, 15)]

    assert first == second
    assert sum(len(outcome.history) for outcome in first) > 500


def test_nothing_goes_wrong_without_faults(output: io.StringIO) -> None:
    outcomes = [run_seed(seed, output, profile=CALM) for seed in range(20)]

    assert describe_broken(outcomes) == ""
    assert sum((outcome.tally for outcome in outcomes), Counter[str]()).keys().isdisjoint(FAULTS)
    assert sum(outcome.jobs["succeeded"] for outcome in outcomes) >= 20


def test_lost_callbacks_alone_cost_no_summary_and_no_gpu_run(output: io.StringIO) -> None:
    profile = replace(CALM, callbacks_lost=1.0)

    outcomes = [run_seed(seed, output, profile=profile) for seed in range(20)]

    assert describe_broken(outcomes) == ""
    assert all(set(outcome.jobs) <= {"succeeded", "superseded", "replaced"} for outcome in outcomes)


@pytest.mark.parametrize("minutes_since", [0, 1, 4, 6])
def test_a_forgery_with_a_secret_that_is_retired_is_expected_to_be_refused(
    output: io.StringIO, minutes_since: int
) -> None:
    """Simulation seed 86046415: the harness expected of it what only a live secret's token gets."""
    run = Run(Simulation(Random(3)))  # noqa: S311 - a simulation's
    run.upload("calls/a.txt", a_transcript(150).encode(), is_good=True)
    pass_time(run, minutes=5)
    run.secrets.announce(b"n" * 40)
    pass_time(run, minutes=6)
    run.secrets.use()
    run.secrets.retire()
    pass_time(run, minutes=minutes_since)

    for _ in range(40):
        run.forge()
        pass_time(run, minutes=0.1)  # a broken expectation is raised here

    assert run.simulation.tally["callbacks forged"] > 20


def pass_time(run: Run, *, minutes: float) -> None:
    is_over: list[bool] = []
    run.simulation.after(60 * minutes, lambda: is_over.append(True))
    while not is_over:
        run.simulation.step()


class TestTheInvariants:
    """Each test breaks the program where it matters, and an invariant must notice."""

    BAD_DAY = FaultProfile(
        callbacks_repeated=0.5, callbacks_lost=0.2, aws_requests=0.05, kills=0.03
    )

    def test_notice_a_summary_that_is_not_runpods(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publishing, "count_words", lambda text: len(text.split()) + 1)

        assert self.notice("without its summary", output)

    def test_notice_a_job_that_never_ends(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def swallowed(_settler: Settler, *_: object, **__: object) -> Settlement:
            raise UnknownCall("not there")

        monkeypatch.setattr(Settler, "settle", swallowed)

        assert self.notice("", output)

    def test_notice_a_request_that_is_not_on_record(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Lifecycle, "claim", lambda _self, call, **_: call)

        assert self.notice("", output)

    def test_notice_money_spent_without_bound(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.jobs.call.Call.paid_attempts", property(lambda _: 0))

        profile = replace(self.BAD_DAY, gpu_losses=0.9)
        assert self.notice("paid for too often", output, profile)

    def test_notice_a_manifest_that_is_believed_unseen(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verify, "checked_text", lambda body, _: body.decode().strip())

        profile = replace(self.BAD_DAY, pulls_broken=0.9)
        assert self.notice("is not what RunPod made", output, profile, seeds=60)

    def test_notice_a_job_that_outlives_its_deadline(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lifecycle, "PATIENCE", timedelta(days=1))
        for module in ("looks", "polling"):
            monkeypatch.setattr(f"sweeper.{module}.RUNPOD_PATIENCE", timedelta(days=1))
        monkeypatch.setattr(Simulation, "outage", lambda _, share: Outage(600, 20_000 * share))

        profile = replace(CALM, s3_outages=1.0, callbacks_lost=0.5)
        assert self.notice("past its deadline", output, profile)

    def test_accept_that_every_job_ends_though_s3_refuses_for_hours(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Simulation, "outage", lambda _, share: Outage(600, 20_000 * share))

        profile = replace(CALM, s3_outages=1.0, callbacks_lost=0.5)
        assert not self.notice("", output, profile)

    def test_notice_an_upload_that_is_forgotten_for_a_conflict(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def create(_self: DynamoJobStore, job: Job, _calls: object) -> None:
            raise JobExists(f"job {job.id} is recorded already")

        monkeypatch.setattr(DynamoJobStore, "create", create)

        assert self.notice("uploads without a job", output, replace(CALM, conflicts=0.3))

    def test_notice_a_text_that_is_taken_for_kept_and_is_nowhere(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real_save = S3IntermediateStore.save

        def save(*args: Any, **more: Any) -> None:
            with suppress(OutputRefused):
                real_save(*args, **more)

        monkeypatch.setattr(S3IntermediateStore, "save", save)

        assert self.notice("", output, replace(CALM, s3_conflicts=0.9))

    def test_notice_a_part_of_a_transcript_that_is_shown_to_nobody(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def without_its_end(*args: Any, **more: Any) -> dict[str, Any]:
            chat = chat_request(*args, **more)
            text = chat["messages"][1]["content"]
            chat["messages"][1]["content"] = text.replace("Yes.\n</transcript", "\n</transcript")
            return chat

        monkeypatch.setattr(requests, "chat_request", without_its_end)

        assert self.notice("not shown all of its transcript", output, CALM)

    def test_notice_attempts_about_different_texts(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times: list[int] = []

        def another_each_time(*args: Any, **more: Any) -> dict[str, Any]:
            times.append(len(times))
            chat = chat_request(*args, **more)
            text = chat["messages"][1]["content"]
            chat["messages"][1]["content"] = text.replace("pump", f"pump {len(times)}", 1)
            return chat

        monkeypatch.setattr(requests, "chat_request", another_each_time)

        profile = replace(self.BAD_DAY, gpu_losses=0.9)
        assert self.notice("about another text", output, profile)

    def test_notice_private_words_in_a_log_line(
        self, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from core.telemetry import logger
        from webhook_receiver import app

        def told_all(event: dict[str, str]) -> None:
            logger.info("callback", extra={"body": event["body"]})

        parse = app.parse_body
        monkeypatch.setattr(app, "parse_body", lambda event: told_all(event) or parse(event))

        assert self.notice("log line", output)

    def notice(
        self,
        what: str,
        output: io.StringIO,
        profile: FaultProfile | None = None,
        seeds: int = 10,
    ) -> bool:
        """Does one of a few runs break an invariant, with this message?"""
        profile = profile or self.BAD_DAY
        outcomes = (run_seed(seed, output, profile=profile) for seed in range(seeds))
        return any(outcome.broken and what in outcome.broken for outcome in outcomes)


def describe_broken(outcomes: list[Outcome]) -> str:
    """Return the history of the first broken run, for the test's report."""
    broken = [outcome for outcome in outcomes if outcome.broken]
    if not broken:
        return ""
    first = broken[0]
    lines = [*map(str, first.history), f"seed {first.seed}: {first.broken}", str(first.profile)]
    return "\n".join(lines)
