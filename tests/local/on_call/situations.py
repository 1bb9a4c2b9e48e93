"""The situations: each is planted, then the operator's turn comes, then it has to be over."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import requests

from core.jobs.job import JobState
from core.notices.dead_end import DeadEnd
from local.stack.stack import API_KEY_SECRET
from local.waiting import wait_for
from tests.local.conftest import new_marker, notification
from tests.local.on_call.operator import KEY, MANAGEMENT_KEY, Clock, Operator, printed

Situation = Callable[[Operator], AbstractContextManager[None]]
SITUATIONS: dict[str, Situation] = {}
_RETENTION = '"MessageRetentionPeriod": 345600'
_Plant = Callable[[Operator], Iterator[None]]


def situation(section: str) -> Callable[[_Plant], _Plant]:
    def add(plant: _Plant) -> _Plant:
        assert section not in SITUATIONS
        SITUATIONS[section] = contextmanager(plant)
        return plant

    return add


@situation("A failed job")
def failed_job(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    operator.simulator.use("worker-error", next_jobs=1, containing=marker)
    failed = operator.stack.wait_for_job(operator.upload(marker)).job
    assert failed.state is JobState.FAILED
    yield
    assert operator.wait_until_summarised().id != failed.id


@situation("A stuck job")
def stuck_job(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    change_endpoint(operator, workers={"max": 0})
    operator.simulator.show_workers(idle=0, ready=0, running=0, initializing=0)
    operator.simulator.use("no-workers", next_jobs=1, containing=marker)
    operator.upload(marker)
    request = operator.wait_for_request(marker)
    yield
    operator.simulator.show_workers()
    operator.wait_until_summarised()
    (stuck,) = [each for each in operator.simulator.jobs() if each.id == request]
    assert str(stuck.status) == "CANCELLED"
    assert change_endpoint(operator)["workers"]["max"] > 0


@situation("Lost callbacks")
def lost_callbacks(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    operator.simulator.use("lost-webhook", next_jobs=1, containing=marker)
    operator.upload(marker)
    operator.wait_for_request(marker)
    operator.wait_until_due()
    yield
    operator.wait_until_summarised()


@situation("Dead letters")
def dead_letters(operator: Operator) -> Iterator[None]:
    sqs, outputs = operator.stack.client("sqs"), operator.stack.outputs
    with switched_off(operator):
        upload = operator.upload(new_marker())
        sqs.purge_queue(QueueUrl=outputs["UploadQueueUrl"])
    sqs.send_message(QueueUrl=outputs["UploadDeadLetterQueueUrl"], MessageBody=notification(upload))
    assert operator.newest_job() is None
    yield
    operator.wait_until_summarised()
    assert operator.told("status")["dead_letters"] == 0


@situation("Rotating the callback secret")
def rotation(operator: Operator) -> Iterator[None]:
    before, clock = operator.secret(), Clock()
    with operator.monkeypatch.context() as patch:
        patch.setattr("cli.operating.secrets.now", clock.now)
        patch.setattr("cli.operating.secrets._pause", clock.pause)
        yield
    after = operator.secret()
    assert after["previous"] == ""
    assert after["current"] != before["current"]
    operator.functions_forget()
    operator.upload(new_marker())
    operator.wait_until_summarised(sweeps=True)


@situation("A leaked secret")
def leaked_secret(operator: Operator) -> Iterator[None]:
    before, marker = operator.secret(), new_marker()
    operator.simulator.use("slow=5", containing=marker)
    operator.upload(marker)
    operator.wait_for_request(marker)
    yield
    after = operator.secret()
    assert before["current"] not in after.values()
    operator.functions_forget()
    operator.wait_until_summarised(sweeps=True)


@situation("A new RunPod key")
def new_key(operator: Operator) -> Iterator[None]:
    secrets = operator.stack.client("secretsmanager")
    revoked = "rpa_0000000000000000000000000000"
    secrets.put_secret_value(SecretId=API_KEY_SECRET, SecretString=revoked)
    marker = new_marker()
    # The functions keep a key for some minutes. RunPod's first refusal makes them fetch it again.
    operator.simulator.use("unauthorized", containing=marker)
    operator.upload(marker)
    operator.wait_for_log("held")
    operator.simulator.clear()
    yield
    assert secrets.get_secret_value(SecretId=API_KEY_SECRET)["SecretString"] == operator.new_key
    operator.let_five_minutes_pass()
    operator.wait_until_summarised(sweeps=True)


@situation("A bad prompt")
def bad_prompt(operator: Operator) -> Iterator[None]:
    operator.upload(new_marker())
    bad = operator.wait_until_summarised()
    yield
    assert operator.wait_until_summarised().id != bad.id
    assert (operator.folder / "board.html").exists()


@situation("A privacy request")
def privacy(operator: Operator) -> Iterator[None]:
    operator.upload(new_marker())
    job = operator.wait_until_summarised()
    yield
    assert operator.stack.history_of(job.id) is None, printed(operator)
    listed = operator.stack.client("s3").list_object_versions(
        Bucket=operator.stack.outputs["InputBucket"], Prefix=KEY
    )
    assert not listed.get("Versions")
    # What the page says of its end.
    assert operator.type(["summaries", "forget", KEY, "--dry-run"]).exit_code == 3


@situation("A cost surprise")
def cost_surprise(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    operator.simulator.use("no-workers", containing=marker)
    for number in range(3):
        operator.upload(marker, f"calls/many-{number}.txt")
    wait_for(
        lambda: len(open_requests(operator, marker)) == 3 or None,
        what="three requests",
        timeout_seconds=60,
    )
    yield
    assert open_requests(operator, marker) == []
    operator.simulator.clear()
    assert operator.told("status")["switched_off"] == []


@situation("An upgrade")
def upgrade(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    deploy_another_release(operator)
    assert {"template-age", "code-age"} <= found(operator)
    operator.simulator.use("slow=20", containing=marker)
    operator.upload(marker)
    operator.wait_for_request(marker)
    yield
    assert not {"template-age", "code-age"} & found(operator)
    operator.wait_until_summarised(sweeps=True)


@situation("A rollback")
def rollback(operator: Operator) -> Iterator[None]:
    deploy_another_release(operator)
    yield
    assert not {"template-age", "code-age", "sweep-schedule", "submitter-fed"} & found(operator)
    operator.upload(new_marker())
    operator.wait_until_summarised(sweeps=True)


@situation("A full stop")
def full_stop(operator: Operator) -> Iterator[None]:
    operator.upload(new_marker())
    operator.wait_until_summarised()
    yield
    assert operator.told("status")["switched_off"] == []
    operator.upload(new_marker())
    operator.wait_until_summarised()


@situation("A RunPod outage")
def outage(operator: Operator) -> Iterator[None]:
    marker = new_marker()
    operator.simulator.use("worker-lost", next_jobs=1, containing=marker)
    assert operator.stack.wait_for_job(operator.upload(marker)).job.state is JobState.FAILED
    yield
    operator.wait_until_summarised()


@situation("A wrong summary")
def wrong_summary(operator: Operator) -> Iterator[None]:
    operator.upload(new_marker())
    wrong = operator.wait_until_summarised()
    yield
    assert operator.wait_until_summarised().id != wrong.id


@situation("A function in trouble")
def function_in_trouble(operator: Operator) -> Iterator[None]:
    operator.functions_changed(lambda held: held | {"TOP_P": "nine"})
    operator.upload(new_marker())
    operator.wait_for_log("TOP_P")
    yield
    operator.functions_changed(lambda held: held | {"TOP_P": "0.9"})
    assert all("TOP_P" in result.output for _, result in operator.typed)


@situation("Notices that did not arrive")
def notices(operator: Operator) -> Iterator[None]:
    job = operator.stack.wait_for_job(operator.upload(new_marker())).job
    dead_end = DeadEnd(operator.stack.client("sqs"), operator.stack.outputs["NoticeDeadEndUrl"])
    why = "EventBridge refuses it (InternalFailure)"
    dead_end.keep_untold(job.id, why=why, at=datetime.now(UTC))
    yield
    assert operator.told("status")["dead_notices"] == 0


def found(operator: Operator) -> set[str]:
    """Return the checks of the doctor that have found something."""
    report = operator.told("doctor", "--skip", "webhook-answers")
    return {each["check"] for each in (*report["errors"], *report["warnings"])}


def deploy_another_release(operator: Operator) -> None:
    """Deploy the stack from a checkout with other code and another template, whichever is the newer."""
    other = operator.folder / "another-release"
    if not other.exists():
        shutil.copytree(operator.build, other)
        for function in ("SubmitterFunction", "WebhookReceiverFunction", "SweeperFunction"):
            with (other / function / "core" / "words.py").open("a") as file:
                file.write("# of another release\n")
        template = (other / "template.yaml").read_text()
        assert _RETENTION in template
        (other / "template.yaml").write_text(
            template.replace(_RETENTION, '"MessageRetentionPeriod": 345000')
        )
    own, operator.build = operator.build, other
    operator.type(["summaries", "deploy"])
    operator.build = own
    operator.typed.clear()


def change_endpoint(operator: Operator, **body: Any) -> dict[str, Any]:
    """What somebody does in RunPod's console; without a change, the endpoint as it is."""
    url = f"{operator.simulator.origin}/v2/serverless/{operator.simulator.config.endpoint}"
    headers = {"Authorization": f"Bearer {MANAGEMENT_KEY}"}
    answer = requests.patch(url, json=body, headers=headers, timeout=20)
    assert answer.ok, answer.text
    return dict(answer.json())


def open_requests(operator: Operator, marker: str) -> list[str]:
    jobs = [each for each in operator.simulator.jobs() if marker in str(each.input)]
    return [each.id for each in jobs if str(each.status) in {"IN_QUEUE", "IN_PROGRESS"}]


@contextmanager
def switched_off(operator: Operator) -> Iterator[None]:
    """Let uploads lie in the queue."""
    functions, name = operator.stack.client("lambda"), operator.stack.outputs["SubmitterFunction"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
