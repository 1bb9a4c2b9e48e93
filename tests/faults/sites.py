"""Where the functions call AWS and RunPod: call sites, named by our own stack frames."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_ROOT = Path(__file__).parents[2]
_OURS = ("core", "submitter", "webhook_receiver", "sweeper")
_ON_EVERY_PATH = {  # so they distinguish nothing
    f"{_ROOT}/core/aws/contention.py",
    f"{_ROOT}/core/jobs/observed_store.py",
}
_READS = ("Get", "BatchGet", "Head", "List", "Query", "Scan", "GET")


@dataclass(frozen=True, order=True)
class Site:
    function: str
    operation: str  # "s3.PutObject", or "POST /run"
    trail: tuple[str, ...]  # from the caller of the adapter to the frame that makes the call

    @property
    def is_read(self) -> bool:
        """Does it not matter whether a failed call was carried out? Unknown operations are writes."""
        return self.operation.rpartition(".")[2].startswith(_READS)

    def __str__(self) -> str:
        return f"{self.function} {self.operation} in {' > '.join(self.trail)}"


def trail_here() -> tuple[str, ...]:
    """Return the adapter's frames on the stack and the one that called it, outermost first."""
    trail: list[str] = []
    adapter = ""
    for frame in _our_frames(sys._getframe()):
        code = frame.f_code
        trail.append(code.co_qualname)
        adapter = adapter or code.co_filename
        if code.co_filename != adapter:
            break
    assert trail, "a call came from nowhere in our code"
    return tuple(reversed(trail))


def _our_frames(frame: FrameType | None) -> Iterator[FrameType]:
    folders = tuple(f"{_ROOT / name}/" for name in _OURS)
    while frame:
        code = frame.f_code
        is_ours = code.co_filename.startswith(folders) and code.co_filename not in _ON_EVERY_PATH
        if is_ours and not code.co_name.startswith("<"):
            yield frame
        frame = frame.f_back
