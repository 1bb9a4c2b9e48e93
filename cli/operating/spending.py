"""What jobs have used, and what RunPod bills for it.

Of a job that succeeded, the index by state tells it all. What a failed one has used stands in its own
record, which is read for a bounded number of them. Dollars go by cli/endpoint/models.toml; RunPod's own
bill, which knows start and idle time as well, stands beside them where the key allows it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from cli.operating import runpod
from cli.operating.desk import Desk
from cli.operating.finding import newest_jobs
from cli.operating.prices import Dollars, Price, price_of
from cli.operating.runpod import RunPodUnknown
from cli.operating.spans import now
from cli.operating.story import story_of
from cli.runpod_key import given_key
from core.aws.items import ListedJob
from core.jobs.job import JobState

MOST_JOBS = 10_000
_MOST_FAILED = 200  # whose own records are read
_HINT = "give a key that may read billing in RUNPOD_API_KEY"


@dataclass(frozen=True, kw_only=True)
class Used:
    """What one job has used."""

    job_id: str
    key: str
    state: JobState
    at: datetime
    model: str
    gpu_seconds: float
    requests: int
    prompt_tokens: int
    completion_tokens: int
    discarded_tokens: int


@dataclass(frozen=True, kw_only=True)
class Sum:
    name: str  # a day, or `in all`
    jobs: int
    failed: int
    gpu_seconds: float
    requests: int
    prompt_tokens: int
    completion_tokens: int
    discarded_tokens: int
    dollars: Dollars | None  # None where a model has no price


@dataclass(frozen=True, kw_only=True)
class Bill:
    """RunPod's own."""

    dollars: float | None = None
    by_day: dict[str, float] | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    used: Sequence[Used]
    days: Sequence[Sum]
    whole: Sum
    endpoint_id: str
    bill: Bill
    is_whole: bool
    failed_not_read: int


def read_cost(desk: Desk, within: timedelta, management_url: str) -> Report:
    jobs = list(islice(newest_jobs(desk, since=now() - within), MOST_JOBS + 1))
    ended = [job for job in jobs[:MOST_JOBS] if job.state is not JobState.ACTIVE]
    failed = [job for job in ended if job.state is JobState.FAILED]
    used = [_used_by(job) for job in ended if job.summary]
    used += [each for job in failed[:_MOST_FAILED] if (each := _used_in_vain(desk, job))]
    prices = {model: price_of(model) for model in {each.model for each in used}}
    by_day: dict[str, list[Used]] = {}
    for each in used:
        by_day.setdefault(f"{each.at.astimezone(UTC):%Y-%m-%d}", []).append(each)
    reached = runpod.access(desk)
    return Report(
        used=sorted(used, key=lambda each: -each.gpu_seconds),
        days=[_sum(day, by_day[day], prices) for day in sorted(by_day, reverse=True)],
        whole=_sum("in all", used, prices),
        endpoint_id=reached.endpoint_id,
        bill=_bill(desk, reached, within, management_url),
        is_whole=len(jobs) <= MOST_JOBS,
        failed_not_read=max(len(failed) - _MOST_FAILED, 0),
    )


def _used_by(job: ListedJob) -> Used:
    summary = job.summary
    assert summary is not None  # noqa: S101 - what the caller has looked at
    return Used(
        job_id=job.id,
        key=job.key,
        state=job.state,
        at=job.created_at,
        model=summary.model,
        gpu_seconds=summary.ran_ms / 1000,
        requests=max(summary.calls, 1),
        prompt_tokens=summary.prompt_tokens,
        completion_tokens=summary.completion_tokens,
        discarded_tokens=summary.discarded_tokens,
    )


def _used_in_vain(desk: Desk, job: ListedJob) -> Used | None:
    history = desk.deployment.history_of(job.id)
    if history is None:
        return None  # expired meanwhile
    story = story_of(history, now=now())
    return Used(
        job_id=job.id,
        key=job.key,
        state=job.state,
        at=job.created_at,
        model=history.job.options.model,
        gpu_seconds=story.ran_seconds,
        requests=story.requests,
        prompt_tokens=story.prompt_tokens,
        completion_tokens=story.completion_tokens,
        discarded_tokens=story.discarded_tokens,
    )


def _sum(name: str, used: Sequence[Used], prices: dict[str, Price | None]) -> Sum:
    return Sum(
        name=name,
        jobs=len(used),
        failed=sum(each.state is JobState.FAILED for each in used),
        gpu_seconds=sum(each.gpu_seconds for each in used),
        requests=sum(each.requests for each in used),
        prompt_tokens=sum(each.prompt_tokens for each in used),
        completion_tokens=sum(each.completion_tokens for each in used),
        discarded_tokens=sum(each.discarded_tokens for each in used),
        dollars=_dollars(used, prices),
    )


def _dollars(used: Iterable[Used], prices: dict[str, Price | None]) -> Dollars | None:
    seconds: Counter[str] = Counter()
    for each in used:
        seconds[each.model] += each.gpu_seconds  # type: ignore[assignment]  # a Counter adds up any number
    priced = {model: price for model in seconds if (price := prices[model])}
    if len(priced) < len(seconds):
        return None
    return Dollars(
        low=sum(price.low * seconds[model] for model, price in priced.items()),
        high=sum(price.high * seconds[model] for model, price in priced.items()),
    )


def _bill(desk: Desk, reached: runpod.Access, within: timedelta, management_url: str) -> Bill:
    begins = now() - within
    parameters = {
        "startTime": f"{begins:%Y-%m-%dT00:00:00Z}",
        "bucketSize": "day",
        "serverlessId": reached.endpoint_id,
    }
    try:
        key = given_key() or runpod.api_key(desk, reached)
        told = runpod.asked(f"{management_url.rstrip('/')}/v2/billing/serverless", key, parameters)
    except RunPodUnknown as exc:
        return Bill(problem=f"{exc}; {_HINT}")
    by_day: dict[str, float] = {}
    for record in told.get("records", ()) if isinstance(told, dict) else ():
        day = str(record.get("startTime", ""))[:10]
        by_day[day] = by_day.get(day, 0.0) + float(record.get("totalAmount", 0))
    return Bill(dollars=sum(by_day.values()), by_day=by_day)
