"""The agenda, the history, chance: what everything in a run shares."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from greenlet import getcurrent

from tests.simulation.agenda import Agenda
from tests.simulation.fault_profile import CALM, FaultProfile
from tests.simulation.scheduler import Fault, Invocation, Repeated


@dataclass(frozen=True)
class Line:
    """One line of the history."""

    at_seconds: float
    who: str
    what: str

    def __str__(self) -> str:
        minutes, seconds = divmod(self.at_seconds, 60)
        return f"{minutes:5.0f}:{seconds:06.3f}  {self.who:<24}  {self.what}"


@dataclass(frozen=True)
class Outage:
    """A time in which a service can't be reached."""

    from_seconds: float = 0.0
    until_seconds: float = 0.0
    is_partial: bool = False  # each service has its own meaning of it

    def is_at(self, seconds: float) -> bool:
        return self.from_seconds <= seconds < self.until_seconds


@dataclass
class Simulation(Agenda):
    """What every invocation of one run shares."""

    random: Random
    profile: FaultProfile = CALM
    is_swept_on_schedule: bool = True
    history: list[Line] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)  # what happened how often
    step_checks: list[Callable[[], None]] = field(default_factory=list)  # after every effect
    running: list[Invocation] = field(default_factory=list)
    effects: int = 0
    broken: Exception | None = None  # what a check has found; hidden from the functions

    def step(self) -> bool:
        """Do the next thing on the agenda; False if there is none. Raises what a check has found."""
        is_done = self.do_next()
        if self.broken:
            raise self.broken
        return is_done

    def latency_seconds(self) -> float:
        """Mostly milliseconds; sometimes longer than any function runs."""
        if self.happens(self.profile.slow_requests):
            return self.random.choice((1, 5, 20, 70, 130)) * self.random.random()
        return 0.001 + 0.05 * self.random.random() ** 3

    def outage(self, share: float) -> Outage:
        """Draw whether something goes away in this run, when, and for how long."""
        if not self.happens(share):
            return Outage()
        begins = 4_500 * self.random.random()
        lasts = self.random.choice((1_800, 3_600, 3 * 3_600)) * self.random.random()
        return Outage(begins, begins + lasts, is_partial=self.random.random() < 0.5)

    def happens(self, share: float) -> bool:
        return share > 0 and self.random.random() < share

    def fault(self, service: str, operation: str) -> Fault | Repeated | None:
        fault = self.profile.faults(service, operation, self.random)
        if fault:
            self.tally[f"{'RunPod' if service == 'runpod' else 'AWS'}: {fault.name}"] += 1
        return fault

    def record(self, who: str, what: str) -> None:
        self.history.append(Line(self.now_seconds, who, what))

    def check_step(self) -> None:
        self.effects += 1
        for look in self.step_checks:
            self.check(look)

    def check(self, invariant: Callable[[], None]) -> None:
        """Check an invariant; `step` raises what is broken, past the functions' own code."""
        try:
            invariant()
        except Exception as exc:
            self.broken = self.broken or exc

    def end(self) -> None:
        """Kill whatever is still running, so that no greenlet is left behind."""
        assert getcurrent().parent is None
        self.step_checks.clear()
        self.broken = None
        while self.running:
            for invocation in self.running:
                invocation.is_dead = True
            if not self.step():
                return
