"""Chooses the scenarios of a request: those it names itself, and the rules that match it."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace

from runpod_simulator.fault_plan import FaultPlan
from runpod_simulator.scenarios import Rule, plan_for


@dataclass
class _ActiveRule:
    rule: Rule
    left: int | None  # None: no end
    dice: random.Random
    _drawn: dict[str, bool] = field(default_factory=dict)  # by request

    def applies_to(self, text: str, request: str) -> bool:
        if self.left == 0 or self.rule.containing not in text:
            return False
        if self.rule.share < 1 and request not in self._drawn:
            self._drawn[request] = self.dice.random() < self.rule.share
        return self._drawn.get(request, True)


class ScenarioRules:
    """`seed` decides which requests a share falls on, in order of arrival; None leaves it to chance."""

    def __init__(self, rules: tuple[Rule | str, ...] = (), *, seed: int | None = None) -> None:
        self._seed = seed
        self._added = 0
        self._active: list[_ActiveRule] = []
        self._reject_counts: Counter[tuple[int, str]] = Counter()
        for rule in rules:
            self.add(Rule.parse(rule) if isinstance(rule, str) else rule)

    def add(self, rule: Rule) -> None:
        # Each rule has its own dice: what it draws must not depend on the other rules.
        seed = None if self._seed is None else f"{self._seed}/{self._added}"
        self._added += 1
        dice = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._active.append(_ActiveRule(rule, rule.next_jobs, dice))

    def clear(self) -> None:
        self._active.clear()
        self._reject_counts.clear()

    def rules(self) -> list[Rule]:
        """Return the rules that still apply, with the number of jobs left."""
        return [replace(one.rule, next_jobs=one.left) for one in self._active if one.left != 0]

    def choose(self, body: bytes, asked: tuple[str, ...]) -> tuple[tuple[str, ...], FaultPlan]:
        """Return the scenarios and the plan; `reject_status` is set only if the request is rejected now.

        A rejected request counts for the rule that rejects it and for no other.
        """
        text = body.decode("utf-8", errors="replace")
        request = hashlib.sha256(body).hexdigest()
        matching = [one for one in self._active if one.applies_to(text, request)]
        for one in matching:
            plan = plan_for(one.rule.scenarios)
            if plan.reject_status and (one.left is not None or self._still_rejects(plan, request)):
                _use(one)
                return one.rule.scenarios, plan
        own = plan_for(asked)
        if own.reject_status and self._still_rejects(own, request):
            return asked, own
        for one in matching:
            _use(one)
        names = (*(name for one in matching for name in one.rule.scenarios), *asked)
        return names, replace(plan_for(names), reject_status=0)

    def _still_rejects(self, plan: FaultPlan, request: str) -> bool:
        """Count how often this very request was sent."""
        key = (plan.reject_status, request)
        self._reject_counts[key] += 1
        return self._reject_counts[key] <= plan.reject_times


def _use(one: _ActiveRule) -> None:
    if one.left is not None:
        one.left -= 1
