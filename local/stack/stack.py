"""The whole local stack: the template deployed to the emulator, and a RunPod endpoint."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import botocore.session

from cli.deployment import Deployment
from local.stack.build import build_folder, start_build
from local.stack.deploy import STACK_NAME, deploy
from local.stack.emulator import REGION, ROOT_KEY, Emulator, start_emulator
from local.stack.endpoint import OurEndpoint, start_endpoint
from local.stack.faults import FaultProxy, start_fault_proxy
from local.stack.loopback import checked_port
from local.stack.needs import ROOT
from local.stack.processes import Processes
from local.stack.setup import Setup
from local.stack.simulator import CALLBACK_ANSWER_SECONDS, RunPodEndpoint
from local.steps import Observer, SilentObserver, Step

API_KEY_SECRET = "runpod/api-key"  # noqa: S105 - its name; the template's default


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
        self.faults = faults  # between the functions and the emulator; not in front of this client
        self.runpod = runpod
        self.folder = processes.folder  # logs of everything, as long as the stack is up
        self._emulator = emulator
        self._processes = processes
        super().__init__(local_session(), STACK_NAME, endpoint_url=emulator.url)

    def deploy_another(
        self, stack_name: str, parameters: Mapping[str, str], *, source: Path = ROOT
    ) -> Deployment:
        """Deploy the same build again, with other parameters; or a build of another checkout.

        Close the Deployment afterwards.
        """
        if source != ROOT:
            start_build(self._processes, source=source).check_succeeded()
        deploy(
            local_session(),
            build_folder(self._processes, source),
            endpoint_url=self.endpoint_url,
            parameters={"RunpodApiEndpoint": self.runpod.url, **parameters},
            stack_name=stack_name,
        )
        deployment = Deployment(local_session(), stack_name, endpoint_url=self.endpoint_url)
        _expire_records(deployment)
        return deployment

    def check_running(self) -> None:
        """Raises StackError if the emulator has ended."""
        self._emulator.child.check_running()


@contextmanager
def local_stack(setup: Setup, observer: Observer | None = None) -> Iterator[LocalStack]:
    """Build and deploy; stop everything afterwards. Raises StackError."""
    observer = observer or SilentObserver()
    with Processes() as processes:
        observer.begin(Step.EMULATOR)
        port = checked_port(setup.port)
        faults = None
        if setup.throttled_share:
            faults = start_fault_proxy(processes, upstream=f"http://127.0.0.1:{port}")
        emulator = start_emulator(
            processes,
            python=setup.emulator_python,
            port=port,
            enforce_iam=setup.enforce_iam,
            functions_endpoint=faults.url if faults else setup.functions_endpoint,
        )
        observer.begin(Step.BUILD)
        build = start_build(processes)
        endpoint = setup.runpod or start_endpoint(setup, processes, observer)
        emulator.wait_until_ready()
        if faults:
            faults.wait_until_ready()
            faults.throttle(setup.throttled_share)
        observer.end(Step.EMULATOR, f"MiniStack at {emulator.url}{_how(setup)}")
        runpod = endpoint.wait_until_ready() if isinstance(endpoint, OurEndpoint) else endpoint
        _create_api_key_secret(emulator, runpod)
        build.check_succeeded()
        observer.end(Step.BUILD, "the functions, in parallel with the above")
        observer.begin(Step.DEPLOY)
        parameters = {"RunpodApiEndpoint": runpod.url, **setup.parameters}
        deploy(
            local_session(),
            build_folder(processes),
            endpoint_url=emulator.url,
            parameters=parameters,
        )
        stack = LocalStack(emulator, runpod, processes, faults)
        _allow_slow_start(stack, "WebhookReceiverFunction")
        _expire_records(stack)
        observer.end(Step.DEPLOY, f"template.yaml as stack {STACK_NAME}")
        try:
            yield stack
        finally:
            stack.close()


def local_session(
    key: str = ROOT_KEY, secret: str = ROOT_KEY, token: str | None = None
) -> boto3.Session:
    """Return a session with the emulator's root key, or another, and none of the user's AWS settings."""
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


def _allow_slow_start(stack: LocalStack, output: str) -> None:
    """Raise a function's timeout: the emulator counts its start towards it, which Lambda does not.

    On a busy machine with many callbacks, each start would time out and be repeated for the next delivery.
    """
    stack.client("lambda").update_function_configuration(
        FunctionName=stack.outputs[output], Timeout=round(CALLBACK_ANSWER_SECONDS)
    )


def _expire_records(deployment: Deployment) -> None:
    """Set the table's TTL, which the emulator leaves out of a template."""
    deployment.client("dynamodb").update_time_to_live(
        TableName=deployment.outputs["JobsTable"],
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )


def _how(setup: Setup) -> str:
    if setup.throttled_share:
        return f", {setup.throttled_share:.0%} of the functions' AWS calls throttled"
    return ", permissions enforced" if setup.enforce_iam else ""


def _create_api_key_secret(emulator: Emulator, runpod: RunPodEndpoint) -> None:
    """Create the secret as the operator does before the first deployment."""
    client = local_session().client("secretsmanager", endpoint_url=emulator.url)
    try:
        client.create_secret(Name=API_KEY_SECRET, SecretString=runpod.api_key)
    finally:
        client.close()
