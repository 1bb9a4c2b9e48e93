"""What is asked for with one upload: by the deployment, its key and its metadata."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    PUSH = "push"  # the submitter reads the transcript and sends its words to the model
    PULL = "pull"  # RunPod's worker fetches the transcript itself, and makes the whole summary


class Strategy(StrEnum):
    AUTO = "auto"  # one answer where the model is reliable at the length, else by an outline
    SINGLE = "single"  # one answer, whatever the length
    OUTLINE = "outline"


@dataclass(frozen=True, kw_only=True)
class SummaryOptions:
    """What was asked for, fixed when the job was recorded, so that every attempt asks the same."""

    words: int  # the summary's target
    language: str = ""  # "" is the transcript's own
    model: str
    max_tokens: int
    temperature: float
    top_p: float
    strategy: Strategy = Strategy.AUTO
    prompt: str = "default"  # the set of prompts
    with_times: bool = False  # the summary says when it was said
    mode: Mode = Mode.PUSH
