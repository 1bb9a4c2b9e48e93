"""What the page changes: it starts jobs anew, ends them and takes uploads, as the commands do."""

import io
import tempfile
from collections.abc import Mapping
from typing import IO

import click
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge
from werkzeug.wrappers import Request

from cli.operating.cancelling import cancelling_of, plan_cancel
from cli.operating.deployed import lifecycle_of, settings_of
from cli.operating.desk import Desk
from cli.operating.finding import found_history
from cli.operating.retrying import plan_retry, retried
from cli.operating.submitting import check_upload, is_there, prefixed
from cli.page.api import Fields, is_on
from cli.page.preview import preview

_CHOICES = ("words", "language", "mode", "strategy", "prompt")
_READ_AT_ONCE = 64 * 1024


class Conflicts(click.ClickException):
    """What was asked would replace something, and nobody said that it may."""


def retry(desk: Desk, name: str, asked: Mapping[str, str]) -> Fields:
    planned = plan_retry(desk, found_history(desk, name), again=is_on(asked, "again"))
    if planned.conflict or is_on(asked, "dry_run"):
        return planned.told()
    return retried(desk, lifecycle_of(desk, settings_of(desk)), planned.job).told()


def cancel(desk: Desk, name: str, asked: Mapping[str, str]) -> Fields:
    planned = plan_cancel(found_history(desk, name))
    if planned.conflict or is_on(asked, "dry_run"):
        return planned.told()
    return cancelling_of(desk).cancel(planned.job.id).told()


def read(desk: Desk, request: Request) -> Fields:
    """Say how a file would be read, and keep nothing of it. Raises as `upload` does."""
    name = _file_name(request.args.get("name", ""))
    most = settings_of(desk).upload_filter.max_bytes
    body = io.BytesIO()
    _copy(request.stream, body, _size(request, name, most), name)
    return preview(body.getvalue(), max_bytes=most)


def upload(desk: Desk, request: Request) -> Fields:
    """Take a transcript. Raises UsageError, Conflicts, and what Werkzeug has for sizes."""
    asked = request.args
    name = _file_name(asked.get("name", ""))
    settings = settings_of(desk)
    key = prefixed(settings, _folder(asked.get("prefix", ""))) + name
    size = _size(request, name, settings.upload_filter.max_bytes)
    choices = {f"summary-{each}": asked[each] for each in _CHOICES if asked.get(each)}
    check_upload(settings, name, size, key, choices)
    if is_there(desk, key) and not is_on(asked, "replace"):
        raise Conflicts(
            f"{key} is there already: a newer version gets a job of its own, and its summary will replace"
            " the one that stands"
        )
    with tempfile.TemporaryFile() as body:
        _copy(request.stream, body, size, name)
        sent = desk.deployment.upload(body, key, metadata=choices)
    # Without versions only the record tells, which is not there yet.
    job_id = desk.deployment.job_id_of(sent) if sent.version_id else None
    return {"key": key, "version_id": sent.version_id or None, "job_id": job_id}


def _size(request: Request, name: str, most: int) -> int:
    """Return how long a body is to be, before it is read."""
    size = request.content_length
    if size is None:
        raise LengthRequired
    if size > most:
        raise RequestEntityTooLarge(
            f"{name} has {size:,} bytes and MaxTranscriptBytes allows {most:,}: split it, or raise it"
        )
    return size


def _file_name(given: str) -> str:
    name = given.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name or not name.isprintable():
        raise click.UsageError("an upload needs a name: that of its file")
    return name


def _folder(given: str) -> str:
    folder = given.strip().lstrip("/")
    if not folder.isprintable() or ".." in folder.split("/"):
        raise click.UsageError("a folder is named with printable signs, and no `..`")
    return folder if not folder or folder.endswith("/") else f"{folder}/"


def _copy(source: IO[bytes], target: IO[bytes], size: int, name: str) -> None:
    left = size
    while left and (read := source.read(min(left, _READ_AT_ONCE))):
        target.write(read)
        left -= len(read)
    if left:
        raise click.UsageError(f"{name} did not arrive as a whole: upload it again")
    target.seek(0)
