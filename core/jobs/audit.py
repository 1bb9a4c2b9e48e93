"""The audit: one line for each transition of a job or call, and for what is worth noting between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


class InvalidTransitionError(AssertionError):
    """The program tried a transition that the table does not hold: a bug, never an input's fault."""


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One line of the audit: never changed, never removed."""

    at: datetime
    by: str  # submitter, webhook_receiver, sweeper, operator
    note: str = ""  # what happened without a transition
    from_state: str = ""  # of the job or call whose line it is
    to_state: str = ""  # "" without a transition
    why: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)  # units are in the names

    @property
    def what(self) -> str:
        """Say what happened in a few words, for a person."""
        return f"{self.from_state} -> {self.to_state}" if self.to_state else self.note


def in_order(events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """Return an audit oldest first; of one instant, the job's own transition comes last."""
    return sorted(events, key=lambda event: (event.at, event.from_state == "active"))
