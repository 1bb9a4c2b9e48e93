"""A transcript, a goal and limits for the tests of the engine."""

import random
from datetime import timedelta
from typing import Any

from core.summaries.goals import Goal, WritingLimits
from core.summaries.passages import Passages, numbered
from core.transcripts.turns import Turn
from tests.writing_model import Drive, WritingModel, driven

BOUNDARY = "0123456789abcdef0123456789abcdef"
_SUBJECTS = (
    "ferry crossing timetable harbour captain winter ice passenger ticket delay",
    "gangway tide wheelchair slope ramp concrete railing engineer drawing permit",
    "wages union contract overtime shift crew vacation pension ballot clause",
    "school bus children safety driver route stop parents crossing guard",
    "budget loan interest council grant audit invoice deficit reserve auditor",
)
_COMMON = (
    "the of and to in that we it is for on was with they at this have from be not are but had by what"
    " there were when can said more if would about them some could time these two may then do first any"
)


def transcript(turns: int = 120, words: int = 45, *, with_times: bool = False) -> Passages:
    """Return an hour of talk: five subjects, four speakers, English little words between the nouns."""
    rng = random.Random(7)  # noqa: S311 - the same each time, on purpose
    common = _COMMON.split()
    said = []
    for at in range(turns):
        subject = _SUBJECTS[at * len(_SUBJECTS) // turns].split()
        told = [
            rng.choice(subject) if rng.random() < 0.3 else rng.choice(common) for _ in range(words)
        ]
        starts_at = timedelta(seconds=20 * at) if with_times else None
        said.append(Turn(("Ann", "Bo", "Çelik", "Dee")[at % 4], " ".join(told) + ".", starts_at))
    return numbered(said)


def a_goal(words: int = 1_500, **changes: Any) -> Goal:
    return Goal(**{"words": words, "boundary": BOUNDARY, **changes})


def some_limits(context_tokens: int = 32_768, **changes: Any) -> WritingLimits:
    return WritingLimits(context_tokens=context_tokens, **changes)


def drive(
    model: WritingModel | None = None,
    *,
    passages: Passages | None = None,
    goal: Goal | None = None,
    limits: WritingLimits | None = None,
) -> Drive:
    return driven(
        passages or transcript(), goal or a_goal(), limits or some_limits(), model or WritingModel()
    )
