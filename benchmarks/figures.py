"""One figure of `make bench`: what was measured, beside its floor or peer of the same run, and the goal."""

from dataclasses import dataclass

TIMES = "\N{MULTIPLICATION SIGN}"
_TWO_DIGITS, _FOUR_DIGITS = 100, 1_000


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

    @property
    def value_text(self) -> str:
        return _with_unit(self.value, self.unit)

    @property
    def beside_text(self) -> str:
        """Return what stands beside the value, with its own; "" if nothing does."""
        return ": ".join(each for each in (self.beside, self.beside_value_text) if each)

    @property
    def beside_value_text(self) -> str:
        return "" if self.beside_value is None else _with_unit(self.beside_value, self.unit)

    @property
    def ratio_text(self) -> str:
        return "" if self.ratio is None else f"{number(self.ratio)} {TIMES}"

    @property
    def goal_text(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{number(self.least)} to {number(self.most)}"
        bounds = (("≥", self.least), ("≤", self.most))
        return "".join(f"{sign} {number(bound)}" for sign, bound in bounds if bound is not None)


def number(value: float) -> str:
    """Return a number with three digits that count, and no more than a reader needs."""
    size = abs(value)
    if size >= _FOUR_DIGITS or value == int(value):
        return f"{value:,.0f}"
    if size >= _TWO_DIGITS:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _with_unit(value: float, unit: str) -> str:
    return f"${number(value)}" if unit == "$" else f"{number(value)} {unit}".rstrip()
