"""What a stage of calls leaves, and what is asked for again. Pure.

A job's texts stand in slots, in order. A stage fills them with calls; a repair fills some anew, each by
one call or by several with a share of its task, and leaves the others as they are. The pipeline does
this over days, one RunPod request a call; the worker of pull mode does it beside the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.jobs import Request
from core.layers import Layer
from core.plans import (
    WORTH_REPAIRING_WORDS,
    Limits,
    Task,
    Written,
    plan_repair,
    target_words,
)
from core.words import count_words

Slot = str | Sequence[Task]  # the id of a call whose text stands, or the tasks that shall fill it


@dataclass(frozen=True, kw_only=True)
class Redo:
    """What is to be asked for again."""

    slots: list[Slot]
    repairs: int  # rounds of repair, this one included if it is one

    @property
    def tasks(self) -> list[Task]:
        return [task for slot in self.slots if not isinstance(slot, str) for task in slot]


def aim(request: Request, transcript_words: int) -> tuple[Request, int]:
    """Return the request as it holds for a transcript of so many words, and its summary's length."""
    target = target_words(request.words, transcript_words)
    if target < WORTH_REPAIRING_WORDS:
        request = replace(request, most_repairs=0)
    return request, target


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


def written(task: Task, text: str | None, *, was_cut: bool) -> Written:
    """Measure what a task came to; None is a prompt that was too long for the model."""
    if text is None:
        return Written(task=task, words=0, overflowed=True)
    return Written(task=task, words=count_words(text), was_cut=was_cut)


def redo(
    ids: Sequence[str],
    texts: Sequence[Written],
    layer: Layer,
    *,
    request: Request,
    target: int,
    limits: Limits,
    repairs: int,
) -> Redo | None:
    """Return what a stage that is done must do again, or None if its texts are good enough.

    `repairs` counts the rounds there were. Splitting what was too long for the model is none.
    """
    may_repair = repairs < request.most_repairs
    redone = plan_repair(
        texts,
        layer.tokens,
        target=target,
        limits=limits,
        least_share=request.least_percent / 100 if may_repair else None,
    )
    if not any(redone):
        return None
    is_repair = not any(each.overflowed for each in texts)
    return Redo(
        slots=[tasks or name for name, tasks in zip(ids, redone, strict=True)],
        repairs=repairs + is_repair,
    )
