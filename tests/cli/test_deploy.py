"""The operator's `deploy` and `destroy`, over moto's AWS, with SAM left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
import responses
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto import mock_aws

from cli import deploy as use_case
from cli.__main__ import main
from cli.answers import Answers, read, write
from cli.leftovers import announce_by_eventbridge

ENDPOINT = "https://api.runpod.invalid/v2/abc123"
KEY = "rpa_" + "A1b2C3d4" * 5
STACK = "transcript-summaries"
INPUT = f"{STACK}-transcripts-123456789012-us-east-1"
OUTPUT = f"summaries-{STACK}-123456789012-us-east-1"


class Formation:
    """The little of CloudFormation that is used; moto's needs many more packages."""

    def __init__(self) -> None:
        self.stacks: dict[str, str] = {}

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        if StackName not in self.stacks:
            error = {"Code": "ValidationError", "Message": "Stack does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        outputs = {"InputBucket": "in", "OutputBucket": "out"}
        stored = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        return {"Stacks": [{"StackStatus": self.stacks[StackName], "Outputs": stored}]}


@dataclass
class Desk:
    """A terminal, or none, before an AWS account."""

    file: Path
    runpod: responses.RequestsMock
    formation: Formation
    sam: list[list[str]] = field(default_factory=list)

    def run(self, *arguments: str, **environment: str) -> Result:
        command = [arguments[0], "--answers", str(self.file), *arguments[1:]]
        return CliRunner().invoke(main, command, env=environment)

    def deploy(self, *arguments: str, **environment: str) -> Result:
        return self.run("deploy", "--endpoint", ENDPOINT, *arguments, **environment)

    def refused(self, *arguments: str, **environment: str) -> str:
        result = self.deploy(*arguments, **environment)
        assert result.exit_code == 1, result.output
        assert self.sam == []
        return result.output

    @property
    def overrides(self) -> list[str]:
        options = self.sam[-1]
        return sorted(options[options.index("--parameter-overrides") + 1 :])


def store_key(value: str = KEY) -> None:
    boto3.client("secretsmanager").create_secret(Name="runpod/api-key", SecretString=value)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with mock_aws(), responses.RequestsMock(assert_all_requests_are_fired=False) as runpod:
        runpod.get(f"{ENDPOINT}/health", json={"workers": {}})
        desk = Desk(tmp_path / "deploy.toml", runpod, Formation())

        def sam(command: str, *options: str) -> None:
            desk.sam.append([command, *options])
            if command == "deploy":
                name = options[options.index("--stack-name") + 1]
                desk.formation.stacks[name] = "CREATE_COMPLETE"

        make = boto3.Session.client

        def client(session: boto3.Session, service: str, *rest: Any, **options: Any) -> Any:
            if service == "cloudformation":
                return desk.formation
            return make(session, service, *rest, **options)

        monkeypatch.setattr(boto3.Session, "client", client)
        monkeypatch.setattr(use_case, "_sam", sam)
        yield desk


class TestDeploying:
    def test_with_every_option_given_builds_and_deploys_without_asking(self, desk: Desk) -> None:
        store_key()

        result = desk.deploy("--alarm-email", "ops@example.org", "--parameter", "MaxAttempts=2")

        assert result.exit_code == 0, result.output
        assert [command[0] for command in desk.sam] == ["build", "deploy"]
        assert "--no-confirm-changeset" in desk.sam[1]
        assert desk.overrides == [
            'AlarmEmail="ops@example.org"',
            'MaxAttempts="2"',
            f'RunpodApiEndpoint="{ENDPOINT}"',
        ]

    def test_says_what_to_do_next(self, desk: Desk) -> None:
        store_key()

        output = desk.deploy("--alarm-email", "ops@example.org").output

        assert "summaries submit meeting.txt --wait\n" in output
        assert "Confirm the subscription" in output

    def test_a_second_time_asks_for_nothing(self, desk: Desk) -> None:
        store_key()
        desk.deploy("--parameter", "Mode=pull")

        assert desk.run("deploy").exit_code == 0
        assert desk.overrides == ['Mode="pull"', f'RunpodApiEndpoint="{ENDPOINT}"']

    def test_stores_a_key_from_the_environment_and_keeps_it_nowhere_else(self, desk: Desk) -> None:
        result = desk.deploy(RUNPOD_API_KEY=KEY)

        held = boto3.client("secretsmanager").get_secret_value(SecretId="runpod/api-key")
        assert held["SecretString"] == KEY
        assert KEY not in result.output + desk.file.read_text() + str(desk.sam)

    def test_asks_three_things_at_a_terminal_and_again_what_is_nonsense(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store_key()
        monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)

        result = CliRunner().invoke(
            main,
            ["deploy", "--answers", str(desk.file)],
            input=f"nonsense\n{ENDPOINT}/\n\n\n",
        )

        assert result.exit_code == 0, result.output
        assert "must be https://host/path" in result.output
        assert f'RunpodApiEndpoint="{ENDPOINT}"' in desk.overrides


class TestNothingIsBuilt:
    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("MaxAttempts=9", "MaxAttempts must be from 1 to 5"),
            ("MaxAttempts=many", "MaxAttempts must be a number"),
            ("Mode=shove", "Mode must be one of push, pull"),
            ("AlarmEmail=me", "AlarmEmail must match"),
            ("SummaryLanguage=" + "x" * 50, "40 characters at most"),
            ("MaxAttemps=2", "MaxAttemps is no parameter"),
            ("WorkFileRetentionDays=1", "WorkFileRetentionDays must be one of 2, 3"),
        ],
    )
    def test_for_a_value_that_the_template_refuses(self, desk: Desk, value: str, why: str) -> None:
        assert why in desk.refused("--parameter", value)

    def test_without_an_endpoint(self, desk: Desk) -> None:
        assert "RunpodApiEndpoint is required" in desk.run("deploy").output

    def test_without_credentials(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        class Nobody(boto3.Session):
            def get_credentials(self) -> Any:
                return None

            def client(self, *args: Any, **options: Any) -> Any:
                from botocore.exceptions import NoCredentialsError

                raise NoCredentialsError

        monkeypatch.setattr(boto3, "Session", Nobody)

        assert "no AWS credentials were found: run `aws configure`" in desk.refused()

    def test_without_a_region(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

        class Nowhere(boto3.Session):
            def client(self, *args: Any, **options: Any) -> Any:
                from botocore.exceptions import NoRegionError

                raise NoRegionError

        monkeypatch.setattr(boto3, "Session", Nowhere)

        assert "no AWS Region is set" in desk.refused()

    def test_without_the_key(self, desk: Desk) -> None:
        assert "secret runpod/api-key does not exist" in desk.refused()

    @pytest.mark.parametrize(
        "held", ["changeme", "<your RunPod API key goes here>", "to be set " * 4]
    )
    def test_for_a_placeholder(self, desk: Desk, held: str) -> None:
        store_key(held)

        assert "a placeholder" in desk.refused()

    @pytest.mark.parametrize(
        ("status", "why"), [(401, "refuses the key"), (404, "no endpoint abc123"), (502, "502")]
    )
    def test_for_an_endpoint_that_runpod_does_not_answer_for(
        self, desk: Desk, status: int, why: str
    ) -> None:
        store_key()
        desk.runpod.replace("GET", f"{ENDPOINT}/health", status=status)

        output = desk.refused()

        assert why in output
        assert KEY not in output

    def test_for_an_endpoint_that_is_out_of_reach(self, desk: Desk) -> None:
        store_key()
        desk.runpod.replace("GET", f"{ENDPOINT}/health", body=requests.ConnectionError())

        assert "can't be reached" in desk.refused()

    @pytest.mark.parametrize("name", ["Summaries", "a_b", "a-name-that-is-far-too-long", "1st"])
    def test_for_a_name_that_no_bucket_can_have(self, desk: Desk, name: str) -> None:
        assert "lower-case letters" in desk.refused("--stack-name", name)


class TestAfterAnEarlierStack:
    @pytest.fixture(autouse=True)
    def buckets(self, desk: Desk) -> None:
        store_key()
        for bucket in (INPUT, OUTPUT):
            boto3.client("s3").create_bucket(Bucket=bucket)

    def test_its_buckets_are_taken_on(self, desk: Desk) -> None:
        assert desk.deploy().exit_code == 0

        assert f'InputBucketName="{INPUT}"' in desk.overrides
        assert f'OutputBucketName="{OUTPUT}"' in desk.overrides

    def test_a_retention_that_would_do_nothing_there_is_refused(self, desk: Desk) -> None:
        output = desk.refused("--parameter", "TranscriptRetentionDays=30")

        assert f"{INPUT} is given: set it to 0" in output
        assert desk.deploy("--parameter", "TranscriptRetentionDays=0").exit_code == 0

    def test_the_next_deployment_uses_them_again(self, desk: Desk) -> None:
        desk.deploy()

        desk.run("deploy")

        assert f'InputBucketName="{INPUT}"' in desk.overrides

    def test_an_existing_stack_keeps_making_its_own(self, desk: Desk) -> None:
        desk.formation.stacks[STACK] = "UPDATE_COMPLETE"

        assert desk.deploy().exit_code == 0
        assert not any("BucketName" in each for each in desk.overrides)


def test_a_bucket_that_is_taken_on_announces_by_eventbridge_and_not_to_a_queue_that_is_gone() -> (
    None
):
    put: dict[str, Any] = {}

    class S3:
        def get_bucket_notification_configuration(self, **_: Any) -> Any:
            arns = [f"arn:aws:sqs:us-east-1:1:{name}" for name in (f"{STACK}-Upload-1", "others")]
            return {"QueueConfigurations": [{"QueueArn": arn} for arn in arns]}

        def put_bucket_notification_configuration(self, **request: Any) -> None:
            put.update(request["NotificationConfiguration"])

    class Session:
        def client(self, service: str) -> S3:
            return S3()

    announce_by_eventbridge(Session(), INPUT, STACK)  # type: ignore[arg-type]

    assert put == {
        "EventBridgeConfiguration": {},
        "QueueConfigurations": [{"QueueArn": "arn:aws:sqs:us-east-1:1:others"}],
    }


def test_a_stack_whose_first_deployment_failed_is_to_be_destroyed_first(desk: Desk) -> None:
    store_key()
    desk.formation.stacks[STACK] = "ROLLBACK_COMPLETE"

    assert "`summaries destroy` first" in desk.refused()


class TestTheFileOfAnswers:
    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        answers = Answers(stack_name="s", region="eu-west-1", parameters={"A": 'x"\\y', "B": ""})

        write(tmp_path / "a.toml", answers)

        assert read(tmp_path / "a.toml") == answers

    @pytest.mark.parametrize("text", ["stack = 1", "[", "parameters = 3"])
    def test_that_is_malformed_is_refused(self, desk: Desk, text: str) -> None:
        desk.file.write_text(text)

        assert str(desk.file) in desk.refused()


def test_what_the_template_hides_is_not_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "deploy.toml"
    given = {"RunpodApiEndpoint": ENDPOINT, "NoticeWebhookUrl": "https://hooks.example/T0KEN"}

    write(file, Answers(parameters=given))

    assert "T0KEN" not in file.read_text(encoding="utf-8")
    assert read(file).parameters == {"RunpodApiEndpoint": ENDPOINT}
