"""`get JOB|KEY`: print a summary, save it, or export it as a document or a page."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cli.copy_names import copy_name
from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history
from cli.operating.results import Result, result_of_job
from cli.operating.spans import now, short
from core.jobs.job import Job, JobState

# Imported where they are wanted: together they take longer than most commands.


def _text(_: Desk, __: Job, result: Result) -> bytes:
    return result.text.encode()


def _markdown(_: Desk, job: Job, result: Result) -> bytes:
    from cli.operating.exports.about import about  # noqa: PLC0415
    from cli.operating.exports.front_matter import markdown  # noqa: PLC0415

    return markdown(about(job, result.text, result.facts)).encode()


def _html(desk: Desk, job: Job, result: Result) -> bytes:
    from cli.operating.exports.about import about  # noqa: PLC0415
    from cli.operating.exports.page import page  # noqa: PLC0415
    from cli.operating.exports.transcript import turns_of  # noqa: PLC0415

    return page(about(job, result.text, result.facts), turns_of(desk, job)).encode()


def _docx(_: Desk, job: Job, result: Result) -> bytes:
    from cli.operating.exports.about import about  # noqa: PLC0415
    from cli.operating.exports.word import docx  # noqa: PLC0415

    return docx(about(job, result.text, result.facts))


def _pdf(_: Desk, job: Job, result: Result) -> bytes:
    from cli.operating.exports.about import about  # noqa: PLC0415
    from cli.operating.exports.pdf import pdf, signs_without_a_font  # noqa: PLC0415

    body = pdf(about(job, result.text, result.facts))
    if missing := signs_without_a_font(body):
        click.echo(
            f"{missing} signs are empty boxes: no font here has them. Install one for the script (such as"
            " Noto Sans CJK), or take docx or html.",
            err=True,
        )
    return body


FORMATS: Mapping[str, Callable[[Desk, Job, Result], bytes]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
    "docx": _docx,
    "pdf": _pdf,
}
_ENDINGS = {"text": ".txt", "markdown": ".md", "html": ".html", "docx": ".docx", "pdf": ".pdf"}
_BINARY = frozenset({"docx", "pdf"})


class NoSummary(click.ClickException):
    """The job is there, and no summary of it."""


@click.command("get")
@click.argument("job", metavar="JOB|KEY")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    envvar="SUMMARIES_FORMAT",
    show_envvar=True,
    help="By default as --save ends, else text: the summary as it is.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="A file, or a folder, where it gets the name of the transcript.",
)
@click.option("--yes", is_flag=True, help="Replace a file without asking.")
@at_a_desk
def get_command(desk: Desk, job: str, form: str | None, save: Path | None, *, yes: bool) -> None:
    """Print a summary, save it, or export it.

    html is one page that stands alone: the summary beside its transcript, linked both ways. markdown has
    front matter. docx and pdf name the turns that each part rests on.
    """
    form = form or _form_of(save)
    if form in _BINARY and save is None and (desk.as_json or sys.stdout.isatty()):
        raise click.UsageError(f"{form} is no text: name a file with --save")
    found = found_history(desk, job).job
    result = result_made_by(desk, found)
    body = FORMATS[form](desk, found, result)
    if save:
        path = _saved(save, found, form, body, may_replace=yes)
        desk.tell(
            _told(found, form, path=str(path)), lambda console: console.print(f"saved {path}")
        )
    elif desk.as_json:
        desk.tell(_told(found, form, text=body.decode(), facts=result.facts), lambda _: None)
    else:
        click.get_binary_stream("stdout").write(body)


def _told(job: Job, form: str, **more: Any) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "key": job.source.key,
        "summary_key": job.summary_key,
        "format": form,
        **more,
    }


def _form_of(save: Path | None) -> str:
    suffix = save.suffix.lower() if save else ""
    return next((form for form, ending in _ENDINGS.items() if ending == suffix), "text")


def result_made_by(desk: Desk, job: Job) -> Result:
    """Return the summary of exactly this job. Raises NoSummary, which says what there is instead."""
    result = result_of_job(desk, job)
    made_by = result.metadata.get("job-id", "") if result else ""
    if result and made_by == job.id:
        return result
    other = (
        f"; the summary that stands is of job {made_by[:8]}: `get {made_by[:8]}`" if made_by else ""
    )
    match job.state:
        case JobState.ACTIVE:
            why = f"is active, since {short(now() - job.created_at)}: `watch` shows how far it is"
        case JobState.FAILED:
            why = f"has failed ({job.reason_code}): {job.reason}"
        case _:
            why = "has succeeded, but its summary was replaced or deleted since"
    raise NoSummary(f"job {job.id[:8]} of {job.source.key} {why}{other}")


def saved_name(job: Job, form: str) -> str:
    """Return the name of a summary's file: that of its transcript, ending as its format does."""
    return Path(copy_name(job.source.key, job.summary_key)).name + "-summary" + _ENDINGS[form]


def _saved(save: Path, job: Job, form: str, body: bytes, *, may_replace: bool) -> Path:
    path = save
    if save.is_dir():
        path = save / saved_name(job, form)
    if path.exists() and not may_replace:
        if not sys.stdin.isatty():
            raise click.UsageError(f"{path} is there already: --yes replaces it")
        click.confirm(f"{path} is there already. Replace it?", abort=True, err=True)
    path.write_bytes(body)
    return path
