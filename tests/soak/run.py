"""Runs a soak: the stack, the faults, the uploads and the sweeps, until every job has ended."""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from core.jobs.job import JobState
from local.progress import Progress
from local.stack.setup import Setup
from local.stack.simulator import CALLBACK_ANSWER_SECONDS, RunPodEndpoint
from local.stack.stack import LocalStack, local_stack
from local.steps import STACK_STEPS
from runpod_simulator import Config, running_simulator
from tests.soak import checks, figures
from tests.soak.evidence import Evidence, RunPodSide, Sent, collect, open_calls, queue_length
from tests.soak.load import MOST_BYTES, Planned, planned_load
from tests.soak.progress import SoakProgress
from tests.soak.transcripts import PHRASES

_MAX_ATTEMPTS = 3
_ROUND_SECONDS = 3.0

# A small context, so that transcripts of minutes take several calls; answers so short that a summary
# takes two parts. Polls come close together, so that the soak does not take hours.
_PARAMETERS = {
    "CallbackOverdueSeconds": "5",
    "JobDeadlineMinutes": "15",
    "MaxAttempts": str(_MAX_ATTEMPTS),
    "MaxModelLenTokens": "8192",
    "MaxPollingAttempts": "40",
    "MaxTokens": "1000",
    "MaxTranscriptBytes": str(MOST_BYTES),
    "SummaryWords": "900",
    "SweepScheduleMinutes": "1",
}

# In addition to lost and duplicate callbacks. The client retries a single 429 at once; eight of them make
# the call wait.
_RUNPOD_FAULTS = (
    "rate-limited@0.03",
    "rate-limited=8@0.02",
    "server-error@0.02",
    "worker-error@0.02",
    "worker-lost@0.01",
    "completed-without-output@0.01",
    "accepted-but-no-answer@0.02",
    "early-callback@0.02",
    "out-of-order@0.01",
    "null-webhook-body@0.02",
)


# What language models do, each in its share of the answers.
_HABITS = (
    "refusal@0.05",
    "malformed-json@0.05",
    "unfinished-json@0.05",
    "loop@0.02",
    "no-text@0.01",
    "other-language@0.02",
    "skipped-half@0.05",
    "altered-quotes@0.1",
    "altered-figures@0.1",
    "wrong-turns@0.1",
    "wrong-headings@0.1",
    "preface@0.1",
    "fence@0.1",
    "reasoning@0.1",
)


class SoakFailedError(Exception):
    """Something was lost or done twice; the message has a line for each."""


@dataclass(frozen=True, kw_only=True)
class Soak:
    """The size of a soak and its faults. Shares are from 0 to 1."""

    jobs: int
    seed: int = 1
    throttled_share: float = 0.05  # of the functions' AWS calls
    lost_share: float = 0.3  # of the callbacks
    duplicate_share: float = 0.1  # of those that are delivered
    longest_minutes: float = 30.0
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template

    def run(self, console: Console, *, emulator_python: Path) -> Evidence:
        """Print the table and return the evidence. Raises SoakFailedError, and StackError."""
        config = Config(
            # Time is not scaled: the stack's deadlines are real. Three requests run at once, so that no
            # more callbacks come in a second than two cores can start functions for.
            worker="llm-like",
            max_model_len=8192,
            webhook_timeout_seconds=CALLBACK_ANSWER_SECONDS,
            seed=self.seed,
            scenarios=(
                *_RUNPOD_FAULTS,
                *_HABITS,
                f"duplicate-webhook@{self.duplicate_share}",
                f"lost-webhook@{self.lost_share}",  # the later rule wins: a lost callback is not duplicated
            ),
        )
        with running_simulator(config) as simulator:
            setup = Setup(
                parameters=_PARAMETERS | dict(self.parameters),
                enforce_iam=False,  # a signature does not survive the fault proxy
                emulator_python=emulator_python,
                runpod=RunPodEndpoint(simulator.url, simulator.api_key),
                throttled_share=self.throttled_share,
            )
            with ExitStack() as running:
                with Progress(console, STACK_STEPS) as progress:
                    stack = running.enter_context(local_stack(setup, progress))
                return self._soak(console, stack, RunPodSide(simulator))

    def _soak(self, console: Console, stack: LocalStack, runpod: RunPodSide) -> Evidence:
        with SoakProgress(console, self.jobs) as shown:
            sent: list[Sent] = []
            for service in ("s3", "lambda", "sqs"):  # boto3 can't create clients in two threads
                stack.client(service)
            with ThreadPoolExecutor(1) as uploader:
                load = planned_load(self.jobs, self.seed)
                uploads = uploader.submit(_upload_all, stack, load, sent)
                rounds = _Rounds(
                    stack=stack, runpod=runpod, sent=sent, uploads=uploads, shown=shown
                )
                rounds.until_all_ended(self.longest_minutes * 60)
            seconds = rounds.ended_after_seconds or shown.seconds
        evidence = collect(
            stack,
            runpod,
            sent,
            traffic=stack.faults.traffic() if stack.faults else {},
            private_texts=PHRASES,
            max_attempts=_MAX_ATTEMPTS,
        )
        figures.show(console, evidence, seconds=seconds, failed_sweeps=rounds.failed_sweeps)
        wrong = checks.wrong(evidence)
        if wrong:
            raise SoakFailedError("\n".join(wrong))
        console.print("\nNothing was lost, and nothing was done twice.", style="green")
        return evidence


@dataclass(kw_only=True)
class _Rounds:
    """Sweeps and observes until every job has ended."""

    stack: LocalStack
    runpod: RunPodSide
    sent: list[Sent]
    uploads: Future[None]
    shown: SoakProgress
    ended_after_seconds: float = 0.0
    failed_sweeps: int = 0

    def until_all_ended(self, longest_seconds: float) -> None:
        """Return when nothing is left to do, or after so long: the checks then find what is left."""
        while self.shown.seconds < longest_seconds and not self._is_over():
            time.sleep(_ROUND_SECONDS)

    def _is_over(self) -> bool:
        self.stack.check_running()
        try:
            self.stack.invoke_sweeper()
        except RuntimeError:  # it could not check everything: the next one will
            self.failed_sweeps += 1
        self.runpod.observe()
        states = self.stack.job_states()
        ended = sum(state is not JobState.ACTIVE for state in states.values())
        queued = queue_length(self.stack, "UploadQueueUrl")
        due = len(open_calls(self.stack))
        counted = Counter(states.values())
        states_text = ", ".join(f"{counted[state]} {state}" for state in JobState)
        self.shown.update(ended, f"{states_text}; {due} calls open, {queued} messages waiting")
        if not self.uploads.done():
            return False
        self.uploads.result()  # raises what failed there
        if {each.job_id for each in self.sent} <= states.keys() and ended == len(states):
            self.ended_after_seconds = self.ended_after_seconds or self.shown.seconds
            return self.runpod.is_idle and not due and not queued
        return False


def _upload_all(stack: LocalStack, load: list[Planned], sent: list[Sent]) -> None:
    """Upload in order; append each to `sent` when it is done."""
    for planned in load:
        upload = stack.upload(planned.body, planned.key)
        job_id = stack.job_id_of(upload)
        assert job_id
        sent.append(Sent(planned=planned, upload=upload, job_id=job_id))
