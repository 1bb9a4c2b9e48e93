"""`submit`: uploads transcripts with what was chosen for them, and waits for their summaries if told to.

What the submitter would refuse by its name, size or options is refused here, before anything is uploaded.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cli.deployment import History, Upload
from cli.operating.asking import Leave, asks_leave
from cli.operating.awaiting import Look, await_ends
from cli.operating.deployed import settings_of
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import newest_jobs
from cli.operating.spans import SpanType, now
from cli.operating.upload_options import (
    checked_options,
    glossary_metadata,
    takes_upload_options,
)
from core.aws.names import facts_key_for
from core.errors import BadTranscript
from core.jobs.job import JobState, Source, job_id_for
from core.settings import SubmitterSettings
from submitter.messages import is_for_a_job
from submitter.uploads import check_name

_CLOCKS_APART = timedelta(minutes=5)  # this machine's, and that of the functions


@dataclass(frozen=True, kw_only=True)
class Sent:
    file: Path
    key: str
    is_replacing: bool  # a file of that name was there before
    upload: Upload | None = None
    history: History | None = None

    def told(self, output_bucket: str) -> dict[str, Any]:
        job = self.history.job if self.history else None
        is_done = job is not None and job.state is JobState.SUCCEEDED
        return {
            "file": str(self.file),
            "key": self.key,
            "bucket": self.upload.bucket if self.upload else None,
            "version_id": (self.upload.version_id or None) if self.upload else None,
            "is_replacing": self.is_replacing,
            "job_id": job.id if job else self._job_id(),
            "state": job.state.value if job else None,
            "reason_code": (job.reason_code or None) if job else None,
            "reason": (job.reason or None) if job else None,
            "summary": f"s3://{output_bucket}/{job.summary_key}" if job and is_done else None,
            "facts": f"s3://{output_bucket}/{facts_key_for(job.summary_key)}"
            if job and is_done
            else None,
            "words": job.summary.words if job and job.summary else None,
        }

    def _job_id(self) -> str | None:
        if self.upload is None or not self.upload.version_id:
            return None  # without versions only the record tells
        return job_id_for(
            Source(
                bucket=self.upload.bucket,
                key=self.key,
                version_id=self.upload.version_id,
                uploaded_at=now(),
            )
        )


@click.command("submit")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)
@click.option("--key-prefix", default="", help="Before each file's name, for example calls/")
@click.option("--wait", is_flag=True, help="Stay until the summaries are there, or failed.")
@click.option("--timeout", type=SpanType(), help="With --wait: no longer than this.")
@takes_upload_options
@at_a_desk
@asks_leave
def submit_command(
    desk: Desk,
    files: tuple[Path, ...],
    key_prefix: str,
    timeout: timedelta | None,
    choices: Mapping[str, str],
    glossary: Path | None,
    leave: Leave,
    *,
    wait: bool,
) -> None:
    """Upload FILES and have them summarised.

    Asks only where a file of the same name is there already: its summary will be replaced.
    """
    settings = settings_of(desk)
    prefix = prefixed(settings, key_prefix)
    metadata = {**choices, **glossary_metadata(glossary)}
    sent = [_checked(desk, settings, each, prefix + each.name, choices) for each in files]
    keys = [each.key for each in sent]
    if len(set(keys)) < len(keys):
        raise click.UsageError("two of the files have the same name: submit them by --key-prefix")
    replacing = [each.key for each in sent if each.is_replacing]
    if leave.is_dry_run:
        _tell(desk, sent, is_dry_run=True)
        return
    if replacing:
        leave.given(f"{', '.join(replacing)} is there already. Upload a newer version?")
    begun_at = now()
    sent = list(_uploaded(desk, sent, metadata))
    if wait:
        sent = _awaited(desk, sent, begun_at, None if timeout is None else begun_at + timeout)
    _tell(desk, sent, is_dry_run=False)
    if wait and any(each.told("")["state"] != JobState.SUCCEEDED.value for each in sent):
        sys.exit(1)


def _checked(
    desk: Desk, settings: SubmitterSettings, file: Path, key: str, choices: Mapping[str, str]
) -> Sent:
    """Refuse what the submitter would refuse unread, or pass over. Raises UsageError."""
    check_upload(settings, file, file.stat().st_size, key, choices)
    return Sent(file=file, key=key, is_replacing=is_there(desk, key))


def prefixed(settings: SubmitterSettings, key_prefix: str) -> str:
    """Return what keys begin with: the chosen folder, below what the stack takes transcripts from."""
    prefix = settings.upload_filter.prefix
    return key_prefix if key_prefix.startswith(prefix) else prefix + key_prefix


def check_upload(
    settings: SubmitterSettings,
    file: Path | str,
    size: int,
    key: str,
    choices: Mapping[str, str],
) -> None:
    """Refuse a file by its name, size or options, as the submitter would. Raises UsageError."""
    bucket = settings.upload_filter.bucket
    source = Source(bucket=bucket, key=key, size_bytes=size, uploaded_at=now())
    try:
        check_name(source, settings.upload_filter)
    except BadTranscript as exc:
        raise click.UsageError(f"{file}: {exc}") from None
    if not is_for_a_job(source, settings):
        raise click.UsageError(f"{file}: as {key} it would be taken for no transcript")
    most_bytes = settings.upload_filter.max_bytes
    if size > most_bytes:
        raise click.UsageError(
            f"{file} has {size:,} bytes and MaxTranscriptBytes allows {most_bytes:,}: split it, or raise it"
        )
    if not size:
        raise click.UsageError(f"{file} is empty")
    checked_options(settings.options, key=key, choices=choices)


def is_there(desk: Desk, key: str) -> bool:
    """Is a file of that name in the bucket of transcripts?"""
    bucket = desk.deployment.outputs["InputBucket"]
    try:
        desk.deployment.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as exc:
        if exc.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    return True


def _uploaded(desk: Desk, sent: Sequence[Sent], metadata: Mapping[str, str]) -> Iterator[Sent]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    is_quiet = desk.as_json or not console.is_terminal
    with Progress(*columns, console=console, disable=is_quiet) as progress:
        for each in sent:
            with progress.open(each.file, "rb", description=escape(each.key)) as body:
                upload = desk.deployment.upload(body, each.key, metadata=metadata)
            yield replace(each, upload=upload)


def _awaited(
    desk: Desk, sent: Sequence[Sent], begun_at: datetime, until: datetime | None
) -> list[Sent]:
    looks = {each.key: _look(desk, each, begun_at) for each in sent}
    histories = await_ends(looks, until=until)
    return [replace(each, history=histories[each.key]) for each in sent]


def _look(desk: Desk, sent: Sent, begun_at: datetime) -> Look:
    job_id = sent.told("")["job_id"]

    def look() -> History | None:
        nonlocal job_id
        job_id = job_id or _recorded_id(desk, sent.key, begun_at)
        return desk.deployment.history_of(job_id) if job_id else None

    return look


def _recorded_id(desk: Desk, key: str, begun_at: datetime) -> str | None:
    for job in newest_jobs(desk, since=begun_at - _CLOCKS_APART):
        if job.key == key:
            history = desk.deployment.history_of(job.id)
            if history and history.job.source.uploaded_at >= begun_at - timedelta(seconds=1):
                return job.id
    return None


def _tell(desk: Desk, sent: Sequence[Sent], *, is_dry_run: bool) -> None:
    bucket = desk.deployment.outputs["OutputBucket"]
    told = [each.told(bucket) for each in sent]
    desk.tell(
        {"is_dry_run": is_dry_run, "uploads": told},
        lambda console: _show(console, told, is_dry_run=is_dry_run),
    )


def _show(console: Console, told: Sequence[Mapping[str, Any]], *, is_dry_run: bool) -> None:
    for each in told:
        key = escape(each["key"])
        if is_dry_run:
            again = ", as a newer version" if each["is_replacing"] else ""
            console.print(f"{key}: would be uploaded{again}")
        elif each["summary"]:
            console.print(f"[green]{key}[/]: {each['words']:,} words in {escape(each['summary'])}")
            console.print(f"  `get {key}` prints it", style="dim", highlight=False)
        elif each["state"] == JobState.FAILED.value:
            console.print(f"[red]{key}[/]: {each['reason_code']}: {escape(each['reason'] or '')}")
        else:
            job = f" as job {each['job_id'][:8]}" if each["job_id"] else ""
            console.print(f"{key}: uploaded{job}; `show {key}` tells how it goes", highlight=False)
