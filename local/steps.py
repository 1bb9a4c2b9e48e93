"""The steps between a command and a summary, and the interface that reports them."""

from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """In the order in which they normally end; the value is shown to the user."""

    EMULATOR = "AWS emulator"
    MODEL = "language model"  # only if one was chosen
    SIMULATOR = "RunPod simulator"
    WORKER = "RunPod worker"  # only in pull mode
    BUILD = "build"
    DEPLOY = "deployment"
    UPLOAD = "upload"
    RECORD = "job recorded"
    SUBMIT = "sent to RunPod"
    RUNPOD = "RunPod at work"
    CALLBACK = "callback received"
    SUMMARY = "summary written"


STACK_STEPS = (Step.EMULATOR, Step.SIMULATOR, Step.BUILD, Step.DEPLOY)
TRANSCRIPT_STEPS = tuple(
    step for step in Step if step not in {*STACK_STEPS, Step.MODEL, Step.WORKER}
)


class Observer(Protocol):
    """Is notified of steps; several may run at once."""

    def begin(self, step: Step) -> None: ...

    def note(self, step: Step, text: str) -> None:
        """Report a step's state; the latest note stays."""

    def part(self, step: Step, name: str, text: str) -> None:
        """Report that a part of a step that is under way has ended."""

    def end(self, step: Step, text: str = "") -> None: ...


class SilentObserver:
    """An observer that does nothing."""

    def begin(self, step: Step) -> None:
        pass

    def note(self, step: Step, text: str) -> None:
        pass

    def part(self, step: Step, name: str, text: str) -> None:
        pass

    def end(self, step: Step, text: str = "") -> None:
        pass
