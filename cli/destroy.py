"""`destroy`: deletes the stack, and its data only where that is asked for and the stack's name is typed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import boto3
import click
from botocore.exceptions import ClientError

from cli import checks, leftovers
from cli.answers import Answers
from core.aws.erasing import erase_versions, versions_of
from core.aws.job_index import JobIndex
from core.jobs.job import JobState

_BUCKETS = ("TranscriptsBucket", "SummariesBucket")
_TABLE = "JobsTable"
_VERSIONS_AT_ONCE = 1_000
_MOST_COUNTED = 1_000
_TYPED = "Type the stack's name to delete them for good"


@dataclass(frozen=True, kw_only=True)
class Data:
    """What outlives a stack, by name."""

    buckets: Sequence[str] = ()
    tables: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.buckets or self.tables)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `destroy` was told to do."""

    deletes_data: bool = False
    name: str = ""  # the stack's, typed once more
    is_sure: bool = False  # of the stack alone
    is_dry_run: bool = False


def destroy(answers: Answers, asked: Asked) -> None:
    """Delete the stack, say what stays and costs; or delete that as well."""
    aws, account = checks.session(answers.region)
    region, stack = str(aws.region_name), answers.stack_name
    exists = bool(leftovers.stack_state(aws, stack))
    data = _of_stack(aws, stack) if exists else _left_behind(aws, stack, account, region)
    if not exists and not (asked.deletes_data and data):
        left = [*data.buckets, *data.tables]
        more = f"; one has left {', '.join(left)}: --delete-data deletes that" if left else ""
        raise click.ClickException(f"there is no stack {stack} in {region}{more}")
    where = f"{region} of account {account}"
    if asked.deletes_data:
        _refuse_protected(aws, data)
    if asked.is_dry_run:
        click.echo(f"Would delete in {where}:" + (f"\n  stack {stack}" if exists else ""))
        _list(data, "data, every version of it" if asked.deletes_data else "kept")
        return
    if exists and not asked.is_sure:
        click.confirm(f"Delete stack {stack} in {where}? {_lost(aws, data)}", abort=True)
    if asked.deletes_data:
        _check_name(stack, data, asked)
    if exists:
        _delete_stack(aws, stack)
    if asked.deletes_data:
        _delete(aws, data)
    else:
        click.echo("Deleted. What stays, because somebody may need it:")
        _list(data, "")
        click.echo("`destroy --delete-data` deletes that too.")
    click.echo("The secret of the RunPod key stays: docs/deploying.md.")


def _of_stack(aws: boto3.Session, stack: str) -> Data:
    """Return what the stack has made itself: buckets that it was given are somebody else's."""
    made = {name: _made(aws, stack, name) for name in (*_BUCKETS, _TABLE)}
    return Data(
        buckets=[made[name] for name in _BUCKETS if made[name]],
        tables=[made[_TABLE]] if made[_TABLE] else [],
    )


def _made(aws: boto3.Session, stack: str, logical_id: str) -> str:
    try:
        answer = aws.client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationError":  # it has none of this name
            return ""
        raise
    return str(answer["StackResourceDetail"].get("PhysicalResourceId", ""))


def _left_behind(aws: boto3.Session, stack: str, account: str, region: str) -> Data:
    """Return what a stack of this name has left, by the names that it gives."""
    names = leftovers.bucket_names(stack, account, region)
    pages = aws.client("dynamodb").get_paginator("list_tables").paginate()
    return Data(
        buckets=list(leftovers.kept_buckets(aws, names, account).values()),
        tables=[
            name
            for page in pages
            for name in page["TableNames"]
            if name.startswith(f"{stack}-{_TABLE}-")
        ],
    )


def _lost(aws: boto3.Session, data: Data) -> str:
    """Say how many jobs the stack's end would cost."""
    try:
        active = sum(
            JobIndex(aws.client("dynamodb"), table).count(JobState.ACTIVE, at_most=_MOST_COUNTED)
            for table in data.tables
        )
    except ClientError:  # of an index that the table has not got, or may not be read
        return "Jobs under way are lost"
    if not active:
        return "No job is under way"
    return f"Jobs under way, and lost with it: {active:,}{'+' * (active == _MOST_COUNTED)}"


def _refuse_protected(aws: boto3.Session, data: Data) -> None:
    for table in data.tables:
        described = aws.client("dynamodb").describe_table(TableName=table)["Table"]
        if described.get("DeletionProtectionEnabled"):
            raise click.ClickException(
                f"nothing was deleted: table {table} is protected. Deploy with"
                " TableDeletionProtection=false first, or take its protection off in the DynamoDB console"
            )


def _check_name(stack: str, data: Data, asked: Asked) -> None:
    """Let the name be typed: a `--yes` from a script's habit must not cost anybody's transcripts."""
    click.echo("Every version of everything in these goes, and nothing brings it back:")
    _list(data, "")
    typed = asked.name or str(click.prompt(_TYPED, default="", show_default=False)).strip()
    if typed != stack:
        raise click.ClickException(f"nothing was deleted: {typed or 'nothing'} is not {stack}")


def _delete_stack(aws: boto3.Session, stack: str) -> None:
    formation = aws.client("cloudformation")
    formation.delete_stack(StackName=stack)
    formation.get_waiter("stack_delete_complete").wait(StackName=stack)


def _delete(aws: boto3.Session, data: Data) -> None:
    for table in data.tables:
        aws.client("dynamodb").delete_table(TableName=table)
        click.echo(f"deleted table {table}")
    for bucket in data.buckets:
        erased = _empty(aws.client("s3"), bucket)
        aws.client("s3").delete_bucket(Bucket=bucket)
        click.echo(f"deleted bucket {bucket}, with {erased:,} versions of objects")


def _empty(s3: Any, bucket: str) -> int:
    erased = 0
    for versions in _chunks(versions_of(s3, bucket, "")):
        kept = erase_versions(s3, bucket, versions)
        if kept:
            version, code = kept[0]
            raise click.ClickException(
                f"S3 keeps {version.key} in {bucket} ({code}); see why, and run this again"
            )
        erased += len(versions)
    return erased


def _chunks(versions: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(islice(versions, _VERSIONS_AT_ONCE)):
        yield some


def _list(data: Data, what: str) -> None:
    if what and data:
        click.echo(f"{what}:")
    for bucket in data.buckets:
        click.echo(f"  bucket {bucket}")
    for table in data.tables:
        click.echo(f"  table {table}, the jobs and their audit")
