"""A manifest is believed once its summary was read; everything else about a report stays as it is."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from core.aws.files import S3IntermediateStore
from core.jobs.call import CallState
from core.jobs.callback import CallRef
from core.jobs.verify import checked_text, delivered_report, verified
from core.runpod.reports import RunPodReport, RunPodStatus, gone, parse_report
from core.runpod.work_order import LONGEST_SUMMARY_BYTES, ResultManifest
from core.summaries.options import Mode
from tests.builders import (
    JOB_ID,
    SUMMARY_TEXT,
    a_call,
    a_job,
    a_manifest,
    a_report,
    a_request,
    completed_body,
    lost_body,
    manifest_body,
    status_body,
)
from tests.fakes.memory import MemoryS3

PULL = a_job(options=a_request(mode=Mode.PULL))
PUSH = a_job()
REF = CallRef(JOB_ID, "whole", 2)


def stored(body: bytes = SUMMARY_TEXT.encode(), attempt: int = 2) -> S3IntermediateStore:
    s3: Any = MemoryS3()
    s3.put_object(Bucket="out", Key=f"work/{JOB_ID}/whole.{attempt}.txt", Body=body)
    return S3IntermediateStore(s3, "out")


def reported(manifest: ResultManifest) -> RunPodReport:
    return parse_report(manifest_body(manifest))


def failure_code(report: RunPodReport) -> str:
    assert (report.text, report.manifest) == ("", None)
    assert report.failure is not None
    return report.failure.code


class TestAManifest:
    def test_stands_for_the_summary_that_lies_where_its_attempt_puts_it(self) -> None:
        report = reported(a_manifest())

        believed = verified(PULL, REF, report, stored())

        assert believed == replace(report, text=SUMMARY_TEXT)

    def test_may_carry_the_summary_itself(self) -> None:
        report = reported(a_manifest(text=SUMMARY_TEXT))

        assert verified(PULL, REF, report, stored(b"another")).text == SUMMARY_TEXT

    def test_with_a_lone_surrogate_in_its_text_is_damaged_and_no_crash(self) -> None:
        report = reported(a_manifest(text="\ud800"))

        assert failure_code(verified(PULL, REF, report, stored())) == "result-damaged"

    def test_of_an_attempt_that_put_nothing_is_missing_its_result(self) -> None:
        report = reported(a_manifest())

        assert failure_code(verified(PULL, REF, report, stored(attempt=1))) == "result-missing"

    @pytest.mark.parametrize(
        "body", [SUMMARY_TEXT.encode() + b" ", SUMMARY_TEXT.encode()[:-1] + b"?", b""]
    )
    def test_of_another_size_or_checksum_is_damaged(self, body: bytes) -> None:
        report = reported(a_manifest())

        assert failure_code(verified(PULL, REF, report, stored(body))) == "result-damaged"

    def test_is_not_read_on_past_the_longest_summary(self) -> None:
        body = b"a" * (LONGEST_SUMMARY_BYTES + 2)
        report = reported(replace(a_manifest(body), size_bytes=LONGEST_SUMMARY_BYTES))

        assert failure_code(verified(PULL, REF, report, stored(body))) == "result-damaged"

    def test_was_not_asked_for_in_push_mode(self) -> None:
        report = reported(a_manifest())

        assert failure_code(verified(PUSH, REF, report, stored())) == "unexpected-manifest"


class TestAReportWithoutOne:
    def test_is_its_own_proof_in_push_mode(self) -> None:
        assert verified(PUSH, REF, a_report(), stored()) == a_report()

    def test_is_no_result_in_pull_mode(self) -> None:
        assert failure_code(verified(PULL, REF, a_report(), stored())) == "no-manifest"
        empty = parse_report(completed_body(""))
        assert failure_code(verified(PULL, REF, empty, stored())) == "no-manifest"

    @pytest.mark.parametrize(
        "report",
        [parse_report(lost_body()), parse_report(status_body("IN_PROGRESS")), gone("rp-1")],
        ids=["lost", "in progress", "gone"],
    )
    def test_stays_as_it_is_where_it_brings_nothing(self, report: RunPodReport) -> None:
        assert verified(PULL, REF, report, stored()) == report


class TestWhatWasDelivered:
    """It may lie there still, when RunPod has forgotten the request."""

    def attempt(self, sha256: str) -> Any:
        call = a_call(CallState.PUBLISHING, attempts=2)
        return replace(call.attempt, sha256=sha256)

    def test_is_a_report_of_its_attempt(self) -> None:
        attempt = self.attempt(a_manifest().sha256)

        report = delivered_report(PULL, a_call(id="whole"), attempt, stored())

        assert report == RunPodReport(
            runpod_id="rp-2", status=RunPodStatus.COMPLETED, text=SUMMARY_TEXT
        )

    @pytest.mark.parametrize("sha256", ["", "0" * 64], ids=["never taken", "another"])
    def test_is_none_where_it_is_not_the_result_that_was_taken(self, sha256: str) -> None:
        attempt = self.attempt(sha256)

        assert delivered_report(PULL, a_call(id="whole"), attempt, stored()) is None

    def test_is_none_where_nothing_lies(self) -> None:
        attempt = self.attempt(a_manifest().sha256)

        assert delivered_report(PULL, a_call(id="whole"), attempt, stored(attempt=1)) is None


@pytest.mark.parametrize(("body", "text"), [(b"  Text. \n", "Text."), (b" \n ", ""), (b"\xff", "")])
def test_a_checked_text_is_stripped_and_none_where_it_is_no_text(body: bytes, text: str) -> None:
    assert checked_text(body, hashlib.sha256(body).hexdigest()) == text
