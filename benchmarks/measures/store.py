"""What a job of many sections costs the table: requests, units, retries, seconds, and the size of items.

The real handlers over moto, on virtual time, with DynamoDB's units counted (benchmarks/account.py). The
engine alone is replaced: by one that asks once, then for as many sections as are wanted, then is finished.
What a job of one call costs is measured with the real engine.

    python -m benchmarks.measures.store 1000 1240
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from benchmarks.account import Account, an_account
from benchmarks.figures import Figure
from benchmarks.units import Meter
from core.aws.items import JOB_ITEM
from core.jobs.job import JobState
from core.summaries.asks import Ask, AskKind
from core.summaries.facts import Facts
from core.summaries.rounds import Finished, Plan, Round
from tests.builders import chat_completion, completed_body
from tests.fakes.model import FakeModel, a_transcript

_MOST_BYTES = 400 * 1024
_UNITS_PER_SECOND = 1_000  # that DynamoDB takes of a partition
_RUN_PER_SECOND = 100  # that RunPod takes
_FEW, _MANY = 100, 1_000
_WORDS = 1_500  # of a job of one call


@dataclass(frozen=True, kw_only=True)
class FanOut:
    sections: int
    submitting_seconds: float
    longest_submit_seconds: float  # of one invocation
    submits: int  # invocations
    refused: int  # by RunPod, with 429
    fan_in_seconds: float
    submitting: Meter
    fan_in: Meter
    finishing: Meter

    @property
    def requests(self) -> Counter[str]:
        """All but reading secrets, which is done every five minutes."""
        meters = (self.submitting, self.fan_in, self.finishing)
        total = sum((meter.requests for meter in meters), Counter())
        return Counter({k: n for k, n in total.items() if not k.startswith("secretsmanager")})

    @property
    def retries(self) -> int:
        """How many writes were turned away while the sections finished."""
        return self.fan_in.refused.total()

    @property
    def hottest_units(self) -> int:
        """The write units of the fan-in's hottest partition: of the table, or of an index."""
        return max((*self.fan_in.partition_units().values(), *self.fan_in.index_units.values()))

    @property
    def units_per_section(self) -> float:
        return self.fan_in.write_units.total() / self.sections

    @property
    def largest_item_bytes(self) -> int:
        meters = (self.submitting, self.fan_in, self.finishing)
        return max(size for meter in meters for size in meter.largest_bytes.values())


def fan_out(sections: int) -> FanOut:
    """Take a job of so many sections from its upload to its summary."""
    with an_account() as account, _engine(sections):
        account.upload("long.txt", a_transcript(400))
        begun = account.invoked["submitter"]
        submitting_seconds, submitting = account.measured(lambda: _answer_all(account))
        submits = account.invoked["submitter"] - begun
        longest = account.longest_seconds["submitter"]
        fan_in_seconds, fan_in = account.measured(lambda: _answer_all(account, is_finishing=False))
        _, finishing = account.measured(account.run)
        _check(account)
    return FanOut(
        sections=sections,
        submitting_seconds=submitting_seconds,
        longest_submit_seconds=longest,
        submits=submits,
        refused=account.runpod.refused,
        fan_in_seconds=fan_in_seconds,
        submitting=submitting,
        fan_in=fan_in,
        finishing=finishing,
    )


def one_call() -> Counter[str]:
    """Return the requests of a whole job that takes one call."""
    with an_account() as account:
        model = FakeModel()

        def job() -> None:
            account.upload("short.txt", a_transcript(_WORDS))
            while account.open_requests():
                answers = {
                    request["webhook"]: model.answer(request, runpod_id)
                    for runpod_id, request in account.take_requests().items()
                }
                account.call_back(answers)

        _, meter = account.measured(job)
        assert len(account.runpod.requests) == 1, "the transcript takes more than one call"
        _check(account)
    return Counter({k: n for k, n in meter.requests.items() if not k.startswith("secretsmanager")})


def _check(account: Account) -> None:
    assert not account.failed, account.failed
    jobs = [item for key, item in account.table.items.items() if key[1] == JOB_ITEM]
    assert [job["state"]["S"] for job in jobs] == [JobState.SUCCEEDED], jobs


def _answer_all(account: Account, *, is_finishing: bool = True) -> None:
    answers: dict[str, Mapping[str, Any]] = {
        request["webhook"]: completed_body(id=runpod_id, output=[chat_completion("A sentence.")])
        for runpod_id, request in account.take_requests().items()
    }
    account.call_back(answers, delivers=is_finishing)


@contextmanager
def _engine(sections: int) -> Iterator[None]:
    def next_round(passages: Any, goal: Any, _limits: Any, history: Sequence[Any]) -> Any:
        last = passages.all[-1].number
        match len(history):
            case 0:
                return _round(1, last, goal.boundary)
            case 1:
                return _round(sections, last, goal.boundary)
        return Finished(text="A summary.", facts=Facts(way="outline"))

    with (
        patch("submitter.intake.next_round", next_round),
        patch("submitter.stages.next_round", next_round),
    ):
        yield


def _round(asks: int, last: int, boundary: str) -> Round:
    return Round(
        asks=tuple(
            Ask(
                name=f"section-{number}.1",
                slot=f"section-{number}.1",
                kind=AskKind.SECTION,
                passages=((1, last),),
                about=((1, last),),
                system="Write.",
                instructions="Write a section about it.",
                words=200,
                max_tokens=500,
                boundary=boundary,
            )
            for number in range(1, asks + 1)
        ),
        plan=Plan(way="outline"),
    )


def figures() -> list[Figure]:
    few, many = fan_out(_FEW), fan_out(_MANY)
    return [
        _counted("AWS requests of a job of one call", one_call().total(), most=7),
        _counted(f"AWS requests per section, of {_MANY:,}", many.requests.total() / _MANY, most=5),
        Figure(
            group="Store",
            name=f"submitting {_MANY:,} sections",
            value=many.submitting_seconds,
            unit="s",
            beside="RunPod's limit for /run",
            beside_value=_MANY / _RUN_PER_SECOND,
            most=2,
            note=f"{many.submits} invocation(s), the longest {many.longest_submit_seconds:.0f} of its"
            f" 60 s, {many.refused} requests refused",
        ),
        Figure(
            group="Store",
            name=f"fan-in of {_MANY:,} sections at once",
            value=many.hottest_units / _UNITS_PER_SECOND,
            unit="s",
            most=3,
            note=f"{many.hottest_units:,} write units on the hottest partition, which takes"
            f" {_UNITS_PER_SECOND:,} a second",
        ),
        Figure(
            group="Store",
            name=f"its write units per section, of {_MANY:,}",
            value=many.units_per_section,
            unit="units",
            beside=f"of {_FEW:,}",
            beside_value=few.units_per_section,
            most=1.1,
            note="linear: a section costs the same however many there are",
        ),
        _counted(
            f"its writes that were turned away, per section of {_MANY:,}",
            many.retries / _MANY,
            most=1,
        ),
        Figure(
            group="Store",
            name=f"largest item of a job of {_MANY:,} sections",
            value=many.largest_item_bytes / 1024,
            unit="KB",
            beside="DynamoDB's limit",
            beside_value=_MOST_BYTES / 1024,
            most=0.5,
        ),
    ]


def _counted(name: str, value: float, *, most: float) -> Figure:
    note = 'what each is for, and which promise would go with it, is said under "Store and queue"'
    return Figure(group="Store", name=name, value=value, unit="requests", most=most, note=note)


def main(arguments: Sequence[str]) -> None:
    for sections in map(int, arguments):
        found = fan_out(sections)
        print(f"{sections:,} sections: {found.requests.total() / sections:.2f} requests a section")
        for name in ("submitting", "fan_in", "finishing"):
            meter: Meter = getattr(found, name)
            ((item, units),) = meter.write_units.most_common(1)
            print(
                f"  {name}: {dict(meter.requests)}, turned away {dict(meter.refused)},"
                f" write units {meter.write_units.total():,} of which {units:,} of {item[1]},"
                f" of indexes {dict(meter.index_units)}, read units {meter.read_units:,.0f}"
            )
        print(f"  submitted in {found.submitting_seconds:.1f} s, {found.submits} invocation(s)")
        print(f"  largest item {found.largest_item_bytes:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
