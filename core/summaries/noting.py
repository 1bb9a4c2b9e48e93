"""What notes to take next of a transcript that doesn't fit a request. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from core.summaries.asks import Ask
from core.summaries.rounds import NextStep, Slot
from core.summaries.stage import Stage
from core.summaries.writing import PROBE

_MOST_TRIES = 2  # what a model fails to note, code notes
_MANY = 24  # calls: so many are not made before a few of them came to something


def pending_notes(stage: Stage) -> "NextStep | Stage | None":
    """Return the notes of the last level that are still to be taken; None where all there can be came."""
    if not stage.plan.notes:
        return None
    level = stage.plan.notes[-1]
    if too_long := stage.too_long(level):
        return stage.cut(too_long)
    tried = [slot for slot in level if stage.progress.tries(slot.name)]
    bad = [slot for slot in tried if _is_bad(stage, slot)]
    sound = len(tried) - len(bad)
    refused = sum(any(each.is_refused for each in stage.progress.tries(slot.name)) for slot in bad)
    if refused >= min(PROBE, len(level)) and refused >= sound:
        return stage.declined(refused)
    first = [slot for slot in level if slot not in tried]
    again = [slot for slot in bad if len(stage.progress.tries(slot.name)) < _MOST_TRIES]
    if not sound:  # before more calls are made, a few of those that came to nothing are tried again
        first = [] if bad else first[: PROBE if len(level) > _MANY else len(level)]
        again = again[:PROBE] if len(again) == len(bad) else []
    asks = [_ask(stage, slot) for slot in first]
    asks += stage.affordable(
        [_ask(stage, slot) for slot in again], after=asks, are_needed=not sound
    )
    if bad and not sound and not asks:
        return stage.unusable("what the model noted", _faults(stage, bad))
    return stage.round(asks) if asks else None


def next_level(stage: Stage) -> Stage | None:
    """Return the stage with one more level of notes planned; None where notes would get no shorter."""
    slots = stage.notes.next_level(stage.asker)
    if not slots:
        return None
    return stage.planned(replace(stage.plan, notes=(*stage.plan.notes, slots)))


def _is_bad(stage: Stage, slot: Slot) -> bool:
    return all(map(stage.judge.hard_faults, stage.progress.tries(slot.name)))


def _faults(stage: Stage, slots: Sequence[Slot]) -> str:
    faults = {
        str(fault)
        for slot in slots
        for each in stage.progress.tries(slot.name)
        for fault in stage.judge.hard_faults(each)
    }
    return ", ".join(sorted(faults))


def _ask(stage: Stage, slot: Slot) -> Ask:
    level = next(level for level in stage.plan.notes if slot in level)
    tries = stage.progress.tries(slot.name)
    return stage.asker.notes(
        slot,
        part=level.index(slot) + 1,
        parts=len(level),
        of=stage.notes.blocks(slot.level, slot.about),
        fault=stage.judge.hard_faults(tries[-1])[0] if tries else "",
    )
