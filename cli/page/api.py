"""What the page asks for, as JSON. Every answer but an error is the document itself.

    GET  /api/stack                     name, whether it is local, what an upload may choose, why jobs fail
    GET  /api/status                    what `summaries status` tells of the last day
    GET  /api/jobs                      a page of jobs; state (repeated), text, reason, since and older
                                        (30m, 2h, 3d), doubts=1, limit, and after: `next` of the page before
    GET  /api/jobs/JOB                  a job's story; JOB is its id, or the beginning of it
    GET  /api/jobs/JOB/summary          its summary and transcript, linked both ways
    GET  /api/jobs/JOB/export/FORMAT    its summary as text, markdown, html, docx or pdf
    POST /api/jobs/JOB/retry            starts it anew; dry_run=1 says what would be done, or why it is not
                                        to be; again=1 for one that succeeded
    POST /api/jobs/JOB/cancel           ends it; dry_run=1 as above
    POST /api/reading                   how the body, a file called name, would be read; nothing is uploaded
    POST /api/uploads                   the body is a transcript; name, prefix (a folder), words, language,
                                        mode, strategy, prompt; replace=1 where a file of that name is there

A question is asked by query parameters, an upload is the body alone. All need the header X-Page-Token.
An answer to GET has an ETag; If-None-Match with it is answered 304. An error is {"error": {"code",
"message"}} with status 400 (not to be understood), 401 (token), 403 and 421 (who asks), 404 (no such
job or summary), 409 (conflicts with what is there), 411 and 413 (an upload's size), 502 (AWS refused).
What conflicts in a retry or cancel is an outcome, as in `retry --json`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click
from werkzeug.datastructures import MultiDict

from cli.operating.deployed import settings_of
from cli.operating.desk import LOCAL, Desk
from cli.operating.exports.transcript import turns_of
from cli.operating.finding import found_history
from cli.operating.get import FORMATS, result_made_by, saved_name
from cli.operating.show import read_story
from cli.operating.spans import SpanType, now
from cli.operating.status import as_fields as status_fields
from cli.operating.status import read_status
from cli.page.jobs import MOST_JOBS, Filters, page_of_jobs
from cli.page.side_by_side import side_by_side
from cli.page.story import story_fields
from core.failures import FAILURES
from core.jobs.job import JobState
from core.summaries.instructions import prompt_sets
from core.summaries.options import Mode, Strategy

Fields = dict[str, Any]
_STATUS_WITHIN = timedelta(days=1)


def stack(desk: Desk) -> Fields:
    """What the page says of the stack, and offers for an upload."""
    settings = settings_of(desk)
    options = settings.options
    return {
        "name": LOCAL if desk.deployment.is_local else desk.deployment.stack_name,
        "is_local": desk.deployment.is_local,
        "uploads": {
            "prefix": settings.upload_filter.prefix,
            "suffixes": list(settings.upload_filter.suffixes),
            "max_bytes": settings.upload_filter.max_bytes,
            "words": options.words,
            "language": options.language or None,
            "mode": options.mode.value,
            "modes": [each.value for each in Mode],
            "strategies": [each.value for each in Strategy],
            "prompts": sorted(prompt_sets()),
        },
        "reasons": [{"code": each.code, "happened": each.happened} for each in FAILURES.values()],
    }


def status(desk: Desk) -> Fields:
    return status_fields(read_status(desk, _STATUS_WITHIN))


def jobs(desk: Desk, asked: MultiDict[str, str]) -> Fields:
    return page_of_jobs(desk, _filters(asked))


def job(desk: Desk, name: str) -> Fields:
    return story_fields(read_story(desk, name), now())


def summary(desk: Desk, name: str) -> Fields:
    found = found_history(desk, name).job
    return side_by_side(found, result_made_by(desk, found), turns_of(desk, found))


def export(desk: Desk, name: str, form: str) -> tuple[str, bytes]:
    """Return a summary as a document, and a name for its file."""
    found = found_history(desk, name).job
    body = FORMATS[form](desk, found, result_made_by(desk, found))
    return saved_name(found, form), body


def _filters(asked: MultiDict[str, str]) -> Filters:
    states = tuple(asked.getlist("state"))
    unknown = set(states) - {state.value for state in JobState}
    if unknown:
        raise click.UsageError(f"there is no state {', '.join(sorted(unknown))}")
    reason = asked.get("reason", "")
    if reason and reason not in FAILURES:
        raise click.UsageError(f"{reason} is no reason of this pipeline")
    return Filters(
        states=states,
        text=asked.get("text", "").strip(),
        reason=reason,
        since=_span(asked, "since"),
        older=_span(asked, "older"),
        doubts=is_on(asked, "doubts"),
        limit=_limit(asked.get("limit", "25")),
        after=asked.get("after", ""),
    )


def is_on(asked: Mapping[str, str], name: str) -> bool:
    return asked.get(name, "") == "1"


def _span(asked: Mapping[str, str], name: str) -> timedelta | None:
    value = asked.get(name, "")
    return SpanType().convert(value, None, None) if value else None


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise click.UsageError(f"a page has from 1 to {MOST_JOBS} jobs")
    return int(text)
