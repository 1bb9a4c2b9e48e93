"""What the model of one run does that models do: now and then, or always for one kind of ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.summaries.asks import Ask, AskKind
from tests.simulation.simulation import Simulation
from tests.writing_habits import HABITS, altering_quotes, breaking_json, refusing

_STRUCTURED = (AskKind.OUTLINE, AskKind.LEDGER)
# What a model of some bad habit writes, and what no summary may say.
UNFIT = (
    "I'm sorry, but I can't help",
    "<think>",
    "Here is what you asked for",
    "```",
    "**1. Zusam",
)

# What a tally of many runs must hold.
MUST_HAPPEN = (
    "outline: breaks off its JSON at once",
    "outline: declines",
    "section: declines",
    "ledger: breaks off its JSON late",
    "overview: says one sentence again and again",
    "notes: declines",
    "single: declines",
    "pull: a model with bad habits",
    "outline: an attempt lost",
    "section: lost for good",
    "overview: late",
    "killed between two stages",
)


@dataclass
class ModelHabits:
    simulation: Simulation
    _stubborn: Mapping[AskKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.simulation.happens(self.simulation.profile.stubborn_models):
            random = self.simulation.random
            kind = random.choice(list(AskKind))
            names = list(HABITS)
            if kind in _STRUCTURED and random.random() < 0.5:
                names = [name for name, habit in HABITS.items() if habit in _OF_STRUCTURED]
            self._stubborn = {kind: random.choice(names)}

    def write(self, ask: Ask, text: str) -> str | None:
        """Return what the model writes instead of a sound text; None where it writes that."""
        simulation = self.simulation
        is_now = simulation.happens(simulation.profile.bad_habits)
        name = self._stubborn.get(ask.kind) or (
            simulation.random.choice(list(HABITS)) if is_now else ""
        )
        changed = HABITS[name](ask, text) if name else None
        if changed is not None:
            simulation.tally[f"{ask.kind}: {name}"] += 1
        return changed


_OF_STRUCTURED = (breaking_json, refusing, altering_quotes)
