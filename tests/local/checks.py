"""What must hold of every round trip, on this machine and in the cloud."""

import re
from collections import Counter

from cli.deployment import Deployment, History, StoredSummary, Upload
from core.jobs.call import is_result
from core.jobs.job import ASSEMBLED, JobState

SENT = ["waiting -> submitting", "submitting -> submitted"]
PUBLISHED = ["submitted -> publishing", "publishing -> succeeded"]  # what one call's result makes
ANSWERED = ["submitted -> succeeded"]  # one of several calls


def assert_summarised(deployment: Deployment, upload: Upload, history: History) -> StoredSummary:
    """The job succeeded, and table, object, metadata and facts agree about it."""
    job = history.job
    assert job.state is JobState.SUCCEEDED, job.reason
    assert (job.source.bucket, job.source.key) == (upload.bucket, upload.key)
    assert job.source.etag == upload.etag

    stored = deployment.summary(job)
    summary = job.summary
    assert summary
    words = len(stored.text.split())
    assert words == summary.words
    assert stored.metadata["job-id"] == job.id
    assert stored.metadata["words"] == str(words)
    assert stored.metadata.get("runpod-id", "") == summary.runpod_id  # "" where several were needed
    assert stored.metadata["model"] == summary.model
    assert stored.metadata["source-version"] == (upload.version_id or upload.etag)

    facts = stored.facts
    assert facts["job_id"] == job.id
    assert facts["source"]["key"] == upload.key
    assert facts["summary"]["bucket"] == stored.bucket
    assert facts["summary"]["key"] == stored.key
    assert facts["summary"]["words"] == words
    assert facts["asked"]["words"] == job.options.words
    assert facts["transcript_words"] == job.words_in
    return stored


def assert_audit_is_whole(history: History) -> None:
    """Every transition of a job without failures is there, in order, with the function that made it."""
    told = [event.what for event in history.events]
    assert (told[0], told[-1]) == ("recorded", "active -> succeeded")
    assert history.job.summary
    is_of_one_call = history.job.summary.call_id != ASSEMBLED
    of_a_call = [*SENT, *(PUBLISHED if is_of_one_call else ANSWERED)]
    transitions = Counter(what for what in told if " -> " in what)
    assert transitions == {**dict.fromkeys(of_a_call, len(history.calls)), told[-1]: 1}
    assert [event.at for event in history.events] == sorted(event.at for event in history.events)
    by = {event.what: event.by for event in history.events}
    assert by["recorded"] == by["submitting -> submitted"] == "submitter"
    arrival = next(each for each in history.events if is_result(each))
    assert arrival.by == "webhook_receiver"
    assert by["active -> succeeded"] == ("webhook_receiver" if is_of_one_call else "submitter")
    assert arrival.detail["runpod_status"] == "COMPLETED"


def sentences_of(text: str) -> set[str]:
    """The sentences of a text that are long enough to be unique to it."""
    return {part.strip() for part in re.split(r"[.!?\n]", text) if len(part.strip()) >= 30}
