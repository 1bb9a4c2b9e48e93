"""The time from an upload to its summary beyond RunPod's own, on the local stack, warm.

RunPod's own is what the simulator was at: in each round from the first request's arrival to the last one's
end, by its clock. The rest is ours, and the emulator's and this machine's: SQS, Lambda, the functions, S3.
Jobs come one after another. It takes a minute and more, so `make bench` makes it only when it is named.
"""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.figures import Figure
from cli.deployment import History
from core.jobs.job import JobState
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from runpod_simulator import Config, JobRecord, Simulator, running_simulator
from tests.fakes.model import a_transcript

ONLY_WHEN_NAMED = True
_SIZES = {"one call": (1_500, 12), "three rounds": (5_000, 4)}  # words, jobs that are measured
_WARMED_UP = 2  # jobs of each size before them
_MOST_SECONDS = 1.5
_SIMULATED = Config(queue_delay_seconds=0.1, execution_seconds=0.2, webhook_timeout_seconds=120.0)


def figures() -> list[Figure]:
    """Return p50 and p95 of our seconds in a round, for each kind of job."""
    with running_simulator(_SIMULATED) as simulator:
        setup = Setup(
            runpod=RunPodEndpoint(simulator.url, simulator.api_key),
            parameters={"SweepScheduleMinutes": "5"},
        )
        with local_stack(setup) as stack:
            return [
                figure
                for kind, (words, jobs) in _SIZES.items()
                for figure in _figures(kind, words, _measured(stack, simulator, words, jobs))
            ]


def _measured(
    stack: LocalStack, simulator: Simulator, words: int, jobs: int
) -> list[tuple[float, float]]:
    """Return of each job our seconds and RunPod's, both in one round."""
    taken = []
    for number in range(_WARMED_UP + jobs):
        began_at = datetime.now(UTC)
        upload = stack.upload(a_transcript(words), f"{words}-{number}.txt")
        history = stack.wait_for_job(upload)
        assert history.job.state is JobState.SUCCEEDED, history.job.reason
        seconds = (history.events[-1].at - began_at).total_seconds()
        rounds = _rounds(history, {job.id: job for job in simulator.jobs()})
        runpod = sum(map(_span_seconds, rounds))
        taken.append(((seconds - runpod) / len(rounds), runpod / len(rounds)))
    return taken[_WARMED_UP:]


def _rounds(history: History, requests: dict[str, JobRecord]) -> list[list[JobRecord]]:
    stages = sorted({call.stage for call in history.calls})
    return [
        [
            requests[attempt.runpod_id]
            for call in history.calls
            for attempt in call.attempts
            if call.stage == stage and attempt.runpod_id
        ]
        for stage in stages
    ]


def _span_seconds(requests: Sequence[JobRecord]) -> float:
    """Return for how long RunPod had anything of a round."""
    ends = [
        each.submitted_at_seconds + (each.delay_seconds or 0) + (each.execution_seconds or 0)
        for each in requests
    ]
    return max(ends) - min(each.submitted_at_seconds for each in requests)


def _figures(kind: str, words: int, taken: Sequence[tuple[float, float]]) -> list[Figure]:
    ours = sorted(own for own, _ in taken)
    runpod = statistics.median(each for _, each in taken)
    note = f"{len(ours)} jobs of {words:,} words; RunPod had {runpod:.1f} s of a round"
    p95 = ours[min(len(ours) - 1, round(0.95 * len(ours)))]
    return [
        Figure(
            group="Stack",
            name=f"ours in a round, {kind}, {name}",
            value=value,
            unit="s",
            most=most,
            note=note,
        )
        for name, value, most in (
            ("median", statistics.median(ours), None),
            ("p95", p95, _MOST_SECONDS),
        )
    ]
