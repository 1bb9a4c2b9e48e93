"""The three functions as Lambda runs them: real handlers, real wiring, environments that are reused.

`simulated` puts the simulated services where the wiring makes its clients; whose they are is decided by
who is running.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any
from unittest.mock import patch

from greenlet import getcurrent

import core.summaries.messages
import submitter.dispatch
import submitter.stages
import sweeper.lanes
from core import wiring
from core.summaries.asks import Ask
from core.summaries.messages import frame_tokens
from core.telemetry import logger
from submitter import app as submitter_app
from sweeper import app as sweeper_app
from tests.fakes import remembered  # noqa: F401 - what each round reads again
from tests.fakes.aws import AN_ENVIRONMENT
from tests.simulation.runpod import Endpoint
from tests.simulation.scheduler import Invocation, Killed, Pool, SimulatedThread, here, wait
from tests.simulation.services import (
    SUMMARIES,
    TRANSCRIPTS,
    CachedSecrets,
    Queue,
    Secrets,
    SteppedS3,
    SteppedStore,
)
from tests.simulation.simulation import Simulation
from webhook_receiver import app as receiver_app

WEBHOOK_URL = "https://hooks.invalid/webhook"
SUBMITTER, RECEIVER, SWEEPER = "submitter", "webhook_receiver", "sweeper"
_APPS: dict[str, ModuleType] = {
    SUBMITTER: submitter_app,
    RECEIVER: receiver_app,
    SWEEPER: sweeper_app,
}
TIMEOUTS_SECONDS = {SUBMITTER: 60.0, RECEIVER: 15.0, SWEEPER: 120.0}  # as in template.yaml

# Small, so that a few thousand words already fan out, and cheap to run by the thousand.
SETTINGS = AN_ENVIRONMENT | {
    "TOKEN_BUDGET": "1.5",
    "OUTPUT_BUCKET": SUMMARIES,
    "INPUT_BUCKET": TRANSCRIPTS,
    "INPUT_SUFFIXES": ".txt",
    "WEBHOOK_URL": WEBHOOK_URL,
    "MAX_MODEL_LEN": "4096",
    "MAX_TOKENS": "450",
    "SUMMARY_WORDS": "240",
    "MAX_TRANSCRIPT_BYTES": "100000",
}


@dataclass(frozen=True)
class Deployment:
    """What a deployment changes for jobs in flight: limits, and prompts of another length."""

    variables: Mapping[str, str] = field(default_factory=dict)
    more_prompt_tokens: int = 0


DEPLOYMENTS = (
    Deployment(more_prompt_tokens=600),
    Deployment({"MAX_MODEL_LEN": "6144"}),
    Deployment({"MAX_MODEL_LEN": "3584"}, more_prompt_tokens=100),
    Deployment({"MAX_TOKENS": "600", "SUMMARY_WORDS": "300"}),
    Deployment({"MAX_TOKENS": "400", "TOKEN_BUDGET": "3"}, more_prompt_tokens=200),
)


@dataclass
class Environment:
    """One execution environment: what a function keeps from one invocation to the next."""

    function: str
    clients: "Clients"
    secrets: CachedSecrets
    deployment: Deployment
    _wired: Any = None

    def wired(self, make: Callable[[], Any]) -> Any:
        if self._wired is None:
            with patch.dict("os.environ", self.deployment.variables):
                self._wired = make()
        return self._wired


@dataclass(frozen=True)
class Clients:
    simulation: Simulation
    store: SteppedStore
    s3: SteppedS3
    queue: Queue
    secrets: Secrets
    runpod: Endpoint


_LONGEST_COMMAND_SECONDS = 600.0


@dataclass
class Functions:
    clients: Clients
    deployment: Deployment = field(default_factory=Deployment)
    _idle: dict[str, list[Environment]] = field(default_factory=dict)
    _number: int = 0

    def deploy(self, deployment: Deployment) -> None:
        """Let every invocation that begins from now on be of another deployment."""
        self.clients.simulation.tally["deployments"] += 1
        self.clients.simulation.record("operator", f"deploys {deployment}")
        self.deployment = deployment
        self._idle.clear()

    def invoke(
        self,
        function: str,
        event: dict[str, Any],
        on_end: Callable[[Any, BaseException | None], None],
    ) -> Invocation:
        """Start a function, in an environment that is idle or in a new one."""
        simulation = self.clients.simulation
        idle = self._idle.setdefault(function, [])
        is_new = not idle or simulation.random.random() < 0.1
        environment = (
            Environment(
                function,
                self.clients,
                CachedSecrets(simulation, self.clients.secrets),
                self.deployment,
            )
            if is_new
            else idle.pop(simulation.random.randrange(len(idle)))
        )
        self._number += 1

        def ended(result: Any, error: BaseException | None) -> None:
            simulation.running.remove(invocation)
            if isinstance(error, Killed):
                simulation.tally["functions killed"] += 1
                if self._is_between_two_stages():
                    simulation.tally["killed between two stages"] += 1
            elif environment.deployment is self.deployment:
                idle.append(environment)
            said = type(error).__name__ if error else json.dumps(result)
            simulation.record(invocation.name, f"ends: {said}")
            on_end(result, error)

        invocation = Invocation(
            name=f"{function} {self._number}",
            simulation=simulation,
            environment=environment,
            ends_at_seconds=simulation.now_seconds + TIMEOUTS_SECONDS[function],
            on_end=ended,
        )
        simulation.running.append(invocation)
        simulation.tally[f"{function} invoked"] += 1
        invocation.start(lambda: _APPS[function].handler(event, Context(invocation)))
        return invocation

    def act(self, who: str, work: Callable[[], str]) -> None:
        """Have a person do something with the same adapters."""
        simulation = self.clients.simulation
        secrets = CachedSecrets(simulation, self.clients.secrets)

        def ended(result: Any, error: BaseException | None) -> None:
            simulation.running.remove(invocation)
            simulation.record(who, f"ends: {type(error).__name__ if error else result}")

        invocation = Invocation(
            name=who,
            simulation=simulation,
            environment=Environment(who, self.clients, secrets, self.deployment),
            ends_at_seconds=simulation.now_seconds + _LONGEST_COMMAND_SECONDS,
            on_end=ended,
        )
        simulation.running.append(invocation)
        invocation.start(work)

    def _is_between_two_stages(self) -> bool:
        """Is a stage of some job done, whose next one has not begun?"""
        jobs = self.clients.store.items()[0].values()
        return any(job.is_stage_done and not job.is_final for job in jobs)


@dataclass(frozen=True)
class Context:
    """What the functions read of a Lambda context."""

    invocation: Invocation
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        left = self.invocation.ends_at_seconds - self.invocation.simulation.seconds()
        return int(left * 1_000)


@contextmanager
def simulated() -> Iterator[io.StringIO]:
    """Put the functions into the simulation; yield what they print and log."""
    output = io.StringIO()
    with ExitStack() as stack:

        def put(where: object, name: str, what: object) -> None:
            stack.enter_context(patch.object(where, name, what))

        stack.enter_context(patch.dict("os.environ", SETTINGS))
        put(wiring, "now", _now)
        put(wiring, "store", lambda _: _clients().store)
        put(wiring, "job_index", lambda _: _clients().store)
        put(wiring, "client", lambda service: getattr(_clients(), _CLIENTS[service]))
        put(wiring, "presigner", lambda: _clients().s3)
        put(wiring, "callback_secrets", lambda _: _environment().secrets)
        put(wiring, "runpod", lambda _: _clients().runpod)
        put(core.summaries.messages, "frame_tokens", _frame_tokens)
        put(sweeper_app, "paced", lambda _: lambda: None)
        for module in (submitter.dispatch, submitter.stages, sweeper.lanes):
            put(module, "ThreadPoolExecutor", Pool)
        put(sweeper.lanes, "wait", wait)
        for app in _APPS.values():
            put(app, "_wiring", _wired_by(app._wiring.__wrapped__))
        for handler in logger._logger.handlers:
            stack.callback(handler.setStream, handler.setStream(output))
        stack.enter_context(redirect_stdout(output))
        yield output


_CLIENTS = {"s3": "s3", "sqs": "queue"}


def _now() -> datetime:
    return _clients().simulation.now()


def _frame_tokens(ask: Ask) -> int:
    is_function = isinstance(getcurrent(), SimulatedThread)  # else the model, or a check
    more = _environment().deployment.more_prompt_tokens if is_function else 0
    return frame_tokens(ask) + more


def _wired_by(make: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: _environment().wired(make)


def _environment() -> Environment:
    environment = here().environment
    assert isinstance(environment, Environment)
    return environment


def _clients() -> Clients:
    return _environment().clients
