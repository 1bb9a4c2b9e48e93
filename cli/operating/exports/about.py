"""What is known of a summary, for whoever reads it elsewhere. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.operating.exports.parts import Summary, summary_of
from core.jobs.job import Job
from core.summaries.facts import Outcome

_LANGUAGE_TAG = re.compile(
    r"[a-z]{2,3}(-[A-Za-z]{2,8})*"
)  # of BCP 47; languages are mostly told by name


@dataclass(frozen=True, kw_only=True)
class About:
    """A summary with its job and its checks."""

    job: Job
    summary: Summary
    text: str = field(repr=False)  # Markdown
    checks: tuple[Mapping[str, Any], ...]

    @property
    def doubts(self) -> list[str]:
        """What a reader should know: what the checks could not settle."""
        return [
            f"{check.get('code')}: {check.get('detail') or 'not settled'}"
            for check in self.checks
            if check.get("outcome") == Outcome.DOUBT
        ]

    @property
    def language_tag(self) -> str:
        """The language where its code was asked for; "" tells a browser that it is not known."""
        asked = self.job.options.language or ""
        return asked if _LANGUAGE_TAG.fullmatch(asked) else ""

    @property
    def fields(self) -> dict[str, Any]:
        job, made = self.job, self.job.summary
        return {
            "title": self.summary.title,
            "source": f"s3://{job.source.bucket}/{job.source.key}",
            "source_version": job.source.version_id or job.source.etag,
            "job_id": job.id,
            "model": made.model if made else job.options.model,
            "words": made.words if made else 0,
            "transcript_words": job.words_in,
            "created_at": (job.finished_at or job.created_at).isoformat(timespec="seconds"),
            "doubts": self.doubts,
        }


def about(job: Job, text: str, facts: Mapping[str, Any]) -> About:
    writing = facts.get("writing")
    checks = writing.get("checks", ()) if isinstance(writing, dict) else ()
    return About(job=job, summary=summary_of(text, facts), text=text, checks=tuple(checks))
