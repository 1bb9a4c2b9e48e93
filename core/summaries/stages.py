"""What a stage of calls leaves, and what is asked for again. Pure.

A job's texts stand in slots, in order. A stage fills them with calls; a repair fills some anew, each by
one call or by several with a share of its task, and leaves the others as they are. The pipeline does
this over days, one RunPod request a call; the worker of pull mode does it beside the model.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from core.summaries.levels import Level
from core.summaries.options import SummaryOptions
from core.summaries.plans import (
    WORTH_REPAIRING_WORDS,
    Kind,
    Limits,
    Task,
    Written,
    plan_repair,
    target_words,
)
from core.words import count_words

Slot = str | Sequence[Task]  # the id of a call whose text stands, or the tasks that shall fill it


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """What a stage requests, and which texts stand already.

    It is stored before the first of its calls is recorded. So whoever begins the stage again, after a
    death and with another version of this program, begins the same one.
    """

    slots: Sequence[Slot]
    repairs: int = 0  # rounds of repair, this one included if it is one

    @property
    def tasks(self) -> list[Task]:
        return [task for slot in self.slots if not isinstance(slot, str) for task in slot]

    def as_document(self) -> str:
        """Return the plan as JSON, to be stored."""
        slots = [
            slot if isinstance(slot, str) else [asdict(task) for task in slot]
            for slot in self.slots
        ]
        return json.dumps({"slots": slots, "repairs": self.repairs})


def plan_in(document: str) -> StagePlan:
    """Read a plan that was stored."""
    fields = json.loads(document)
    slots = [
        slot
        if isinstance(slot, str)
        else [Task(**{**task, "kind": Kind(task["kind"])}) for task in slot]
        for slot in fields["slots"]
    ]
    return StagePlan(slots=slots, repairs=fields["repairs"])


def resolve_target(options: SummaryOptions, transcript_words: int) -> tuple[SummaryOptions, int]:
    """Return the request as it holds for a transcript of so many words, and its summary's length."""
    target = target_words(options.words, transcript_words)
    if target < WORTH_REPAIRING_WORDS:
        options = replace(options, most_repairs=0)
    return options, target


def filled(slots: Sequence[Slot], *, stage: int) -> tuple[list[str], list[tuple[str, Task]]]:
    """Name the calls of a stage: return the slots, each a call's id, and the new calls' ids and tasks."""
    ids: list[str] = []
    new: list[tuple[str, Task]] = []
    for slot in slots:
        if isinstance(slot, str):
            ids.append(slot)
            continue
        for task in slot:
            new.append((f"{stage}-{len(new)}", task))
            ids.append(new[-1][0])
    return ids, new


def too_long(task: Task) -> Written:
    """Say of a task that its prompt was too long for the model."""
    return Written(task=task, words=0, overflowed=True)


def written(task: Task, text: str, *, was_cut: bool) -> Written:
    """Measure the text that a task produced."""
    return Written(task=task, words=count_words(text), was_cut=was_cut)


def redo(
    ids: Sequence[str],
    texts: Sequence[Written],
    level: Level,
    *,
    options: SummaryOptions,
    target: int,
    limits: Limits,
    repairs: int,
) -> StagePlan | None:
    """Return what a stage that is done must do again, or None if its texts are good enough.

    `repairs` counts the rounds there were. Splitting what was too long for the model is none.
    """
    may_repair = repairs < options.most_repairs
    redone = plan_repair(
        texts,
        level.tokens,
        target=target,
        limits=limits,
        least_share=options.least_percent / 100 if may_repair else None,
    )
    if not any(redone):
        return None
    is_repair = not any(each.overflowed for each in texts)
    return StagePlan(
        slots=[tasks or name for name, tasks in zip(ids, redone, strict=True)],
        repairs=repairs + is_repair,
    )
