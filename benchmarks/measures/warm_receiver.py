"""What a warm receiver takes for a callback, beside its requests to AWS alone.

    python -m benchmarks warm_receiver

The requests are those that the receiver was seen to make, asked again of the same clients without our code
around them, in turns with it. AWS is a stand-in on this machine, so what is compared is CPU; over a real
network, where each request takes milliseconds of waiting, ours is a smaller share.
"""

import statistics
import tempfile
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.functions import recording
from benchmarks.functions.artifacts import Built, built
from benchmarks.functions.processes import run
from benchmarks.functions.recording import Invocation
from benchmarks.functions.stand_in import standing_in

TIMES = 100
_CHECKS = "it checks 10,000 words' summary and publishes it, which took the submitter a start of its own; "


def figures(times: int = TIMES) -> list[Figure]:
    only_call = next(_callbacks(recording.job(10_000, **recording.ONE_CALL)))
    # The third is a section's: the first is the outline's, and the second is sometimes the stage's last.
    section = list(_callbacks(recording.job(2_000, rounds=2)))[2]
    return [
        _figure(built(), "that brings the one answer of a job", only_call, times, _CHECKS),
        _figure(built(), "of a section", section, times),
    ]


def _callbacks(invocations):  # type: ignore[no-untyped-def]
    return (each for each in invocations if each.function == "webhook_receiver")


def _figure(
    artifacts: Built, whose: str, callback: Invocation, times: int, remark: str = ""
) -> Figure:
    with (
        standing_in(callback.exchanges) as origin,
        tempfile.TemporaryDirectory() as folder,
    ):
        told = run(artifacts, callback, Path(folder), origin, times=times)
    ours = 1e3 * statistics.median(cpu for _, cpu in told.ours)
    alone = 1e3 * statistics.median(cpu for _, cpu in told.alone)
    asked = f"{len(told.asked)} requests: {', '.join(told.asked)}"
    return Figure(group="Functions", name=f"warm receiver, a callback {whose}", value=ours,
                  unit="ms of CPU", beside="its requests to AWS alone", beside_value=alone, most=1.2,
                  note=f"{remark}median of {times}; {asked}")  # fmt: skip
