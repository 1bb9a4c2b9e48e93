"""`show JOB|KEY`: the story of a job: what was asked in which round, what came of it, what it cost."""

from typing import Any

import click

from cli.operating.desk import Desk, at_a_desk
from cli.operating.finding import found_history
from cli.operating.prices import price_of
from cli.operating.results import facts_of_job
from cli.operating.show_story import Told, checks_of, show_story
from cli.operating.spans import now
from cli.operating.story import (
    AttemptStory,
    RoundStory,
    story_of,
)


@click.command("show")
@click.argument("job", metavar="JOB|KEY")
@at_a_desk
def show_command(desk: Desk, job: str) -> None:
    """Tell the story of a job: its rounds and calls, its checks, its cost, where each second went.

    JOB is its id, the first letters of it (six or more), or the key of its file.
    """
    told = read_story(desk, job)
    desk.tell(as_fields(told), lambda console: show_story(console, told))


def read_story(desk: Desk, name: str) -> Told:
    history = found_history(desk, name)
    facts = facts_of_job(desk, history.job) if history.job.summary else {}
    story = story_of(history, now=now(), facts=facts)
    price = price_of(story.job.options.model)
    seconds = story.gpu_seconds_at_least, story.ran_seconds
    return Told(story, price.of(min(seconds), max(seconds)) if price else None)


def as_fields(told: Told) -> dict[str, Any]:
    story, job = told.story, told.story.job
    return {
        "job_id": job.id,
        "state": job.state.value,
        "reason_code": job.reason_code or None,
        "reason": job.reason or None,
        "source": {"bucket": job.source.bucket, "key": job.source.key, "version_id": job.source.version_id},
        "summary_key": job.summary_key,
        "created_at": job.created_at.isoformat(),
        "deadline": job.deadline.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "asked": {
            "words": job.options.words,
            "target_words": job.target_words,
            "model": job.options.model,
            "mode": job.options.mode.value,
            "strategy": job.options.strategy.value,
            "language": job.options.language or None,
            "prompt": job.options.prompt,
        },
        "words_in": job.words_in,
        "words_out": job.summary.words if job.summary else None,
        "events": [
            {"at": each.at.isoformat(), "by": each.by, "what": each.what, "why": each.why, **each.detail}
            for each in story.events
        ],
        "rounds": [_round_fields(each) for each in story.rounds],
        "seconds": {kind: round(value, 3) for kind, value in story.seconds.items()},
        "checks": list(checks_of(story)),
        "cost": {
            "requests": story.requests,
            "prompt_tokens": story.prompt_tokens,
            "completion_tokens": story.completion_tokens,
            "discarded_tokens": story.discarded_tokens,
            "gpu_seconds": {
                "by_request": round(story.ran_seconds, 3),
                "if_on_one_worker": round(story.gpu_seconds_at_least, 3),
            },
            "dollars": told.dollars.as_fields() if told.dollars else None,
        },
    }  # fmt: skip


def _round_fields(each: RoundStory) -> dict[str, Any]:
    return {
        "number": each.number,
        "asks": each.what,
        "began_at": each.began_at.isoformat(),
        "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        "calls": [
            {
                "call_id": call.call.id,
                "ask": call.call.ask,
                "state": call.call.state.value,
                "words_asked": call.call.words,
                "words_out": call.words_out,
                "prompt_tokens": call.prompt_tokens,
                "completion_tokens": call.completion_tokens,
                "held": call.call.hold or None,
                "attempts": [_attempt_fields(attempt) for attempt in call.attempts],
            }
            for call in each.calls
        ],
    }


def _attempt_fields(attempt: AttemptStory) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "runpod_id": attempt.runpod_id or None,
        "begun_at": attempt.begun_at.isoformat(),
        "ended_at": attempt.ended_at.isoformat() if attempt.ended_at else None,
        "outcome": attempt.outcome or None,
        "why": attempt.why or None,
        "found_by": attempt.found_by or None,
        "queued_seconds": attempt.queued_seconds,
        "ran_seconds": attempt.ran_seconds,
    }
