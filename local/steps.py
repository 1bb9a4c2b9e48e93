"""What happens between a command and a summary, and who is told about it."""

from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """In the order in which they end when all goes well; the value is what a person reads."""

    EMULATOR = "AWS emulator"
    MODEL = "language model"  # only where one is wanted
    SIMULATOR = "RunPod simulator"
    WORKER = "RunPod worker"  # only in pull mode
    BUILD = "sam build"
    DEPLOY = "sam deploy"
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
    """Told about steps; several may be under way at once."""

    def begin(self, step: Step) -> None: ...

    def note(self, step: Step, text: str) -> None:
        """Say how a step stands; the latest note stays."""

    def end(self, step: Step, text: str = "") -> None: ...


class Nobody:
    """An observer for whoever needs none."""

    def begin(self, step: Step) -> None:
        pass

    def note(self, step: Step, text: str) -> None:
        pass

    def end(self, step: Step, text: str = "") -> None:
        pass
