"""All of it together: the template deployed to the emulator, and a RunPod endpoint behind it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import botocore.session

from local.round_trip import Deployment
from local.stack import sam
from local.stack.emulator import REGION, ROOT_KEY, Emulator, checked_port, start_emulator
from local.stack.faults import FaultProxy, start_fault_proxy
from local.stack.needs import emulator_python
from local.stack.processes import Processes, StackError
from local.stack.simulator import CALLBACK_ANSWER_SECONDS, RunPodEndpoint, start_simulator
from local.steps import Nobody, Observer, Step

API_KEY_SECRET = "runpod/api-key"  # noqa: S105 - its name; the template's default


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a local stack is made of."""

    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template
    port: int = 0  # the emulator's; 0: a free one
    enforce_iam: bool = True
    emulator_python: Path = field(default_factory=emulator_python)
    runpod: RunPodEndpoint | None = None  # None: a simulator of the stack's own
    simulator_options: tuple[str, ...] = ()
    throttled_share: float = 0.0  # of the functions' AWS calls

    def __post_init__(self) -> None:
        if self.throttled_share and self.enforce_iam:
            raise StackError("permissions can't be enforced behind the fault proxy")


class LocalStack(Deployment):
    """The deployed stack, driven with the account's root key."""

    def __init__(
        self,
        emulator: Emulator,
        runpod: RunPodEndpoint,
        processes: Processes,
        faults: FaultProxy | None = None,
    ) -> None:
        self.endpoint_url = emulator.url
        self.faults = faults  # between the functions and the emulator; never before this client
        self.runpod = runpod
        self.folder = processes.folder  # logs of everything, as long as the stack is up
        self._emulator = emulator
        self._processes = processes
        super().__init__(local_session(), sam.STACK_NAME, endpoint_url=emulator.url)

    def deploy_another(self, stack_name: str, parameters: Mapping[str, str]) -> Deployment:
        """Deploy what was built once more, with other parameters; close the Deployment afterwards."""
        sam.start_deploy(
            self._processes,
            endpoint_url=self.endpoint_url,
            parameters={"RunpodApiEndpoint": self.runpod.url, **parameters},
            stack_name=stack_name,
        ).check_succeeded()
        return Deployment(local_session(), stack_name, endpoint_url=self.endpoint_url)

    def check_running(self) -> None:
        """Raises StackError if the emulator has ended."""
        self._emulator.child.check_running()


@contextmanager
def local_stack(setup: Setup, observer: Observer | None = None) -> Iterator[LocalStack]:
    """Build and deploy; stop everything afterwards. Raises StackError."""
    told = observer or Nobody()
    with Processes() as processes:
        told.begin(Step.EMULATOR)
        port = checked_port(setup.port)
        faults = None
        if setup.throttled_share:
            faults = start_fault_proxy(processes, upstream=f"http://127.0.0.1:{port}")
        emulator = start_emulator(
            processes,
            python=setup.emulator_python,
            port=port,
            enforce_iam=setup.enforce_iam,
            functions_endpoint=faults.url if faults else "",
        )
        told.begin(Step.BUILD)
        build = sam.start_build(processes)
        runpod = setup.runpod
        simulator = None
        if runpod is None:
            told.begin(Step.SIMULATOR)
            simulator = start_simulator(processes, setup.simulator_options)
        emulator.wait_until_ready()
        if faults:
            faults.wait_until_ready()
            faults.throttle(setup.throttled_share)
        told.end(Step.EMULATOR, f"MiniStack at {emulator.url}{_how(setup)}")
        if simulator:
            runpod = simulator.wait_until_ready()
            told.end(Step.SIMULATOR, runpod.url)
        assert runpod  # noqa: S101 - for the type checker
        _create_api_key_secret(emulator, runpod)
        build.check_succeeded()
        told.end(Step.BUILD, "three functions, in parallel with the above")
        told.begin(Step.DEPLOY)
        parameters = {"RunpodApiEndpoint": runpod.url, **setup.parameters}
        sam.start_deploy(
            processes, endpoint_url=emulator.url, parameters=parameters
        ).check_succeeded()
        stack = LocalStack(emulator, runpod, processes, faults)
        _let_start(stack, "WebhookReceiverFunction")
        told.end(Step.DEPLOY, f"template.yaml as stack {sam.STACK_NAME}")
        try:
            yield stack
        finally:
            stack.close()


def local_session(
    key: str = ROOT_KEY, secret: str = ROOT_KEY, token: str | None = None
) -> boto3.Session:
    """A session that knows the emulator's root key, or another, and nothing of the user's AWS."""
    no_profile = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(
        botocore_session=botocore.session.Session(no_profile),
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        region_name=REGION,
    )


def _let_start(stack: LocalStack, output: str) -> None:
    """Give a function time to start, which the emulator takes off its time limit and Lambda does not.

    Where many callbacks meet a busy machine, each start would be cut off and begun anew for the next try.
    """
    stack.client("lambda").update_function_configuration(
        FunctionName=stack.outputs[output], Timeout=round(CALLBACK_ANSWER_SECONDS)
    )


def _how(setup: Setup) -> str:
    if setup.throttled_share:
        return f", {setup.throttled_share:.0%} of the functions' AWS calls throttled"
    return ", permissions enforced" if setup.enforce_iam else ""


def _create_api_key_secret(emulator: Emulator, runpod: RunPodEndpoint) -> None:
    """Do what the operator does before the first deployment."""
    client = local_session().client("secretsmanager", endpoint_url=emulator.url)
    try:
        client.create_secret(Name=API_KEY_SECRET, SecretString=runpod.api_key)
    finally:
        client.close()
