"""What goes wrong in one run, and how often."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from random import Random

from botocore.exceptions import ClientError, ReadTimeoutError

from core.errors import RunPodBusy, RunPodFailed, RunPodRefused, RunPodSilent
from tests.simulation.scheduler import Fault, Killed, Repeated

AWS, RUNPOD = "aws", "runpod"


@dataclass(frozen=True, kw_only=True)
class FaultProfile:
    """Shares of what could go wrong that does, from 0 to 1."""

    aws_requests: float = 0.0  # throttled, broken, unanswered, or sent twice
    runpod_requests: float = 0.0
    kills: float = 0.0  # of requests: the function dies with it
    refusals: float = 0.0  # of RunPod requests: it will never take this

    callbacks_lost: float = 0.0  # of deliveries: they reach nobody
    callbacks_unheard: float = 0.0  # of deliveries: RunPod does not hear our answer
    callbacks_turned_away: float = 0.0  # of deliveries: 413 or 429 from the gateway
    callbacks_repeated: float = 0.0  # of deliveries: they come again, up to an hour later
    callbacks_empty: float = 0.0  # of requests: RunPod's body is empty, as it once was for hours

    messages_repeated: float = 0.0  # of SQS deliveries, and of S3 events
    sweeps_skipped: float = 0.0
    index_lags: float = 0.0  # of reads of the sparse index
    bodies_broken: float = 0.0  # of S3 reads: the connection breaks in the middle

    gpu_troubles: float = 0.0  # of RunPod requests: they end without a usable text
    gpu_losses: float = 0.0  # of RunPod requests: they vanish from the queue
    slow_gpus: float = 0.0  # of RunPod requests: they wait or run for up to an hour
    pulls_broken: float = 0.0  # of pull mode's orders: what the worker fetches or delivers
    lost_calls: float = 0.0  # of calls: no attempt of theirs ever ends with a text
    odd_lengths: float = 0.0  # of texts: far shorter or longer than asked, or cut
    bad_habits: float = (
        0.0  # of answers: a refusal, a loop, malformed JSON, ... (tests/writing_habits.py)
    )
    stubborn_models: float = 0.0  # of runs: one kind of ask is always answered by one bad habit

    conflicts: float = 0.0  # of DynamoDB writes: they conflict with another one, which fails too
    s3_conflicts: float = 0.0  # of conditional puts: 409, for another one is under way

    # Of runs: for a part of an hour, or for hours.
    s3_outages: float = 0.0  # the bucket of the summaries can't be written, perhaps not even read
    runpod_outages: float = 0.0  # RunPod can't be reached, or hangs
    redeployments: float = 0.0  # other limits and prompts, with jobs in flight

    deletions: float = 0.0  # of uploads: deleted again within minutes
    bad_files: float = 0.0
    slow_requests: float = 0.0  # of requests: seconds, or longer than the function may take

    @property
    def lets_sweeps_work(self) -> bool:
        """Is a lost callback the only way for a result to get lost?"""
        return not any(
            (
                self.aws_requests,
                self.runpod_requests,
                self.kills,
                self.sweeps_skipped,
                self.index_lags,
                self.bodies_broken,
                self.slow_requests,
                self.s3_outages,
                self.runpod_outages,
            )
        )

    @property
    def lets_sweeps_look(self) -> bool:
        """Does every sweep look at everything that is due?"""
        return not any(
            (
                self.aws_requests,
                self.kills,
                self.conflicts,
                self.sweeps_skipped,
                self.index_lags,
                self.slow_requests,
            )
        )

    def faults(self, service: str, operation: str, random: Random) -> Fault | Repeated | None:
        """Draw the fault of one request."""
        draw = random.random()
        if draw < self.kills:
            return random.choice((_KILLED_BEFORE, _KILLED_AFTER))
        draw -= self.kills
        if service != RUNPOD:
            return random.choice(_AWS_FAULTS) if draw < self.aws_requests else None
        if operation == "run" and draw < self.refusals:
            return _REFUSED
        return random.choice(_RUNPOD_FAULTS) if draw < self.runpod_requests else None


CALM = FaultProfile()
_BAD_DAY = FaultProfile(
    aws_requests=0.03,
    runpod_requests=0.06,
    kills=0.02,
    refusals=0.003,
    callbacks_lost=0.3,
    callbacks_unheard=0.1,
    callbacks_turned_away=0.05,
    callbacks_repeated=0.15,
    callbacks_empty=0.03,
    messages_repeated=0.15,
    sweeps_skipped=0.1,
    index_lags=0.3,
    bodies_broken=0.05,
    gpu_troubles=0.15,
    gpu_losses=0.03,
    slow_gpus=0.1,
    pulls_broken=0.2,
    lost_calls=0.01,
    odd_lengths=0.3,
    bad_habits=0.1,
    stubborn_models=0.15,
    conflicts=0.05,
    s3_conflicts=0.1,
    s3_outages=0.15,
    runpod_outages=0.15,
    redeployments=0.3,
    deletions=0.05,
    bad_files=0.15,
    slow_requests=0.02,
)


def draw_profile(random: Random) -> FaultProfile:
    """Draw a profile: mostly some faults of a bad day, each at a strength of its own."""
    kind = random.random()
    if kind < 0.04:
        return CALM
    if kind < 0.3:  # one fault at a time, and strong
        name = random.choice(fields(FaultProfile)).name
        return replace(CALM, **{name: min(1.0, 3 * getattr(_BAD_DAY, name))})
    faults = {
        field.name: min(1.0, getattr(_BAD_DAY, field.name) * random.choice((0, 0.5, 1, 2)))
        for field in fields(FaultProfile)
    }
    return FaultProfile(**faults)


def _client_error(code: str) -> Callable[[], BaseException]:
    return lambda: ClientError({"Error": {"Code": code, "Message": "injected"}}, "Injected")


def _no_answer() -> BaseException:
    return ReadTimeoutError(endpoint_url="https://aws.invalid")


_KILLED_BEFORE = Fault("killed before it", Killed, has_effect=False, kills=True)
_KILLED_AFTER = Fault("killed after it", Killed, has_effect=True, kills=True)
_AWS_FAULTS: Sequence[Fault | Repeated] = (
    Fault("throttled", _client_error("ThrottlingException"), has_effect=False),
    Fault("broken", _client_error("InternalServerError"), has_effect=False),
    Fault("no answer", _no_answer, has_effect=False),
    Fault("answer lost", _no_answer, has_effect=True),
    Fault("done, but broken", _client_error("InternalServerError"), has_effect=True),
    Repeated(),
)
_REFUSED = Fault("refused", lambda: RunPodRefused("injected: refused"), has_effect=False)
_RUNPOD_FAULTS: Sequence[Fault] = (
    Fault("busy", lambda: RunPodBusy("injected: 429"), has_effect=False),
    Fault("5xx", lambda: RunPodFailed("injected: 5xx"), has_effect=False),
    Fault("5xx, but taken", lambda: RunPodFailed("injected: 5xx"), has_effect=True),
    Fault("silent", lambda: RunPodSilent("injected: silence"), has_effect=False),
    Fault("silent, but taken", lambda: RunPodSilent("injected: silence"), has_effect=True),
)

# What a tally of many runs must hold.
FAULTS = [f"AWS: {fault.name}" for fault in (*_AWS_FAULTS, _KILLED_BEFORE, _KILLED_AFTER)] + [
    f"RunPod: {fault.name}" for fault in (*_RUNPOD_FAULTS, _REFUSED)
]
