"""Roles are enforced, and logs hold no secret."""

import json
from collections.abc import Callable

from core.jobs.call import CallState
from local.stack.needs import ROOT
from tests.local.checks import assert_summarised, sentences_of
from tests.local.conftest import Local
from tests.local.grants import FUNCTIONS, Grant, role_of


def test_a_receiver_whose_role_lacks_an_action_is_refused_and_nothing_is_lost(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    """The control of all other tests here: with AUTH off, or a lax emulator, this one fails."""
    role = role_of(local.stack, "WebhookReceiverFunction")
    with role.without(Grant("dynamodb:UpdateItem", "table")):
        upload = local.stack.upload(transcript(marker), f"{marker}.txt")
        runpod_id = local.wait_for_runpod_job(marker).id
        local.simulator.wait_until(lambda _: len(local.answers_to(runpod_id)) == 3, 30)

        refused = local.stack.history(upload)

    assert all(answer is None or answer >= 500 for answer in local.answers_to(runpod_id))
    assert any("AccessDenied" in line for line in local.stack.logs("WebhookReceiverFunction"))
    assert refused
    assert refused.calls[0].state is CallState.SUBMITTED
    local.sweep_when_due(upload)
    assert_summarised(local.stack, upload, local.stack.wait_for_job(upload, timeout_seconds=5))


def test_a_submitter_whose_role_lacks_an_action_sends_nothing_to_runpod(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    role = role_of(local.stack, "SubmitterFunction")
    with role.without(Grant("dynamodb:PutItem", "table")):
        upload = local.stack.upload(transcript(marker), f"{marker}.txt")
        local.wait_for_log("SubmitterFunction", "AccessDenied")

        assert local.stack.history(upload) is None
        assert local.runpod_jobs(marker) == []
        local.purge_queue()  # the refused message would come back in six minutes


def test_logs_hold_no_token_key_url_or_text(
    local: Local, transcript: Callable[[str], str], marker: str
) -> None:
    sample = ROOT / "samples/weekly-standup.txt"
    good = local.stack.upload(sample, f"{marker}/good.txt")
    bad = local.stack.upload(b"", f"{marker}/bad.txt")
    local.simulator.use("context-length", containing=marker)
    failing = local.stack.upload(transcript(marker), f"{marker}/failing.txt")
    jobs = [local.stack.wait_for_job(upload) for upload in (good, bad, failing)]
    webhooks = [delivery.url for delivery in local.simulator.deliveries()]
    local.post(webhooks[-1][:-1] + "_", {"id": "x", "status": "COMPLETED"})
    local.stack.invoke_sweeper()

    lines = {output: local.stack.logs(output) for output in FUNCTIONS}

    logged = "\n".join(line for each in lines.values() for line in each)
    for job in jobs:
        assert job.job.id in logged  # so these are the logs of what was just done
    assert "callback refused: token" in logged
    assert any('"swept"' in line for line in lines["SweeperFunction"])
    summary = local.stack.summary(jobs[0].job).text
    secret = local.stack.client("secretsmanager").get_secret_value(
        SecretId=local.stack.outputs["CallbackSecret"]
    )
    private = {
        "the RunPod key": {local.simulator.api_key},
        "the callback secret": {json.loads(secret["SecretString"])["current"]},
        "a token": {url.rpartition("/")[2] for url in webhooks},
        "a webhook URL": {"/webhook/", local.stack.outputs["WebhookUrl"]},
        "the transcript": sentences_of(sample.read_text(encoding="utf-8")),
        "the summary": sentences_of(summary),
    }
    found = {name for name, texts in private.items() if any(text in logged for text in texts)}
    assert found == set()
    assert all(private.values())
