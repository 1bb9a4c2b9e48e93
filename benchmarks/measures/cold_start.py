"""From a fresh process to the first answer, by the built artifacts: CPU seconds, and time on the clock.

    python -m benchmarks cold_start

Each function answers the event that it answers most, over a stand-in for AWS and RunPod in another process.
Beside it, in turns: a bare interpreter that imports botocore and makes the same clients, which is the
floor; the same, with the function's requests to AWS; and the common way (benchmarks/peers/common_way.py).
CPU time is compared, as Lambda gives each function a share of a CPU, and as the clock of a busy machine
says little; a function of N MB takes N/1769 of that for it.
"""

import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.functions import recording
from benchmarks.functions.artifacts import ROOT, Built, built
from benchmarks.functions.processes import Told, make_clients, run
from benchmarks.functions.recording import Exchange, Invocation
from benchmarks.functions.stand_in import standing_in

WORDS = 10_000
TIMES = 5
_PEERS = ROOT / "benchmarks" / "peers"
# What the common way takes, over what an artifact of ours has.
_COMMON_PACKAGES = ("aws_lambda_powertools", "jmespath", "typing_extensions.py", "requests", "urllib3",
                    "certifi", "idna", "charset_normalizer")  # fmt: skip


@dataclass(frozen=True)
class Start:
    """Medians of a function's first answers."""

    cpu: float
    clock: float


def figures(times: int = TIMES) -> list[Figure]:
    artifacts = built()
    with tempfile.TemporaryDirectory() as name:
        common = _common_way(Path(name))
        return [
            figure
            for invocation in first_invocations()
            for figure in _of(artifacts, invocation, common, Path(name), times)
        ]


def first_invocations() -> list[Invocation]:
    """Return what each function is asked for first, most often."""
    job = recording.job(WORDS, **recording.ONE_CALL)
    # Most callbacks bring an answer of several; this one ends its stage, as the common way's does.
    in_rounds = recording.job(WORDS, rounds=1)
    callback = next(each for each in in_rounds if each.function == "webhook_receiver")
    by_function: dict[str, Invocation] = {}
    for each in [callback, *job, recording.sweep(), recording.webhook()]:
        by_function.setdefault(each.function, each)
    return list(by_function.values())


def _of(
    artifacts: Built, invocation: Invocation, common: Path, folder: Path, times: int
) -> list[Figure]:
    has_peer = invocation.function in ("submitter", "webhook_receiver")
    with (
        standing_in(invocation.exchanges) as origin,
        standing_in(_first_of_each(invocation.exchanges)) as peers_origin,
    ):
        ways: list[Callable[[], Told]] = [
            lambda: run(artifacts, invocation, folder, origin, **recording.ONE_CALL),
            lambda: make_clients(artifacts, invocation, origin),
            lambda: make_clients(artifacts, invocation, origin, asking=True),
        ]
        if has_peer:
            path = (common, _PEERS)
            ways.append(
                lambda: run(
                    artifacts,
                    invocation,
                    folder,
                    peers_origin,
                    path=path,
                    handler="common_way.handler",
                )
            )
        ours, floor, asking, *peer = _in_turns(ways, times)
    name = f"cold start of {invocation.function}"
    note = f"median of {times}; {ours.clock:.2f} s on this machine's clock"
    told = [
        Figure(group="Functions", name=name, value=1e3 * ours.cpu, unit="ms of CPU",
               beside="botocore and its clients alone", beside_value=1e3 * floor.cpu,
               most=1.15, note=note),
        Figure(group="Functions", name=f"{name}, its requests on both sides", value=1e3 * ours.cpu,
               unit="ms of CPU", beside="botocore, clients and requests",
               beside_value=1e3 * asking.cpu, note=note),
    ]  # fmt: skip
    if peer:
        told.append(
            Figure(group="Functions", name=name, value=1e3 * ours.cpu, unit="ms of CPU",
                   beside="the common way without a tracer",
                   beside_value=1e3 * peer[0].cpu, most=0.5, note=note)
        )  # fmt: skip
    return told


def _first_of_each(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the first answer of each operation: the peer asks for fewer, and for these."""
    return list({each.operation: each for each in reversed(exchanges)}.values())


def _in_turns(ways: list[Callable[[], Told]], times: int) -> list[Start]:
    """Let each way start so often, one after the other, for the machine changes meanwhile."""
    told = [[way() for way in ways] for _ in range(times)]
    return [
        Start(
            statistics.median(each.cpu for each in of_a_way),
            statistics.median(each.clock for each in of_a_way),
        )
        for of_a_way in zip(*told, strict=True)
    ]


def _common_way(folder: Path) -> Path:
    """Return the packages of the common way, whole and without bytecode, as `sam build` leaves them."""
    packages = folder / "common"
    packages.mkdir()
    source = ROOT / ".lambda-packages" / "python"
    for each in _COMMON_PACKAGES:
        if (source / each).is_dir():
            shutil.copytree(source / each, packages / each)
        else:
            shutil.copy(source / each, packages)
    return packages
