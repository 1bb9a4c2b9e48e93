"""How one job departs from the normal course: what its scenarios come to. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

from runpod_simulator.workers import Manner


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """How one job departs from the normal course, which the defaults are."""

    reject_status: int = 0  # HTTP status with which /run rejects the request
    reject_times: float = 0  # how often the same request is rejected
    answer: Literal["accepted", "dropped", "without-id"] = "accepted"
    extra_queue_seconds: float = 0.0
    lost_in_queue: bool = False
    hidden_seconds: float = 0.0  # how long /status answers 404
    take_errors: float = 0  # how often job-take answers 500 instead of giving it
    take_answers_lost: float = 0  # how often the answer of job-take is lost on the way
    given_twice: bool = False  # a second worker gets it while the first runs it
    crashes: int = 0  # executions that die before they report
    done_errors: float = 0  # how often job-done answers 500 instead of taking its result
    done_losses: float = 0  # how often its result is lost on the way
    done_repeats: float = 0  # how often job-done answers 500 although it took the result
    error: str = ""  # ends FAILED with this text
    partial_output: Any = None  # beside the error
    times_out: bool = False  # ends TIMED_OUT
    loses_output: bool = False  # COMPLETED without `output`
    length_fraction: float = 1.0  # of the length asked for
    most_words: float = 0.0  # that the model writes at once; 0: as many as it likes
    cut: bool = False  # ends in mid-sentence, finish_reason "length"
    habits: tuple[str, ...] = ()  # of the model, by their names in workers/habits.py
    webhook_copies: int = 1
    webhook_body_is_null: bool = False
    webhook_extra_seconds: float = 0.0
    webhook_goes_back: bool = False  # an IN_PROGRESS callback after the last one
    webhook_before_answer: bool = False

    @property
    def manner(self) -> Manner:
        """How the model writes."""
        return Manner(
            length_fraction=self.length_fraction,
            most_words=self.most_words,
            cut=self.cut,
            habits=self.habits,
        )
