"""What is asked for with one upload: by the deployment, its key and its metadata."""

from dataclasses import dataclass
from enum import StrEnum

from core.summaries.plans import Strategy


class Mode(StrEnum):
    PUSH = "push"  # the submitter reads the transcript and sends its words to the model
    PULL = "pull"  # RunPod's worker fetches the transcript itself, and makes the whole summary


@dataclass(frozen=True, kw_only=True)
class SummaryOptions:
    """What was asked for, fixed when the job was recorded, so that every attempt asks the same."""

    words: int  # the summary's target
    language: str = ""  # "" is the transcript's own
    model: str
    max_tokens: int
    temperature: float
    top_p: float
    least_percent: int = 75  # a summary shorter than this share of its target is repaired
    most_repairs: int = 2  # rounds of further calls that a repair may take
    strategy: Strategy = Strategy.AUTO
    prompt: str = "default"  # the set of prompts
    with_times: bool = False  # the model sees when each turn began, and cites it
    mode: Mode = Mode.PUSH
