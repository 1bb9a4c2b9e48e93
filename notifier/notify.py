"""Tell of the jobs that have ended: all that can be told first, then what can't is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.jobs.job import Job
from core.notices.dead_end import DeadEnd
from core.notices.event_bus import EventBus
from core.notices.notice import Notice, notice_of
from notifier.records import UnreadableRecord, ended_job


@dataclass(frozen=True, kw_only=True)
class Outcome:
    job_id: str
    kind: str = ""
    why: str = ""  # it was not told


@dataclass(frozen=True, kw_only=True)
class Notifier:
    bus: EventBus
    dead_end: DeadEnd
    stack: str
    output_bucket: str

    def notify(self, records: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Outcome]:
        """Raises NoticesNotTaken before anything is kept: the same records come again."""
        notices, unreadable = self._read(records)
        refused = self.bus.put(notices)
        outcomes = [*unreadable, *(_outcome(notice, refused) for notice in notices)]
        for each in outcomes:
            if each.why:
                self.dead_end.keep_untold(each.job_id, why=each.why, at=now)
        return outcomes

    def _read(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[Notice], list[Outcome]]:
        notices, unreadable = [], []
        for record in records:
            try:
                job = ended_job(record)
                notices += [self._notice(job)] if job else []
            except UnreadableRecord as exc:
                unreadable.append(Outcome(job_id=exc.job_id, why=str(exc)))
        return notices, unreadable

    def _notice(self, job: Job) -> Notice:
        try:
            return notice_of(job, stack=self.stack, output_bucket=self.output_bucket)
        except ValueError as exc:
            raise UnreadableRecord(job.id, str(exc)) from exc


def _outcome(notice: Notice, refused: Mapping[str, str]) -> Outcome:
    code = refused.get(notice.id)
    why = f"EventBridge refuses it ({code})" if code else ""
    return Outcome(job_id=notice.detail["job_id"], kind=notice.kind, why=why)
