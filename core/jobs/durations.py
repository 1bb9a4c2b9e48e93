"""Where a time went, by what lay over it: so that the parts of a job's time add up to the whole. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.jobs.audit import AuditEvent
from core.jobs.call import CallState, is_result

GPU, QUEUE, OURS = "gpu", "queue", "ours"
# What ends a request at RunPod beside a result: what came with a report carries RunPod's figures.
_FAILURES = frozenset({CallState.WAITING, CallState.FAILED})


@dataclass(frozen=True, kw_only=True)
class Interval:
    kind: str
    begins: datetime
    ends: datetime


def spread(
    intervals: Iterable[Interval],
    begins: datetime,
    ends: datetime,
    *,
    kinds: Sequence[str],
    otherwise: str,
) -> Iterator[tuple[str, float]]:
    """Yield a time in parts, in seconds, each of the first of the kinds that lies over it."""
    held = [each for each in intervals if each.begins < ends and each.ends > begins]
    changes: list[tuple[datetime, int, str]] = []
    for each in held:
        changes += [(max(each.begins, begins), 1, each.kind), (min(each.ends, ends), -1, each.kind)]
    changes.sort(key=lambda change: change[0])
    open_of = dict.fromkeys(kinds, 0)
    at = begins
    for moment, step, kind in [*changes, (ends, 0, otherwise)]:
        if moment > at:
            yield (
                next((each for each in kinds if open_of[each]), otherwise),
                (moment - at).total_seconds(),
            )
            at = moment
        if step:
            open_of[kind] += step


def request_intervals(heard_at: datetime, queued: timedelta, ran: timedelta) -> Iterator[Interval]:
    """Yield how long one request waited at RunPod and ran there, told when we heard of its end."""
    began = heard_at - ran
    yield Interval(kind=QUEUE, begins=began - queued, ends=began)
    yield Interval(kind=GPU, begins=began, ends=heard_at)


def intervals_of(events: Iterable[AuditEvent]) -> Iterator[Interval]:
    """Yield what RunPod did for a job, from the audit of its calls, as far as RunPod has said so."""
    for event in events:
        ends = is_result(event) or event.to_state in _FAILURES
        if ends and "ran_ms" in event.detail:
            queued, ran = (int(event.detail.get(name, 0)) for name in ("queued_ms", "ran_ms"))
            yield from request_intervals(
                event.at, timedelta(milliseconds=queued), timedelta(milliseconds=ran)
            )


def time_spent(
    intervals: Iterable[Interval], begins: datetime, ends: datetime
) -> dict[str, str | int]:
    """Return for the audit where a job's time went; what was neither queue nor GPU is ours.

    A second in which one of its requests ran is the GPU's, though others waited.
    """
    seconds = dict.fromkeys((QUEUE, GPU, OURS), 0.0)
    for kind, length in spread(intervals, begins, ends, kinds=(GPU, QUEUE), otherwise=OURS):
        seconds[kind] += length
    return {
        "in_queue_ms": round(seconds[QUEUE] * 1000),
        "on_gpu_ms": round(seconds[GPU] * 1000),
        "ours_ms": round(seconds[OURS] * 1000),
    }
