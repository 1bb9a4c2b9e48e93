"""The table at the end of a soak."""

import json
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from core.jobs.call import is_result
from core.jobs.job import JobState
from tests.soak.checks import failed_by_model, request_counts, unlucky
from tests.soak.evidence import Evidence

_OK = 200
_FAILED_MESSAGE = "message not taken"  # SQS delivers it again


def show(console: Console, evidence: Evidence, *, seconds: float, failed_sweeps: int) -> None:
    """Print it; `seconds` is the time from the first upload until the last job had ended."""
    table = Table(title="Soak", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("what", header_style="dim", no_wrap=True)
    table.add_column("figure", header_style="dim", justify="right", no_wrap=True)
    table.add_column("", style="dim")
    for what, figure, note in _rows(evidence, seconds, failed_sweeps):
        table.add_row(what, figure, note)
    console.print()
    console.print(table)


def _rows(evidence: Evidence, seconds: float, failed_sweeps: int) -> Iterator[tuple[str, str, str]]:
    jobs = [history.job for history in evidence.histories.values()]
    states = Counter(job.state for job in jobs)
    calls = sum(len(history.calls) for history in evidence.histories.values())
    many = sum(len(history.calls) > 1 for history in evidence.histories.values())
    yield "uploads", f"{len(evidence.sent):,}", ""
    yield "jobs", f"{len(jobs):,}", f"{many} of several calls; {calls:,} calls in all"
    yield "summaries", f"{states[JobState.SUCCEEDED]:,}", ""
    codes = Counter(job.reason_code for job in jobs if job.state is JobState.FAILED)
    by_code = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    yield "failures", f"{states[JobState.FAILED]:,}", by_code
    yield "of good files", f"{len(unlucky(evidence)):,}", "every attempt of a call met a fault"
    failed = failed_by_model(evidence)
    yield "given up by the engine", f"{len(failed):,}", "good files; the model never wrote of use"
    yield from _writing(evidence)
    yield from _callbacks(evidence)
    yield "sweeps that failed", f"{failed_sweeps:,}", "and left something to the next one"
    yield from _requests(evidence)
    yield from _aws(evidence)
    yield "seconds", f"{seconds:,.0f}", "from the first upload until the last job had ended"
    yield "jobs a minute", f"{len(jobs) * 60 / seconds:,.0f}", ""


def _writing(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    habits = Counter(name for each in evidence.requests for name in each.habits)
    shown = ", ".join(f"{name} {count}" for name, count in habits.most_common())
    yield "the model's bad habits", f"{habits.total():,}", shown
    found: Counter[str] = Counter()
    again = 0
    for each in evidence.stored:
        again += sum(tries - 1 for tries in each.writing.get("tries", {}).values())
        for check in each.writing.get("checks", ()):
            found[check["outcome"]] += check["outcome"] in {"mended", "noted", "doubt"}
    shown = ", ".join(f"{outcome} {count}" for outcome, count in found.most_common() if count)
    yield "answers asked again", f"{again:,}", "for what the checks found in them"
    yield "checks not passed", f"{found.total():,}", f"of summaries: {shown}"
    verified, dropped = (
        sum(each.writing.get(name, 0) for each in evidence.stored)
        for name in ("quotes_verified", "quotes_dropped")
    )
    yield "quotes verified", f"{verified:,}", f"{dropped:,} dropped"


def _callbacks(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    lost = sum(each.is_callback_lost for each in evidence.requests)
    share = lost / max(len(evidence.requests), 1)
    yield "callbacks lost", f"{lost:,}", f"{share:.0%} of {len(evidence.requests):,} requests"
    given_up = sum(bool(each.answers) and _OK not in each.answers for each in evidence.requests)
    yield "callbacks given up", f"{given_up:,}", "by RunPod, after three deliveries without a 200"
    swept = _swept(evidence)
    by_sweeper = sum(
        event.by == "sweeper" and is_result(event)
        for history in evidence.histories.values()
        for event in history.events
    )
    found = ", ".join(f"{kind} {count}" for kind, count in swept.most_common())
    yield (
        "repaired by sweeper",
        f"{by_sweeper:,}",
        "results it fetched: lost, or later than overdue (audit)",
    )
    yield "the sweeper's finds", f"{swept.total():,}", found
    again = sum(max(0, each.answers.count(_OK) - 1) for each in evidence.requests)
    yield "duplicates absorbed", f"{again:,}", "deliveries answered 200 after the first"


def _requests(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    of_calls = request_counts(evidence)
    of_jobs: Counter[str] = Counter()
    for (job_id, _), count in of_calls.items():
        of_jobs[job_id] += count
    asked = [of_jobs[job_id] for job_id, history in evidence.histories.items() if history.calls]
    mean = sum(asked) / max(len(asked), 1)
    most = max(of_calls.values(), default=0)
    yield "GPU calls a job", f"{mean:.2f}", f"at most {max(asked, default=0)}"
    yield "GPU calls a call", f"{most}", f"the most; {evidence.max_attempts} are allowed"
    yield "submissions refused", f"{evidence.refused:,}", "by RunPod, with 429 or 500"


def _aws(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    throttled = sum(each.throttled for each in evidence.traffic.values())
    asked = sum(each.requests for each in evidence.traffic.values())
    by_service = ", ".join(
        f"{service} {each.throttled} of {each.requests:,}"
        for service, each in sorted(evidence.traffic.items())
    )
    share = f"{throttled / max(asked, 1):.1%}"
    yield "AWS calls throttled", f"{throttled:,}", f"{share}: {by_service}"
    failed = sum(_FAILED_MESSAGE in line for line in evidence.log_lines["SubmitterFunction"])
    yield "messages redelivered", f"{failed:,}", f"{evidence.dead_letters} in the dead-letter queue"


def _swept(evidence: Evidence) -> Counter[str]:
    """Return what all sweeps found, those of the schedule too, according to their log lines."""
    found: Counter[str] = Counter()
    for line in evidence.log_lines["SweeperFunction"]:
        if '"swept"' in line:
            found.update(json.loads(line[line.index("{") :]).get("found", {}))
    return found
