"""Which scenarios apply to a request: its own wishes and the standing rules."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace

from .scenarios import Plan, Rule, plan_for


@dataclass
class _Standing:
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


class Rulebook:
    """`seed` decides which requests a share falls on, by the order in which they come; None: by chance."""

    def __init__(self, rules: tuple[Rule | str, ...] = (), *, seed: int | None = None) -> None:
        self._seed = seed
        self._added = 0
        self._standing: list[_Standing] = []
        self._refused: Counter[tuple[int, str]] = Counter()
        for rule in rules:
            self.add(Rule.parse(rule) if isinstance(rule, str) else rule)

    def add(self, rule: Rule) -> None:
        # Dice of its own for each rule: what one draws must not depend on what others stand beside it.
        seed = None if self._seed is None else f"{self._seed}/{self._added}"
        self._added += 1
        dice = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._standing.append(_Standing(rule, rule.next_jobs, dice))

    def clear(self) -> None:
        self._standing.clear()
        self._refused.clear()

    def rules(self) -> list[Rule]:
        """Those that still apply, with what is left of them."""
        return [replace(one.rule, next_jobs=one.left) for one in self._standing if one.left != 0]

    def choose(self, body: bytes, asked: tuple[str, ...]) -> tuple[tuple[str, ...], Plan]:
        """The scenarios for this request; `refuse_status` is set only if it is to be refused now.

        A refused request uses up the rule that refuses it and no other.
        """
        text = body.decode("utf-8", errors="replace")
        request = hashlib.sha256(body).hexdigest()
        matching = [one for one in self._standing if one.applies_to(text, request)]
        for one in matching:
            plan = plan_for(one.rule.scenarios)
            if plan.refuse_status and (one.left is not None or self._still_refuses(plan, request)):
                _use(one)
                return one.rule.scenarios, plan
        own = plan_for(asked)
        if own.refuse_status and self._still_refuses(own, request):
            return asked, own
        for one in matching:
            _use(one)
        names = (*(name for one in matching for name in one.rule.scenarios), *asked)
        return names, replace(plan_for(names), refuse_status=0)

    def _still_refuses(self, plan: Plan, request: str) -> bool:
        """Counts how often this very request was sent."""
        key = (plan.refuse_status, request)
        self._refused[key] += 1
        return self._refused[key] <= plan.refuse_times


def _use(one: _Standing) -> None:
    if one.left is not None:
        one.left -= 1
