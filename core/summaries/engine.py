"""What to ask a model next, so that a summary comes of it; or the summary. Pure.

    notes             only where a transcript does not fit the context: of ranges, with their turns' numbers
    outline           one call: title, headings, topics with the turns each is about
    sections, ledger  at once: paragraphs of each topic; decisions, action items, questions and quotes
    overview          one call, from what was written
    checks, assembly  code

    next_round(passages, goal, limits, history) -> Round | Finished | GivenUp

The engine knows no AWS, no RunPod and no clock. Its drivers are the pipeline (a call is a RunPod request),
the worker of pull mode (the model is beside it), and tests and benchmarks. Each does the same:

    passages = numbered(goal.glossary.applied_to_turns(transcript.turns))   stored once for each job
    goal = goal_of(options, passages.words, boundary=job id, glossary=...)
    limits = WritingLimits(context_tokens=..., max_tokens=..., reliable_words=...)
    history = []
    while isinstance(step := next_round(passages, goal, limits, history), Round):
        store step.as_fields()                                              before its calls are recorded
        answers = {ask.name: answer of chat_request(ask, passages, options) for ask in step.asks}
        history.append(PastRound(round=step, answers=answers))

An answer is `answer_of(text, ...)` of what the model wrote, or `Answer(failure=code)` where there is none;
a prompt refused as too long is `Answer(failure=CONTEXT_LENGTH)`. All answers of a round must be there. The
same history gives the same step; an ask that has a sound answer is not made again, and the names of asks
never repeat. `Finished` has the Markdown text and its facts, `GivenUp` a code and what a person should do.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.summaries import instructions
from core.summaries.asks import Ask
from core.summaries.checks import Fault
from core.summaries.cohesion import outline_by_cohesion
from core.summaries.finishing import Finishing
from core.summaries.goals import Goal, WritingLimits
from core.summaries.noting import next_level, pending_notes
from core.summaries.options import Strategy
from core.summaries.outline import LEAST_CLAIMED_SHARE, Outline, parse_outline
from core.summaries.overview import Overview
from core.summaries.passages import Passages
from core.summaries.progress import TOKENS_PER_WORD, Progress, Try
from core.summaries.rounds import NextStep, PastRound
from core.summaries.shares import with_words
from core.summaries.single import Single
from core.summaries.stage import Stage
from core.summaries.writing import Writing, faults_in_words

SINGLE, OUTLINE = "single", "outline"
DOES_NOT_FIT = "single-does-not-fit"  # the remark on a summary that was to be one answer

_MOST_OUTLINE_TRIES = 2
_LEAST_CLAIMED_BY_NOTES = 0.1  # notes do not name every turn


def next_round(
    passages: Passages, goal: Goal, limits: WritingLimits, history: Sequence[PastRound]
) -> NextStep:
    """Return what to ask next, or the end. The same arguments always give the same."""
    progress = Progress(passages, goal, limits, history)
    step: NextStep | Stage = Stage(progress, progress.plan)
    while isinstance(step, Stage):
        step = _next_of(step)
    return step


def _next_of(stage: Stage) -> NextStep | Stage:
    """Return the next step, or the stage that goes on with a plan that says more."""
    if not stage.plan.way:
        return _with_a_way(stage)
    if stage.plan.way == SINGLE:
        return _single(stage)
    if stage.plan.outline is None:
        return _outline(stage)
    return _written(stage)


def _with_a_way(stage: Stage) -> Stage:
    goal = stage.progress.goal
    is_small = goal.words <= stage.progress.limits.reliable_words
    is_asked_for = goal.strategy is Strategy.SINGLE
    if is_asked_for or (goal.strategy is Strategy.AUTO and is_small):
        # Of English, whatever language it is: MaxTokens is the deployment's own choice, and an answer that
        # is cut all the same is judged as one.
        can_write = goal.words * TOKENS_PER_WORD <= stage.progress.limits.max_tokens
        if can_write and stage.asker.fits(stage.asker.single(words=goal.words)):
            return stage.planned(replace(stage.plan, way=SINGLE))
        if is_asked_for:
            return _by_outline_after_all(stage)
    return stage.planned(replace(stage.plan, way=OUTLINE))


def _by_outline_after_all(stage: Stage) -> Stage:
    remarks = (*stage.plan.remarks, DOES_NOT_FIT)
    return stage.planned(replace(stage.plan, way=OUTLINE, remarks=remarks))


def _single(stage: Stage) -> NextStep | Stage:
    tries = stage.progress.tries("single")
    if tries and tries[-1].overflowed:
        return _by_outline_after_all(stage)
    single = Single(stage.progress, stage.plan, stage.judge)
    ask = single.next_ask(stage.asker)
    if ask and (not tries or stage.allows([ask], are_needed=not single.is_usable)):
        return stage.round([ask])
    if finished := single.finished():
        return finished
    if single.refused:
        return stage.declined(len(single.tries))
    return stage.unusable("the summary", str(single.fault), single.fault)


def _outline(stage: Stage) -> NextStep | Stage:
    """Return notes or an outline to ask for, or the stage that has one and all that follows from it."""
    tries = [each for each in stage.progress.tries("outline") if not each.overflowed]
    outline = next((each for t in tries if (each := _read(stage, t.answer.text))), None)
    if outline is None and len(tries) < _MOST_OUTLINE_TRIES:
        if pending := pending_notes(stage):
            return pending
        ask = _outline_ask(stage, tries)
        if stage.asker.fits(ask):
            return stage.round([ask])
        if deeper := next_level(stage):
            return deeper
    if outline is None:
        outline = outline_by_cohesion(
            stage.progress.passages, topics=stage.planner.topics, headings=_headings(stage)
        )
    words = stage.planner.section_words
    outline = with_words(outline, stage.progress.passages, words=words)
    stage = stage.planned(replace(stage.plan, outline=outline))
    sections, ledger = stage.planner.sections(outline), stage.planner.ledger()
    return stage.planned(replace(stage.plan, sections=sections, ledger=ledger))


def _outline_ask(stage: Stage, tries: Sequence[Try]) -> Ask:
    """Return the ask for an outline, of the transcript or of the last level of its notes."""
    fault = ""
    if tries:
        fault = Fault.REFUSED if tries[-1].is_refused else Fault.UNREADABLE
    whole = ((1, stage.progress.passages.last),)
    blocks = stage.notes.blocks(len(stage.plan.notes), whole)
    return stage.asker.outline(stage.planner.topics, blocks, fault=fault)


def _read(stage: Stage, text: str) -> Outline | None:
    return parse_outline(
        text,
        stage.progress.passages,
        headings=_headings(stage),
        least_claimed=_LEAST_CLAIMED_BY_NOTES if stage.plan.notes else LEAST_CLAIMED_SHARE,
    )


def _headings(stage: Stage) -> dict[str, str]:
    return dict(instructions.headings(stage.progress.goal.prompts))


def _written(stage: Stage) -> NextStep | Stage:
    """Return sections, ledger or overview to ask for; or the end."""
    if too_long := stage.too_long((*stage.plan.sections, *stage.plan.ledger)):
        return stage.cut(too_long)
    writing = Writing(stage.progress, stage.plan, stage.judge, stage.notes, stage.planner)
    if refused := writing.refused:
        return stage.declined(refused)
    if first := writing.first_asks():
        return stage.round(first)
    again = stage.affordable(writing.second_asks(), are_needed=True)
    again += stage.affordable(writing.length_asks(), after=again)
    if again:
        return stage.round(again)
    bad = [each for each in writing.standings.values() if not each.is_usable]
    if bad:
        what = f"{len(bad)} of {len(writing.standings)} sections of the summary"
        return stage.unusable(what, faults_in_words(bad), *(each.fault for each in bad))
    overview = Overview(writing)
    ask = overview.next_ask()
    if ask and stage.is_within_bounds([ask]):
        return stage.round([ask])
    return Finishing(writing, overview).finished()
