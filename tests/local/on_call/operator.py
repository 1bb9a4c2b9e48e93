"""An operator at a terminal of 80 columns, whose stack is the local one.

The commands are those of the page, word for word. What a person would type besides is in the environment,
as each option's twin: where the stack is, and yes to every question.
"""

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.answers import Answers, write
from cli.deployment import Upload
from core.jobs.job import Job, JobState
from local.stack.emulator import REGION, ROOT_KEY
from local.stack.stack import LocalStack
from local.waiting import wait_for
from runpod_simulator import Simulator
from tests.local.conftest import short_transcript

KEY = "calls/board.txt"  # the file of the page's commands
API_KEY = "local-key-of-one-endpoint-4711"
MANAGEMENT_KEY = "local-key-of-the-account-4712"
_ASKING = (
    "RETRY", "GET", "CANCEL", "REDRIVE", "FORGET", "STOP", "RESUME", "DEPLOY", "SECRET_ROTATE",
    "SECRET_SET_KEY", "ENDPOINT", "NOTICES_REPLAY",
)  # fmt: skip
# These ask RunPod's management API, with a key that only a person has.
_OF_THE_ACCOUNT = frozenset({"doctor", "endpoint"})
_LONGEST_SECONDS = 180.0


@dataclass
class Operator:
    stack: LocalStack
    simulator: Simulator
    monkeypatch: pytest.MonkeyPatch
    folder: Path
    build: Path  # by SAM, of the release that is checked out
    new_key: str = API_KEY  # that RunPod's console has given
    typed: list[tuple[Sequence[str], Result]] = field(default_factory=list)

    def type(self, words: Sequence[str]) -> Result:
        """Run a command of the page. It may say that something is wrong, but not that it can't be typed."""
        result = CliRunner().invoke(main, words[1:], env=self._environment(words[1]))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.typed.append((words, result))
        assert result.exit_code != 2, result.output
        for secret in (API_KEY, MANAGEMENT_KEY):
            assert secret not in result.output
        return result

    def told(self, *words: str) -> dict[str, Any]:
        result = CliRunner(mix_stderr=False).invoke(
            main, [*words, "--json"], env=self._environment(words[0])
        )
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    def upload(self, marker: str, key: str = KEY) -> Upload:
        return self.stack.upload(short_transcript(marker), key)

    def wait_for_request(self, marker: str) -> str:
        """Return the id of the first request that RunPod has with a word in it."""

        def found() -> str | None:
            jobs = [each for each in self.simulator.jobs() if marker in str(each.input)]
            return jobs[0].id if jobs else None

        return wait_for(found, what="a request at RunPod", timeout_seconds=_LONGEST_SECONDS)

    def newest_job(self, key: str = KEY) -> Job | None:
        newest = self.stack.client("s3").head_object(
            Bucket=self.stack.outputs["InputBucket"], Key=key
        )
        upload = Upload(
            self.stack.outputs["InputBucket"], key, newest["VersionId"], newest["ETag"].strip('"')
        )
        history = self.stack.history(upload)
        return history.job if history else None

    def wait_until_summarised(self, key: str = KEY, *, sweeps: bool = False) -> Job:
        """Wait for the newest version of a file; `sweeps` does what the schedule does every few minutes."""

        def ended() -> Job | None:
            if sweeps:
                self.stack.invoke_sweeper()
            job = self.newest_job(key)
            return job if job and job.is_final else None

        job = wait_for(ended, what=f"the summary of {key}", timeout_seconds=_LONGEST_SECONDS)
        assert job.state is JobState.SUCCEEDED, job.reason
        return job

    def end_what_moves(self) -> None:
        """End what another situation has left under way: all are about the same file."""

        # A message that broke a function would come again in the midst of another situation.
        sqs, queue = self.stack.client("sqs"), self.stack.outputs["UploadQueueUrl"]
        sqs.purge_queue(QueueUrl=queue)

        def is_still() -> bool | None:
            if self.told("list", "--state", "active")["jobs"]:
                self.told("cancel", "--all")
                return None
            # What `cancel` found in somebody's hands is the sweeper's to end.
            if any(self.stack.store.due(datetime.now(UTC) + timedelta(days=2))):
                self.stack.invoke_sweeper()
                return None
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
            return all(asked["Attributes"][name] == "0" for name in names) or None

        wait_for(is_still, what="an end of all jobs", timeout_seconds=_LONGEST_SECONDS)

    def wait_until_due(self) -> None:
        """Wait until the sweeper has something to do about the newest job."""

        def is_due() -> bool | None:
            job = self.newest_job()
            due = self.stack.store.due(datetime.now(UTC))
            return (job and any(job_id == job.id for job_id, _ in due)) or None

        wait_for(is_due, what="a due call", timeout_seconds=_LONGEST_SECONDS)

    def let_five_minutes_pass(self) -> None:
        """Let functions forget the secrets that they keep, and held calls be due."""
        self.functions_forget()
        job = self.newest_job()
        for call in self.stack.store.history(job.id)[1] if job else ():
            self.stack.store.save_call(call.with_due_at(datetime.now(UTC)))
        job = self.newest_job()
        assert job
        for call in self.stack.store.history(job.id)[1]:
            self.stack.store.save_call(call.with_due_at(datetime.now(UTC)))

    def functions_forget(self) -> None:
        """Let functions forget the secrets that they keep for five minutes."""
        self.functions_changed(lambda held: held)

    def functions_changed(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Change the submitter's environment by hand; whatever the change, its processes begin anew."""
        client, name = self.stack.client("lambda"), self.stack.outputs["SubmitterFunction"]
        held = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": change(held)}
        )

    def wait_for_log(self, text: str) -> None:
        def is_there() -> bool | None:
            return any(text in line for line in self.stack.logs("SubmitterFunction")) or None

        wait_for(is_there, what=f"{text!r} in the log", timeout_seconds=_LONGEST_SECONDS)

    def secret(self) -> dict[str, str]:
        value = self.stack.client("secretsmanager").get_secret_value(
            SecretId=self.stack.outputs["CallbackSecret"]
        )
        return dict(json.loads(value["SecretString"]))

    def _environment(self, command: str) -> dict[str, str | None]:
        answers = self.folder / "deploy.toml"
        if not answers.exists():
            parameters = {
                "RunpodApiEndpoint": self.simulator.url,
                "RunpodApiKeySecretName": "runpod/api-key",
                "AlarmEmail": "",
                "SweepScheduleMinutes": "5",
                "CallbackOverdueSeconds": "5",
                "MaxAttempts": "1",
            }
            write(
                answers,
                Answers(stack_name=self.stack.stack_name, region=REGION, parameters=parameters),
            )
        is_account = command in _OF_THE_ACCOUNT
        return {
            "COLUMNS": "80",
            "SUMMARIES_STACK": "local",
            "LOCAL_PORT": str(urlsplit(self.stack.endpoint_url).port),
            "RUNPOD_MANAGEMENT_URL": self.simulator.origin,
            "RUNPOD_API_KEY": MANAGEMENT_KEY
            if is_account
            else self.new_key
            if command == "secret"
            else "",
            "SUMMARIES_ANSWERS": str(answers),
            "SUMMARIES_DEPLOY_ANSWERS": str(answers),
            **{f"SUMMARIES_{name}_YES": "1" for name in _ASKING},
            **(self.aws_environment if command == "deploy" else {}),
        }

    @property
    def aws_environment(self) -> dict[str, str]:
        """What `deploy` and SAM go by, which know of no local stack."""
        return {
            "AWS_ENDPOINT_URL": self.stack.endpoint_url,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "SAM_CLI_POLL_DELAY": "0.2",
        }


def printed(operator: Operator) -> str:
    """Return all that was typed and answered, for whoever writes the page."""
    out = io.StringIO()
    for words, result in operator.typed:
        out.write(f"$ {' '.join(words)}\n{result.output}[{result.exit_code}]\n\n")
    return out.getvalue()


class Clock:
    """Time for a rotation, which would take more than an hour."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._ahead, UTC)

    def pause(self, seconds: float) -> None:
        self._ahead += seconds
