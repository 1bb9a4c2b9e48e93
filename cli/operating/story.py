"""What happened to one job, and where its time went: from its record and its facts. Pure.

Where a second went is decided by the calls that were open in it, the first of these that fits any of them:

    gpu        RunPod ran it
    queue      it waited at RunPod for a worker
    callback   RunPod had ended it, and we did not know yet
    waiting    it waited for another attempt: RunPod was busy, had lost it, or the key was unusable
    ours       none of these: the functions, the queue between them, S3

So the parts add up to the whole, though calls of a round run side by side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cli.deployment import History
from core.jobs.audit import AuditEvent
from core.jobs.call import NOT_TAKEN, Call, CallState, is_result
from core.jobs.durations import GPU, OURS, QUEUE, Interval, spread
from core.jobs.job import Job, JobState
from core.summaries.rounds import in_words

ARRIVING = "arriving"  # between the upload and the job's record
CALLBACK, WAITING = "callback", "waiting"
_KINDS = (GPU, QUEUE, CALLBACK, WAITING)  # what an interval may be, the first that fits


@dataclass(frozen=True, kw_only=True)
class AttemptStory:
    """One RunPod request."""

    number: int
    runpod_id: str
    begun_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""
    why: str = ""
    found_by: str = (
        ""  # who learnt of its end: the receiver, or the sweeper where the callback was lost
    )
    queued_seconds: float | None = None
    ran_seconds: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def intervals(self, until: datetime) -> Iterator[Interval]:
        """Yield what RunPod did when, as far as it has said so, up to when we learnt of it."""
        ended_at = self.ended_at or until
        if self.outcome == NOT_TAKEN or self.submitted_at is None:
            return
        queued = timedelta(seconds=self.queued_seconds or 0)
        ran = timedelta(seconds=self.ran_seconds or 0)
        # RunPod had the request before we had written so down: at the latest when its own figures say.
        begun = min(self.submitted_at, max(self.begun_at, ended_at - queued - ran))
        if self.queued_seconds is None:  # RunPod has not said it: what it did not run, it waited
            queued = max(ended_at - begun - ran, timedelta())
        fits = min(
            (ended_at - begun) / max(queued + ran, timedelta.resolution), 1.0
        )  # clocks differ
        starts = begun + queued * fits
        ends = starts + ran * fits
        for kind, first, last in (
            (QUEUE, begun, starts),
            (GPU, starts, ends),
            (CALLBACK, ends, ended_at),
        ):
            if last > first:
                yield Interval(kind=kind, begins=first, ends=last)


@dataclass(frozen=True, kw_only=True)
class CallStory:
    call: Call
    attempts: tuple[AttemptStory, ...]
    words_out: int | None = None
    waits: tuple[Interval, ...] = ()  # for another attempt
    ended_at: datetime | None = None

    @property
    def prompt_tokens(self) -> int:
        return sum(each.prompt_tokens for each in self.attempts)

    @property
    def completion_tokens(self) -> int:
        return sum(each.completion_tokens for each in self.attempts)


@dataclass(frozen=True, kw_only=True)
class RoundStory:
    number: int
    what: str  # `16 sections and 4 lists`
    began_at: datetime
    calls: tuple[CallStory, ...]

    @property
    def ended_at(self) -> datetime | None:
        ends = [call.ended_at for call in self.calls]
        return None if None in ends or not ends else max(end for end in ends if end)


@dataclass(frozen=True, kw_only=True)
class Story:
    job: Job
    events: Sequence[AuditEvent]  # of the job itself
    rounds: tuple[RoundStory, ...]
    seconds: Mapping[str, float]  # by kind; they add up to the time from the upload to the end
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def calls(self) -> list[CallStory]:
        return [call for each in self.rounds for call in each.calls]

    @property
    def requests(self) -> int:
        """RunPod requests that may have been paid for."""
        return sum(call.call.paid_attempts for call in self.calls)

    @property
    def ran_seconds(self) -> float:
        """RunPod's running time, of each request by itself."""
        return sum(call.call.ran_ms for call in self.calls) / 1000

    @property
    def gpu_seconds_at_least(self) -> float:
        """The same where one worker ran requests side by side, as it can."""
        return self.seconds.get(GPU, 0.0)

    @property
    def prompt_tokens(self) -> int:
        return max(sum(call.prompt_tokens for call in self.calls), self._told("prompt_tokens"))

    @property
    def completion_tokens(self) -> int:
        return max(
            sum(call.completion_tokens for call in self.calls), self._told("completion_tokens")
        )

    @property
    def discarded_tokens(self) -> int:
        """Tokens that are in no summary: of a failed job all."""
        if self.job.state is JobState.FAILED:
            return self.completion_tokens
        return self._told("discarded_tokens")

    def _told(self, name: str) -> int:
        return getattr(self.job.summary, name) if self.job.summary else 0


def story_of(history: History, *, now: datetime, facts: Mapping[str, Any] | None = None) -> Story:
    job = history.job
    calls = [
        _call_story(call, history.audits.get(call.id, []))
        for call in sorted(history.calls, key=lambda call: (call.stage, len(call.id), call.id))
    ]
    return Story(
        job=job,
        events=history.audits.get("", []),
        rounds=tuple(_rounds(job, calls)),
        seconds=_seconds(job, calls, now),
        facts=facts or {},
    )


def _rounds(job: Job, calls: Sequence[CallStory]) -> Iterator[RoundStory]:
    for number in sorted({each.call.stage for each in calls}):
        of_round = tuple(each for each in calls if each.call.stage == number)
        asks = [each.call.ask for each in of_round if each.call.ask]
        begins = [each.attempts[0].begun_at for each in of_round if each.attempts]
        yield RoundStory(
            number=number,
            what=in_words(asks) if asks else "the whole summary, by the worker",
            began_at=min(begins, default=job.created_at),
            calls=of_round,
        )


def _call_story(call: Call, events: Sequence[AuditEvent]) -> CallStory:
    attempts = {
        each.number: AttemptStory(
            number=each.number,
            runpod_id=each.runpod_id,
            begun_at=each.begun_at,
            outcome=each.outcome,
            ran_seconds=each.ran_ms / 1000 if each.ran_ms else None,
        )
        for each in call.attempts
    }
    waits: list[Interval] = []
    waiting_since: datetime | None = None
    words_out: int | None = None
    ended_at: datetime | None = None
    latest = 0
    for event in events:
        latest = int(event.detail.get("attempt", latest))
        attempt = attempts.get(latest)
        if attempt and event.to_state:
            attempts[latest] = _moved(attempt, event)
        if event.to_state == CallState.SUBMITTING and waiting_since:
            waits.append(Interval(kind=WAITING, begins=waiting_since, ends=event.at))
        waiting_since = event.at if event.to_state == CallState.WAITING else None
        words_out = _number(event, "words_out", words_out)
        if event.to_state in {CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED}:
            ended_at = event.at
    if waiting_since:
        waits.append(
            Interval(
                kind=WAITING,
                begins=waiting_since,
                ends=datetime.max.replace(tzinfo=waiting_since.tzinfo),
            )
        )
    return CallStory(
        call=call,
        attempts=tuple(attempts.values()),
        words_out=words_out,
        waits=tuple(waits),
        ended_at=ended_at,
    )


def _moved(attempt: AttemptStory, event: AuditEvent) -> AttemptStory:
    """Return an attempt as a transition of its call has left it."""
    match event.to_state:
        case CallState.SUBMITTED:
            return replace(attempt, submitted_at=event.at)
        case _ if is_result(event):
            queued, ran = event.detail.get("queued_ms"), event.detail.get("ran_ms")
            return replace(
                attempt,
                # A callback may be quicker than the answer to the request.
                submitted_at=attempt.submitted_at or attempt.begun_at,
                ended_at=event.at,
                found_by=event.by,
                queued_seconds=attempt.queued_seconds if queued is None else int(queued) / 1000,
                ran_seconds=attempt.ran_seconds if ran is None else int(ran) / 1000,
                prompt_tokens=int(event.detail.get("prompt_tokens", 0)),
                completion_tokens=int(event.detail.get("completion_tokens", 0)),
            )
        case CallState.WAITING | CallState.FAILED | CallState.CANCELLED:
            return replace(
                attempt,
                ended_at=attempt.ended_at or event.at,
                found_by=attempt.found_by or event.by,
                why=event.why or attempt.why,
            )
    return attempt


def _number(event: AuditEvent, name: str, otherwise: int | None) -> int | None:
    return int(event.detail[name]) if name in event.detail else otherwise


def _seconds(job: Job, calls: Sequence[CallStory], now: datetime) -> dict[str, float]:
    ends = job.finished_at or now
    intervals = [
        interval
        for call in calls
        for interval in (
            *call.waits,
            *(each for attempt in call.attempts for each in attempt.intervals(ends)),
        )
    ]
    seconds = dict.fromkeys((ARRIVING, *_KINDS, OURS), 0.0)
    seconds[ARRIVING] = max((job.created_at - job.source.uploaded_at).total_seconds(), 0.0)
    for kind, length in spread(intervals, job.created_at, ends, kinds=_KINDS, otherwise=OURS):
        seconds[kind] += length
    return seconds
