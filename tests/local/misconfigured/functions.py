"""The key, the secrets, and the functions with their settings."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import requests

from cli.doctor import templates
from local.stack.stack import API_KEY_SECRET
from runpod_simulator import Config, running_simulator
from tests.local.misconfigured.world import (
    API_KEY,
    World,
    environment,
    planted,
    reserved,
)


@contextmanager
def secret_holds(world: World, name: str, value: str) -> Iterator[None]:
    manager = world.client("secretsmanager")
    before = manager.get_secret_value(SecretId=name)["SecretString"]
    manager.put_secret_value(SecretId=name, SecretString=value)
    yield
    manager.put_secret_value(SecretId=name, SecretString=before)


@planted("the key is still a placeholder", "runpod-key")
def placeholder(world: World) -> Iterator[None]:
    with secret_holds(world, API_KEY_SECRET, "REPLACE-ME-with-your-key"):
        yield


@planted("the key was revoked", "key-refused")
def revoked(world: World) -> Iterator[None]:
    with secret_holds(world, API_KEY_SECRET, "rpa_0000000000000000000000000000"):
        yield


@planted("the key may manage the account", "key-restricted")
def unrestricted(world: World) -> Iterator[None]:
    with running_simulator(Config(api_key=API_KEY)) as other:
        reach, world.reach = (
            world.reach,
            replace(world.reach, management_url=other.origin, management_key=""),
        )
        with environment(world, RUNPOD_API_ENDPOINT=other.url):
            yield
        world.reach = reach


@planted("the callback secret is no JSON", "callback-secret")
def no_json(world: World) -> Iterator[None]:
    with secret_holds(world, world.output("CallbackSecret"), "something"):
        yield


@planted("the endpoint was deleted", "endpoint-known", "endpoint-managed")
def deleted(world: World) -> Iterator[None]:
    with environment(world, RUNPOD_API_ENDPOINT=f"{world.simulator.origin}/v2/gone"):
        yield


@planted("the sweeper asks another endpoint", "endpoint-alike")
def another_endpoint(world: World) -> Iterator[None]:
    gone = f"{world.simulator.origin}/v2/gone"
    with environment(world, of=("SweeperFunction",), RUNPOD_API_ENDPOINT=gone):
        yield


@planted("a setting is no number", "settings")
def no_number(world: World) -> Iterator[None]:
    with environment(world, of=("SubmitterFunction",), TOP_P="nine"):
        yield


@planted("a request may run a minute", "execution-timeout")
def short_timeout(world: World) -> Iterator[None]:
    with environment(world, of=("SubmitterFunction",), EXECUTION_TIMEOUT_SECONDS="60"):
        yield


@planted("summaries go where transcripts come from", "own-output")
def own_output(world: World) -> Iterator[None]:
    with environment(world, OUTPUT_BUCKET=world.output("InputBucket")):
        yield


@planted("somebody has stopped the submitter", "reserved-concurrency")
def stopped(world: World) -> Iterator[None]:
    with reserved(world, "SubmitterFunction", 0):
        yield


@planted("other functions have reserved the account's executions", "account-concurrency")
def few_executions(world: World) -> Iterator[None]:
    left = world.client("lambda").get_account_settings()["AccountLimit"]
    with reserved(world, "SweeperFunction", left["UnreservedConcurrentExecutions"] - 8):
        yield


@planted("the submitter's trigger is disabled", "submitter-fed")
def not_fed(world: World) -> Iterator[None]:
    with disabled_trigger(world, "SubmitterFunction"):
        yield


@planted("the notifier's trigger is disabled", "notices-fed")
def nobody_told(world: World) -> Iterator[None]:
    with disabled_trigger(world, "NotifierFunction"):
        yield


@contextmanager
def disabled_trigger(world: World, output: str) -> Iterator[None]:
    functions, name = world.client("lambda"), world.output(output)
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@planted("the functions' code is older than the checkout", "code-age")
def older_code(world: World) -> Iterator[None]:
    functions, name = world.client("lambda"), world.output("SubmitterFunction")
    url = functions.get_function(FunctionName=name)["Code"]["Location"]
    now = requests.get(url, timeout=30).content
    functions.update_function_code(FunctionName=name, ZipFile=_with_older_words(now))
    yield
    functions.update_function_code(FunctionName=name, ZipFile=now)


def _with_older_words(archive: bytes) -> bytes:
    older = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as now, zipfile.ZipFile(older, "w") as zipped:
        for info in now.infolist():
            extra = b"# as it was\n" if info.filename == "core/words.py" else b""
            zipped.writestr(info, now.read(info) + extra)
    return older.getvalue()


@planted("the checkout's template is newer", "template-age")
def newer_template(world: World) -> Iterator[None]:
    newer = templates.of_checkout().replace(
        "MessageRetentionPeriod: 345600", "MessageRetentionPeriod: 9"
    )
    with world.monkeypatch.context() as patch:
        patch.setattr(templates, "of_checkout", lambda: newer)
        yield
