"""A manifest is believed once what it tells of has been seen: its summary read, and its checksum right."""

import hashlib
from dataclasses import replace

from core.jobs.callback import CallRef
from core.jobs.model import Job
from core.jobs.ports import IntermediateStore
from core.runpod.failures import NO_MANIFEST, NOT_ASKED_FOR, RESULT_DAMAGED, RESULT_MISSING, Failure
from core.runpod.reports import RunPodReport
from core.runpod.work_order import LONGEST_SUMMARY_BYTES, ResultManifest
from core.summaries.options import Mode


def verified(
    job: Job, ref: CallRef, report: RunPodReport, intermediate_store: IntermediateStore
) -> RunPodReport:
    """Return a report of success with the text that its manifest stands for, or else with a failure.

    A text that was asked for as such is its own proof.
    """
    if report.manifest and report.text:
        return report  # it was verified before
    is_pull = job.options.mode is Mode.PULL
    if report.manifest is None:
        return _failed(report, NO_MANIFEST) if is_pull else report
    if not is_pull:
        return _failed(report, NOT_ASKED_FOR)
    body = _body(report.manifest, ref, intermediate_store)
    if body is None:
        return _failed(report, RESULT_MISSING)
    is_whole = len(body) == report.manifest.size_bytes
    text = checked_text(body, report.manifest.sha256) if is_whole else ""
    return replace(report, text=text) if text else _failed(report, RESULT_DAMAGED)


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
    return intermediate_store.delivered(
        ref.job_id, ref.call_id, ref.attempt, max_bytes=LONGEST_SUMMARY_BYTES
    )


def _failed(report: RunPodReport, failure: Failure) -> RunPodReport:
    return replace(report, text="", manifest=None, failure=failure)
