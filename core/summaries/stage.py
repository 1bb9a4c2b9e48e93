"""Where a job stands: what came, what is planned, and what all parts of the engine do with both. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.summaries.asking import Asker
from core.summaries.asks import Ask
from core.summaries.checks import Fault
from core.summaries.facts import Facts
from core.summaries.judging import Judge
from core.summaries.notes import Notes
from core.summaries.planning import Planner
from core.summaries.progress import Progress
from core.summaries.reporting import cost_of, fault_checks
from core.summaries.rounds import GivenUp, NextStep, Plan, Round, Slot


@dataclass(frozen=True)
class Stage:
    progress: Progress
    plan: Plan

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.progress)

    @cached_property
    def notes(self) -> Notes:
        return Notes(self.progress, self.plan, self.judge)

    @cached_property
    def planner(self) -> Planner:
        return Planner(self.progress, self.plan, self.notes)

    @property
    def asker(self) -> Asker:
        return self.planner.asker

    def planned(self, plan: Plan) -> "Stage":
        """Return the stage that goes on with another plan."""
        return Stage(self.progress, plan)

    def round(self, asks: Sequence[Ask]) -> NextStep:
        """Return a round of these asks, unless the job would take more than it may."""
        if self.is_within_bounds(asks):
            return Round(asks=tuple(asks), plan=self.plan)
        limits = self.progress.limits
        return self.given_up(
            "too-many-calls",
            f"the summary would take more than {limits.most_rounds} rounds or {limits.most_calls:,} calls;"
            " serve the model with a larger MAX_MODEL_LEN, or split the transcript",
        )

    def affordable(
        self, asks: Sequence[Ask], after: Sequence[Ask] = (), *, are_needed: bool = False
    ) -> list[Ask]:
        """Return the asks that the budget allows, from the first."""
        kept: list[Ask] = []
        for ask in asks:
            if self.allows([*after, *kept, ask], are_needed=are_needed):
                kept.append(ask)
        return kept

    def allows(self, asks: Sequence[Ask], *, are_needed: bool = False) -> bool:
        can_afford = self.progress.can_afford(asks, is_needed=are_needed)
        return can_afford and self.is_within_bounds(asks)

    def is_within_bounds(self, asks: Sequence[Ask]) -> bool:
        limits = self.progress.limits
        calls = self.progress.cost.calls + len(asks)
        return len(self.progress.history) < limits.most_rounds and calls <= limits.most_calls

    def too_long(self, slots: Iterable[Slot]) -> list[Slot]:
        """Return the slots whose last prompt the endpoint refused as too long."""
        return [
            slot
            for slot in slots
            if (tries := self.progress.tries(slot.name)) and tries[-1].overflowed
        ]

    def cut(self, slots: Sequence[Slot]) -> "Stage | GivenUp":
        """Return the stage in which slots whose prompts were too long are replaced by their halves."""
        halves = {slot.name: self.planner.halves(slot) for slot in slots}
        if not all(halves.values()):
            return self.given_up(
                "context-length",
                "the endpoint refuses even the smallest prompt as too long; set MaxModelLenTokens to"
                " what it really serves",
            )

        def replaced(old: tuple[Slot, ...]) -> tuple[Slot, ...]:
            return tuple(new for slot in old for new in halves.get(slot.name, (slot,)))

        return self.planned(
            replace(
                self.plan,
                notes=tuple(map(replaced, self.plan.notes)),
                sections=replaced(self.plan.sections),
                ledger=replaced(self.plan.ledger),
            )
        )

    def declined(self, calls: int) -> GivenUp:
        return self.given_up(
            "model-declined",
            f"the model declined to write about this transcript ({calls} calls); try another model, or a"
            " prompt set that fits the material",
        )

    def unusable(self, what: str, faults: str, *codes: Fault | None) -> GivenUp:
        """Return that what a model wrote can't be used; with a code of its own where it wrote nothing."""
        failures = sorted({each.answer.failure for each in self.progress.all_tries} - {""})
        if failures:
            faults = f"{faults}; calls failed with {', '.join(failures)}"
        return self.given_up(
            "no-answer" if set(codes) == {Fault.FAILED} else "model-unusable",
            f"{what} could not be used ({faults}), as far as the budget of generated tokens let it be"
            " asked for again; try again, or another model",
        )

    def given_up(self, code: str, message: str) -> GivenUp:
        """Return that a job is given up, with what it cost all the same."""
        facts = Facts(
            way=self.plan.way,
            target_words=self.progress.goal.words,
            remarks=self.plan.remarks,
            checks=tuple(fault_checks(self.progress, self.judge)),
            cost=cost_of(self.progress, {}),
        )
        return GivenUp(code=code, message=message, facts=facts)
