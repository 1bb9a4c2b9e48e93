"""A receipt is believed once what it tells of has been seen: its summary read, and its checksum right."""

import hashlib
from dataclasses import replace

from core.callback import CallRef
from core.jobs import Job, Mode
from core.ports import Workshop
from core.pull import LONGEST_SUMMARY_BYTES, Receipt
from core.reports import Report
from core.troubles import NO_RECEIPT, NOT_ASKED_FOR, RESULT_DAMAGED, RESULT_MISSING, Failure


def redeemed(job: Job, ref: CallRef, report: Report, workshop: Workshop) -> Report:
    """Return a report of success with the text that its receipt stands for, or else with a failure.

    A text that was asked for as such is its own proof.
    """
    if report.receipt and report.text:
        return report  # it was redeemed before
    is_pull = job.request.mode is Mode.PULL
    if report.receipt is None:
        return _failed(report, NO_RECEIPT) if is_pull else report
    if not is_pull:
        return _failed(report, NOT_ASKED_FOR)
    body = _body(report.receipt, ref, workshop)
    if body is None:
        return _failed(report, RESULT_MISSING)
    is_whole = len(body) == report.receipt.size_bytes
    text = checked_text(body, report.receipt.sha256) if is_whole else ""
    return replace(report, text=text) if text else _failed(report, RESULT_DAMAGED)


def checked_text(body: bytes, sha256: str) -> str:
    """Return the text of a summary with this checksum; "" if it is another, no text, or empty."""
    if hashlib.sha256(body).hexdigest() != sha256:
        return ""
    try:
        return body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return ""


def _body(receipt: Receipt, ref: CallRef, workshop: Workshop) -> bytes | None:
    if receipt.text:
        return receipt.text.encode("utf-8", "replace")  # JSON can hold what UTF-8 can't
    return workshop.delivered(ref.job_id, ref.call_id, ref.attempt, max_bytes=LONGEST_SUMMARY_BYTES)


def _failed(report: Report, failure: Failure) -> Report:
    return replace(report, text="", receipt=None, failure=failure)
