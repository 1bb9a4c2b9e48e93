"""What is in the dead end of notices: of which jobs, why, and how each could still be told.

core/notices/dead_end.py says what gets there. What has no job's name in it, as Lambda's account of a part
of the stream, means every job that ended at that time: to tell of one more than needed does no harm, as a
notice has the same id each time.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from cli.operating.desk import Desk
from cli.operating.finding import MOST_LOOKED_AT, newest_jobs
from core.jobs.job import Job, JobState
from core.notices.dead_end import UNDELIVERED, UNTOLD
from core.notices.notice import FAILED, PUBLISHED, SOURCE

WEBHOOK, EVERYBODY = "the webhook", "everybody"
_ENDED = (JobState.SUCCEEDED, JobState.FAILED)
_SLACK = timedelta(minutes=1)  # from the time that a job's end bears to its record's arrival
_LONGEST_LIFE = timedelta(days=2)  # of a job; a call may be held for a day


@dataclass(frozen=True, kw_only=True)
class DeadNotice:
    """A message of the dead end."""

    id: str
    receipt: str
    at: datetime  # when it was given up
    job_ids: tuple[str, ...]
    what: str  # the notice's kind and file, or what the message is else
    why: str
    tries: int | None = None
    to: str = ""  # who would be told; "" if it can't be told any more
    event: Mapping[str, Any] | None = None  # for the webhook, as it was
    done: str = ""

    def is_of(self, name: str) -> bool:
        """Say whether it is of a job, named by its id, the first letters of it, or its file's key."""
        key = self.what.partition(": ")[2]
        return key == name or any(each.startswith(name) for each in self.job_ids)

    def told(self) -> dict[str, Any]:
        return {
            "message_id": self.id,
            "at": self.at.isoformat(),
            "job_ids": list(self.job_ids),
            "what": self.what,
            "why": self.why,
            "tries": self.tries,
            "to": self.to or None,
            "done": self.done or None,
        }


def dead_notice(desk: Desk, message: Mapping[str, Any]) -> DeadNotice:
    """Return what a message of the dead end is."""
    found = _read(desk, message)
    if found.to == WEBHOOK and "NoticeQueueUrl" not in desk.deployment.outputs:
        return replace(found, to="", why=f"{found.why}; the stack has no webhook any more")
    return found


def _read(desk: Desk, message: Mapping[str, Any]) -> DeadNotice:
    sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1_000
    found = DeadNotice(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        at=datetime.fromtimestamp(sent, UTC),
        job_ids=(),
        what="no message of ours",
        why="nothing is known of it",
    )
    body = _parsed(message["Body"])
    if body.get("kind") == UNDELIVERED:
        found = replace(found, why=body["why"], tries=body["tries"], at=_instant(body["at"]))
        return _of_event(found, body["event"])
    if body.get("kind") == UNTOLD:
        found = replace(found, why=body["why"], at=_instant(body["at"]))
        return _of_job(desk, found, body["job_id"])
    if "DDBStreamBatchInfo" in body:
        return _of_stream(desk, found, body)
    if body.get("source") == SOURCE:
        return _of_aws(found, body, message.get("MessageAttributes", {}))
    return found


def _of_event(found: DeadNotice, event: Mapping[str, Any]) -> DeadNotice:
    try:
        detail = event["detail"]
        what = f"{event['detail-type']}: {detail['transcript']['key']}"
        return replace(found, job_ids=(detail["job_id"],), what=what, to=WEBHOOK, event=event)
    except (KeyError, TypeError):
        return found


def _of_job(desk: Desk, found: DeadNotice, job_id: str) -> DeadNotice:
    history = desk.deployment.history_of(job_id)
    if history is None:
        return replace(found, job_ids=(job_id,), what="a job whose record has expired")
    return replace(found, job_ids=(job_id,), what=described(history.job), to=EVERYBODY)


def described(job: Job) -> str:
    kind = PUBLISHED if job.state is JobState.SUCCEEDED else FAILED
    return f"{kind}: {job.source.key}"


def _of_aws(
    found: DeadNotice, event: Mapping[str, Any], attributes: Mapping[str, Any]
) -> DeadNotice:
    """An event that a rule's target did not take, or one straight from the webhook's queue."""
    found = _of_event(found, event)
    if "ERROR_CODE" not in attributes:
        why = "the webhook's function could not run: `logs` and its alarm say more"
        return replace(found, why=why)
    code, target = (attributes[name]["StringValue"] for name in ("ERROR_CODE", "TARGET_ARN"))
    service = target.split(":")[2]
    why = f"EventBridge could not hand it to {service.upper()} ({code})"
    return replace(found, why=why, to=WEBHOOK if service == "sqs" else EVERYBODY)


def _of_stream(desk: Desk, found: DeadNotice, body: Mapping[str, Any]) -> DeadNotice:
    batch, context = body["DDBStreamBatchInfo"], body["requestContext"]
    first = _instant(batch["approximateArrivalOfFirstRecord"])
    last = _instant(batch["approximateArrivalOfLastRecord"])
    job_ids = tuple(_ended_between(desk, first - _SLACK, last + _SLACK))
    span = f"{first:%Y-%m-%d %H:%M:%S} and {last:%H:%M:%S}"
    jobs = f"{len(job_ids)} job{'' if len(job_ids) == 1 else 's'}"
    return replace(
        found,
        job_ids=job_ids,
        what=f"what ended between {span}: {jobs}",
        why=f"the notifier could not run ({context['condition']}): its log says why",
        tries=context.get("approximateInvokeCount"),
        at=_instant(body["timestamp"]),
        to=EVERYBODY if job_ids else "",
    )


def _ended_between(desk: Desk, first: datetime, last: datetime) -> Iterator[str]:
    jobs = newest_jobs(desk, _ENDED, since=first - _LONGEST_LIFE, until=last)
    for job in islice(jobs, MOST_LOOKED_AT):
        if job.finished_at and first <= job.finished_at <= last:
            yield job.id


def _parsed(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
