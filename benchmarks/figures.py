"""One figure of `make bench`: what was measured, beside its floor or peer of the same run, and the goal."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value with what stands beside it.

    A goal is about the ratio where something stands beside the value, else about the value itself.
    """

    group: (
        str  # its section of the table: "GPU", "Functions", "Store", "Stack", "Reading", "Set-up"
    )
    name: str  # "cold start of the submitter"
    value: float
    unit: str  # of both values: "s", "ms", "MB", "requests", "GPU s"
    beside: str = ""  # what the floor or peer is: "botocore and its clients alone"
    beside_value: float | None = None
    most: float | None = None  # the goal: the ratio, or the value, is at most this
    least: float | None = None  # the goal: it is at least this
    note: str = ""  # what a reader has to know: the size of the job, why a goal is missed

    @property
    def ratio(self) -> float | None:
        return self.value / self.beside_value if self.beside_value else None

    @property
    def is_met(self) -> bool | None:
        """Is the goal met? None where there is none."""
        if self.most is None and self.least is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return (self.most is None or measured <= self.most) and (
            self.least is None or measured >= self.least
        )
