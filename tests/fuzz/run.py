"""Episodes of requests to one harness each, judged one by one and counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.checks import faults
from tests.fuzz.receiver import Answer, ReceiverHarness
from tests.fuzz.requests import KINDS, REPEATED, CallbackRequest, a_request
from tests.fuzz.situations import a_world

REQUESTS_PER_EPISODE = 40
_REPEATED_SHARE = 0.05
_MOST_TOLD = 20


@dataclass(frozen=True)
class Fault:
    episode: int
    number: int  # of the request within its episode
    kinds: tuple[str, ...]
    what: str


@dataclass
class Tally:
    """What was sent and what came of it."""

    requests: int = 0
    genuine: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)  # by kind and status code
    codes: Counter[int] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)  # the moves of calls that were seen
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.requests += other.requests
        self.genuine += other.genuine
        self.answers += other.answers
        self.codes += other.codes
        self.steps += other.steps
        self.faults += other.faults[: max(0, _MOST_TOLD - len(self.faults))]

    def note(self, request: CallbackRequest, answer: Answer) -> None:
        code = answer.response["statusCode"] if answer.error is None else 500
        self.requests += 1
        self.genuine += request.is_genuine
        self.codes[code] += 1
        for kind in request.kinds:
            self.answers[kind, code] += 1
        if answer.before and answer.after:
            for key, call in answer.after.calls.items():
                was = answer.before.calls[key]
                if was.state is not call.state:
                    self.steps[f"{was.state} -> {call.state}"] += 1

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for kind, _ in self.answers)

    @property
    def lacking(self) -> list[str]:
        """Return why the run proves less than it should: what was never sent, or never let in."""
        missing = [f"never sent: {kind}" for kind in sorted(KINDS - self.kinds)]
        unseen = [
            f"never answered: {code}" for code in (200, 400, 401, 404, 409) if not self.codes[code]
        ]
        return missing + unseen


def run_episodes(seed: int, first: int, last: int) -> Tally:
    """Run the episodes of a seed from one number up to another, each in a harness of its own."""
    total = Tally()
    for episode in range(first, last):
        total.add(run(Random(f"{seed}:{episode}"), episode=episode))  # noqa: S311 - replayable
    return total


def run(rng: Random, *, episode: int = 0, requests: int = REQUESTS_PER_EPISODE) -> Tally:
    tally = Tally()
    harness = a_world(rng)
    for number, request in enumerate(_requests(rng, harness, requests)):
        answer = harness.send(request.event)
        tally.note(request, answer)
        for what in faults(request, answer, harness):
            tally.faults.append(Fault(episode, number, request.kinds, what))
    return tally


def _requests(rng: Random, harness: ReceiverHarness, count: int) -> Iterator[CallbackRequest]:
    sent: list[CallbackRequest] = []
    for _ in range(count):
        if sent and rng.random() < _REPEATED_SHARE:
            before = rng.choice(sent)
            yield CallbackRequest(kinds=(REPEATED,), event=before.event, ref=before.ref)
            continue
        sent.append(a_request(rng, harness))
        yield sent[-1]
