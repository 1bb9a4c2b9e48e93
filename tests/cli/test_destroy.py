"""The operator's `destroy`, over moto's AWS: what holds data goes only where that was asked for twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto import mock_aws

from cli.__main__ import main
from core.aws.job_store import DynamoJobStore
from tests.builders import a_call, a_job
from tests.fakes.aws import create_jobs_table

STACK = "transcript-summaries"
INPUT = f"{STACK}-transcripts-123456789012-us-east-1"
OUTPUT = f"summaries-{STACK}-123456789012-us-east-1"


@dataclass
class Formation:
    """The little of CloudFormation that is used; moto's needs many more packages."""

    stacks: dict[str, dict[str, str]] = field(default_factory=dict)  # what each has made

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        if StackName not in self.stacks:
            raise _invalid("DescribeStacks")
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}

    def describe_stack_resource(self, *, StackName: str, LogicalResourceId: str) -> Any:  # noqa: N803
        if LogicalResourceId not in self.stacks[StackName]:
            raise _invalid("DescribeStackResource")
        name = self.stacks[StackName][LogicalResourceId]
        return {"StackResourceDetail": {"PhysicalResourceId": name}}

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803
        del self.stacks[StackName]

    def get_waiter(self, name: str) -> Any:
        assert name == "stack_delete_complete"
        return self

    def wait(self, *, StackName: str) -> None:  # noqa: N803
        assert StackName not in self.stacks


def _invalid(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": "none"}}, operation)


@dataclass
class Account:
    formation: Formation
    answers: Path

    def run(self, *arguments: str, typed: str = "") -> Result:
        command = ["destroy", "--answers", str(self.answers), *arguments]
        return CliRunner().invoke(main, command, input=typed)

    def deployed(self, **made: str) -> None:
        self.formation.stacks[STACK] = made or {
            "TranscriptsBucket": INPUT,
            "SummariesBucket": OUTPUT,
            "JobsTable": "jobs",
        }

    @property
    def left(self) -> set[str]:
        buckets = boto3.client("s3").list_buckets()["Buckets"]
        tables = boto3.client("dynamodb").list_tables()["TableNames"]
        return {*(bucket["Name"] for bucket in buckets), *tables}


@pytest.fixture(name="account")
def _account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    formation = Formation()
    make = boto3.Session.client

    def client(session: boto3.Session, service: str, *rest: Any, **options: Any) -> Any:
        if service == "cloudformation":
            return formation
        return make(session, service, *rest, **options)

    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (INPUT, OUTPUT):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            for body in (b"one", b"two"):
                s3.put_object(Bucket=bucket, Key="board.txt", Body=body)
            s3.delete_object(Bucket=bucket, Key="board.txt")
        create_jobs_table(boto3.client("dynamodb"))
        monkeypatch.setattr(boto3.Session, "client", client)
        yield Account(formation, tmp_path / "deploy.toml")


ALL = {INPUT, OUTPUT, "jobs"}


def test_the_stack_goes_and_what_holds_data_stays(account: Account) -> None:
    account.deployed()

    result = account.run("--yes")

    assert result.exit_code == 0, result.output
    assert account.formation.stacks == {}
    assert account.left == ALL
    for name in ALL:
        assert name in result.output


def test_it_asks_first_and_says_how_many_jobs_are_lost(account: Account) -> None:
    account.deployed()
    DynamoJobStore(boto3.client("dynamodb"), "jobs").create(a_job(), [a_call()])

    result = account.run(typed="n\n")

    assert result.exit_code == 1
    assert "Jobs under way, and lost with it: 1" in result.output
    assert STACK in account.formation.stacks


def test_data_goes_with_all_its_versions_once_the_name_is_typed(account: Account) -> None:
    account.deployed()

    result = account.run("--delete-data", typed=f"y\n{STACK}\n")

    assert result.exit_code == 0, result.output
    assert f"deleted bucket {INPUT}, with 3 versions of objects" in result.output
    assert account.left == set()


@pytest.mark.parametrize("typed", ["", "y", "yes", "another-stack"])
def test_no_other_answer_deletes_anything(account: Account, typed: str) -> None:
    account.deployed()

    result = account.run("--yes", "--delete-data", typed=f"{typed}\n")

    assert result.exit_code == 1
    assert "nothing was deleted" in result.output
    assert STACK in account.formation.stacks
    assert account.left == ALL


def test_a_script_types_the_name_as_an_option(account: Account) -> None:
    account.deployed()

    assert account.run("--yes", "--delete-data", "--name", "other").exit_code == 1
    assert account.left == ALL
    assert account.run("--yes", "--delete-data", "--name", STACK).exit_code == 0
    assert account.left == set()


def test_a_bucket_that_the_stack_was_given_stays(account: Account) -> None:
    account.deployed(JobsTable="jobs", SummariesBucket=OUTPUT)

    assert account.run("--yes", "--delete-data", "--name", STACK).exit_code == 0

    assert account.left == {INPUT}


def test_a_protected_table_keeps_everything(account: Account) -> None:
    account.deployed()
    boto3.client("dynamodb").update_table(TableName="jobs", DeletionProtectionEnabled=True)

    result = account.run("--yes", "--delete-data", "--name", STACK)

    assert result.exit_code == 1
    assert "TableDeletionProtection=false" in result.output
    assert STACK in account.formation.stacks
    assert account.left == ALL


def test_a_dry_run_says_what_would_go_and_deletes_nothing(account: Account) -> None:
    account.deployed()

    kept = account.run("--dry-run").output
    deleted = account.run("--dry-run", "--delete-data").output

    assert "kept:" in kept
    assert "data, every version of it:" in deleted
    for name in (*ALL, STACK):
        assert name in kept
        assert name in deleted
    assert STACK in account.formation.stacks
    assert account.left == ALL


class TestWhereTheStackIsGone:
    def test_it_says_so_and_what_one_has_left(self, account: Account) -> None:
        result = account.run("--yes")

        assert result.exit_code == 1
        assert f"there is no stack {STACK}" in result.output
        assert f"one has left {INPUT}, {OUTPUT}: --delete-data" in result.output

    def test_what_one_has_left_can_be_deleted_all_the_same(self, account: Account) -> None:
        """As after a deletion that was cut off."""
        result = account.run("--delete-data", "--name", STACK)

        assert result.exit_code == 0, result.output
        assert account.left == {"jobs"}  # a table's name begins with its stack's
