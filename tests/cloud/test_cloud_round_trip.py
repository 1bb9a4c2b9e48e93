"""One transcript through the deployed stack and a real model: minutes, and the GPU's price for them.

The transcript and its summary stay where they are, for somebody to read.
"""

import time
import uuid

import pytest

from local.stack.needs import ROOT
from tests.cloud.conftest import Cloud
from tests.local.checks import assert_summarised

pytestmark = pytest.mark.cloud

_SAMPLE = ROOT / "samples/weekly-standup.txt"
_NAMES_IN_IT = {"Zoë", "Marek", "Aoife", "Jonas"}


def test_a_transcript_becomes_a_summary_in_the_cloud(cloud: Cloud) -> None:
    minutes = float(cloud.settings.get("CLOUD_TEST_MINUTES", "30"))
    begun_at = time.monotonic()
    key = f"{input_prefix(cloud)}cloud-test/{uuid.uuid4().hex}/{_SAMPLE.name}"
    upload = cloud.stack.upload(_SAMPLE, key)

    history = cloud.stack.wait_for_job(upload, timeout_seconds=minutes * 60)

    stored = assert_summarised(cloud.stack, upload, history)
    seconds = time.monotonic() - begun_at
    print(
        f"\n{len(stored.text.split()):,} words in {seconds:.0f} s: s3://{stored.bucket}/{stored.key}"
    )
    assert history.job.summary
    assert history.job.summary.finish_reason == "stop"
    assert sum(name in stored.text for name in _NAMES_IN_IT) >= 2  # it is about this meeting
    events = [event.what for event in history.events]
    assert events[0] == "recorded"
    assert "submitted -> publishing" in events


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("RUNPOD_API_ENDPOINT", "SubmitterFunction"),
        ("OUTPUT_BUCKET", "WebhookReceiverFunction"),
        ("MAX_POLLING_ATTEMPTS", "SweeperFunction"),
        ("POLLING_INTERVAL", "SweeperFunction"),
    ],
)
def test_the_stack_was_deployed_with_the_settings_of_env(
    cloud: Cloud, name: str, function: str
) -> None:
    if name not in cloud.settings:
        pytest.skip(f"{name} is not set: the template's default holds")

    assert environment_of(cloud, function)[name] == cloud.settings[name].rstrip("/")


def input_prefix(cloud: Cloud) -> str:
    return environment_of(cloud, "SubmitterFunction")["INPUT_PREFIX"]


def environment_of(cloud: Cloud, output: str) -> dict[str, str]:
    function = cloud.stack.client("lambda").get_function_configuration(
        FunctionName=cloud.stack.outputs[output]
    )
    return dict(function["Environment"]["Variables"])
