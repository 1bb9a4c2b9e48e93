"""Which scenarios apply to a request: its own wishes and the standing rules."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

from .scenarios import Plan, Rule, plan_for


@dataclass
class _Standing:
    rule: Rule
    left: int | None  # None: no end


class Rulebook:
    def __init__(self, rules: tuple[Rule | str, ...] = ()) -> None:
        self._standing: list[_Standing] = []
        self._refused: Counter[tuple[int, str]] = Counter()
        for rule in rules:
            self.add(Rule(scenarios=(rule,)) if isinstance(rule, str) else rule)

    def add(self, rule: Rule) -> None:
        self._standing.append(_Standing(rule, rule.next_jobs))

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
        matching = [one for one in self._standing if one.left != 0 and one.rule.containing in text]
        for one in matching:
            plan = plan_for(one.rule.scenarios)
            if plan.refuse_status and (one.left is not None or self._still_refuses(plan, body)):
                _use(one)
                return one.rule.scenarios, plan
        own = plan_for(asked)
        if own.refuse_status and self._still_refuses(own, body):
            return asked, own
        for one in matching:
            _use(one)
        names = (*(name for one in matching for name in one.rule.scenarios), *asked)
        return names, replace(plan_for(names), refuse_status=0)

    def _still_refuses(self, plan: Plan, body: bytes) -> bool:
        """Counts how often this very request was sent."""
        key = (plan.refuse_status, hashlib.sha256(body).hexdigest())
        self._refused[key] += 1
        return self._refused[key] <= plan.refuse_times


def _use(one: _Standing) -> None:
    if one.left is not None:
        one.left -= 1
