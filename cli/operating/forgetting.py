"""`forget`: all that is kept about one transcript, erased; and what could not be reached.

In an order that can be begun again wherever it was cut off: what names the jobs goes last. Work files and
summaries first, then the records, then the versions of the file itself, from whose ids the jobs' follow.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from cli.deployment import History
from cli.operating.asking import Leave, asks_leave
from cli.operating.deployed import settings_of
from cli.operating.desk import Desk, NoSuchJob, at_a_desk
from cli.operating.finding import newest_jobs
from cli.operating.outcomes import standing
from cli.operating.spans import now, short
from core.aws.erasing import ObjectVersion, erase_items, erase_versions, items_of, versions_of
from core.aws.names import WORK_PREFIX, facts_key_for, summary_key_for
from core.jobs.job import Source, job_id_for

# So long an upload's message may be on its way: its job would be recorded after it was forgotten.
_YOUNG = timedelta(minutes=15)

OUT_OF_REACH = (
    "logs: the functions' lines hold the job's id and the file's key, never its words (LogRetentionDays)",
    "RunPod: keeps requests and results, with their words, until 30 minutes after the end; workers' logs",
    "backups: the table's point-in-time recovery goes back 35 days; copies and replicas are yours to find",
    "messages: one in a queue may hold the key for up to 14 days; `redrive --dry-run` shows dead letters",
    "notices: one in the dead end, the same (`notices list`); whoever was sent one has the key",
    "names: a glossary that was kept for it in `_glossary.txt` or in the stack's parameter stays",
)


@dataclass(frozen=True, kw_only=True)
class Found:
    key: str
    jobs: tuple[History, ...]
    transcript: tuple[ObjectVersion, ...]
    made: tuple[ObjectVersion, ...]  # summaries, facts and work files
    items: tuple[dict[str, Any], ...] = field(repr=False)
    read_units: float

    @property
    def is_nothing(self) -> bool:
        return not (self.jobs or self.transcript or self.made or self.items)


@click.command("forget")
@click.argument("key")
@at_a_desk
@asks_leave
def forget_command(desk: Desk, key: str, leave: Leave) -> None:
    """Erase all that is kept about one transcript, by the KEY of its file. Nothing brings it back.

    All versions of the file, of its summary and facts, the work files and the records of all its jobs.
    """
    found = _found(desk, key)
    if found.is_nothing:
        raise NoSuchJob(f"nothing is kept about {key}: give the whole key, as `list` shows it")
    conflicts = _conflicts(desk, found)
    if not desk.as_json and not leave.is_dry_run:
        _show(desk.console, found, conflicts)
    if not conflicts and leave.given(f"Erase all this about {key}, for good?"):
        kept = _erased(desk, found)
        told = _told(found, conflicts, is_dry_run=False) | {"done": not kept, "kept": kept}
        desk.tell(told, lambda console: _show_kept(console, kept))
        if kept:
            sys.exit(1)
    elif desk.as_json or leave.is_dry_run:
        told = _told(found, conflicts, is_dry_run=leave.is_dry_run) | {"done": False}
        desk.tell(told, lambda console: _show(console, found, conflicts))
    if conflicts:
        sys.exit(1)


def _found(desk: Desk, key: str) -> Found:
    s3, outputs = desk.deployment.client("s3"), desk.deployment.outputs
    dynamodb, table = desk.deployment.client("dynamodb"), outputs["JobsTable"]
    transcript = tuple(
        each for each in versions_of(s3, outputs["InputBucket"], key) if each.key == key
    )
    listed, read_units = _listed(desk, key)
    job_ids = list(dict.fromkeys([*_ids_of(outputs["InputBucket"], transcript), *listed]))
    histories = tuple(h for each in job_ids if (h := desk.deployment.history_of(each)))
    items = [item for each in job_ids for item in items_of(dynamodb, table, each)]
    made = [
        version
        for each in job_ids
        for version in versions_of(s3, outputs["OutputBucket"], f"{WORK_PREFIX}{each}/")
    ]
    for name in sorted(_names_made(desk, key, histories)):
        made += [
            each for each in versions_of(s3, outputs["OutputBucket"], name) if each.key == name
        ]
    return Found(
        key=key,
        jobs=histories,
        transcript=transcript,
        made=tuple(made),
        items=tuple(items),
        read_units=read_units,
    )


def _listed(desk: Desk, key: str) -> tuple[list[str], float]:
    """Return the jobs of a file whose versions may be gone: to be sure, all of the index is read."""
    index = desk.index
    ids = [job.id for job in newest_jobs(desk) if job.key == key]
    return ids, index.read_units


def _ids_of(bucket: str, versions: Sequence[ObjectVersion]) -> Iterator[str]:
    for each in versions:
        if each.version_id not in ("", "null") and not each.is_deletion:
            yield job_id_for(
                Source(bucket=bucket, key=each.key, version_id=each.version_id, uploaded_at=now())
            )


def _names_made(desk: Desk, key: str, histories: Sequence[History]) -> set[str]:
    """Return the names of summaries and facts: as the jobs have them, and as a job would now."""
    settings = settings_of(desk)
    names = {history.job.summary_key for history in histories} | {
        summary_key_for(
            key,
            prefix=settings.resources.output_prefix,
            suffixes=settings.upload_filter.suffixes,
        )
    }
    return names | {facts_key_for(name) for name in names}


def _conflicts(desk: Desk, found: Found) -> list[str]:
    """Return what would write about the transcript again after it was forgotten."""
    conflicts = []
    for history in found.jobs:
        job = history.job
        if not job.is_final:
            conflicts.append(
                f"job {job.id[:8]} goes on: {standing(history, now())}; `cancel` it first"
            )
        elif job.due_at or any(not call.is_final for call in history.calls):
            conflicts.append(f"job {job.id[:8]} has requests under way at RunPod: `sweep` first")
    age = _age_of_upload_without_job(desk, found)
    if age is not None and age < _YOUNG:
        conflicts.append(
            f"the file was uploaded {short(age)} ago and has no job yet: wait for it, then `cancel` it"
        )
    return conflicts


def _age_of_upload_without_job(desk: Desk, found: Found) -> timedelta | None:
    """Return how old a file's newest version is, if no job of it is on record."""
    if not any(each.is_latest and not each.is_deletion for each in found.transcript):
        return None
    head = desk.deployment.client("s3").head_object(
        Bucket=desk.deployment.outputs["InputBucket"], Key=found.key
    )
    etag = head["ETag"].strip('"')
    has_job = any(
        source.version_id == head.get("VersionId", "") if source.version_id else source.etag == etag
        for source in (history.job.source for history in found.jobs)
    )
    age: timedelta = now() - head["LastModified"]
    return None if has_job else age


def _erased(desk: Desk, found: Found) -> list[dict[str, str]]:
    """Erase all; return what S3 kept, as under an object lock. Then the records stay, to begin again by."""
    s3, outputs = desk.deployment.client("s3"), desk.deployment.outputs
    kept = erase_versions(s3, outputs["OutputBucket"], found.made)
    if not kept:
        erase_items(desk.deployment.client("dynamodb"), outputs["JobsTable"], found.items)
        kept = erase_versions(s3, outputs["InputBucket"], found.transcript)
    return [{"key": each.key, "version_id": each.version_id, "code": code} for each, code in kept]


def _told(found: Found, conflicts: Sequence[str], *, is_dry_run: bool) -> dict[str, Any]:
    return {
        "is_dry_run": is_dry_run,
        "key": found.key,
        "jobs": [history.job.id for history in found.jobs],
        "transcript": [_version(each) for each in found.transcript],
        "made": [_version(each) for each in found.made],
        "record_items": len(found.items),
        "conflicts": list(conflicts),
        "out_of_reach": list(OUT_OF_REACH),
        "read_units": found.read_units,
    }


def _version(each: ObjectVersion) -> dict[str, str]:
    return {"key": each.key, "version_id": each.version_id}


def _show(console: Console, found: Found, conflicts: Sequence[str]) -> None:
    console.print(f"[bold]{escape(found.key)}[/]")
    for history in found.jobs:
        console.print(f"  job {history.job.id[:8]}: {escape(standing(history, now()))}")
    console.print(f"  {len(found.items)} items of the table", highlight=False)
    for what, versions in (("of the file", found.transcript), ("made from it", found.made)):
        console.print(f"  {len(versions)} object versions {what}", highlight=False)
        for key, count in Counter(each.key for each in versions).items():
            console.print(f"    {count} of {key}", markup=False, highlight=False, style="dim")
    console.print("  Out of reach from here:")
    for line in OUT_OF_REACH:
        console.print(f"    {escape(line)}", highlight=False)
    for conflict in conflicts:
        console.print(f"  [red]not now: {escape(conflict)}[/]", highlight=False)


def _show_kept(console: Console, kept: Sequence[Mapping[str, str]]) -> None:
    if not kept:
        console.print("[green]Erased.[/] What is out of reach, see above.")
        return
    for each in kept:
        console.print(f"[red]S3 kept {escape(each['key'])} {each['version_id']}: {each['code']}[/]")
    console.print(
        "An object lock or a bucket policy may hold them; run it again once they are free."
    )
