"""A manifest is believed once its summary has been read, and its checksum was right."""

import hashlib
from dataclasses import replace

from core.failures import Failure
from core.jobs.call import Attempt, Call
from core.jobs.callback import CallRef
from core.jobs.job import Job
from core.jobs.ports import IntermediateStore
from core.runpod.reports import RunPodReport, RunPodStatus
from core.runpod.work_order import LONGEST_SUMMARY_BYTES, ResultManifest
from core.summaries.options import Mode


def verified(
    job: Job, ref: CallRef, report: RunPodReport, intermediate_store: IntermediateStore
) -> RunPodReport:
    """Return a report of success with the text that its manifest stands for, or else with a failure.

    A text that was asked for as such is its own proof.
    """
    if report.failure or not report.status.is_final:
        return report  # there is nothing to believe
    is_pull = job.options.mode is Mode.PULL
    if report.manifest is None:
        return _failed(report, "no-manifest") if is_pull else report
    if not is_pull:
        return _failed(report, "unexpected-manifest")
    body = _body(report.manifest, ref, intermediate_store)
    if body is None:
        return _failed(report, "result-missing")
    is_whole = len(body) == report.manifest.size_bytes
    text = checked_text(body, report.manifest.sha256) if is_whole else ""
    return replace(report, text=text) if text else _failed(report, "result-damaged")


def delivered_report(
    job: Job, call: Call, attempt: Attempt, intermediate_store: IntermediateStore
) -> RunPodReport | None:
    """Return what still lies where pull mode's worker put it, though RunPod has forgotten the request.

    Its figures are lost with RunPod's report.
    """
    if not attempt.sha256:
        return None
    ref = CallRef(job.id, call.id, attempt.number)
    text = checked_text(_delivered(ref, intermediate_store) or b"", attempt.sha256)
    if not text:
        return None
    return RunPodReport(runpod_id=attempt.runpod_id, status=RunPodStatus.COMPLETED, text=text)


def checked_text(body: bytes, sha256: str) -> str:
    """Return the text of a summary with this checksum; "" if it is another, no text, or empty."""
    if hashlib.sha256(body).hexdigest() != sha256:
        return ""
    try:
        return body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""


def _body(
    manifest: ResultManifest, ref: CallRef, intermediate_store: IntermediateStore
) -> bytes | None:
    if manifest.text:
        return manifest.text.encode("utf-8", "replace")  # JSON can hold what UTF-8 can't
    return _delivered(ref, intermediate_store)


def _delivered(ref: CallRef, intermediate_store: IntermediateStore) -> bytes | None:
    return intermediate_store.delivered(
        ref.job_id, ref.call_id, ref.attempt, max_bytes=LONGEST_SUMMARY_BYTES
    )


def _failed(report: RunPodReport, code: str) -> RunPodReport:
    return replace(report, text="", manifest=None, failure=Failure(code))
