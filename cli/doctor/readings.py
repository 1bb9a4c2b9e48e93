"""What was read about a deployment, in our own words: all that a check sees. No secret is among it.

A reading that is missing raises NotRead when a check asks for it; the check counts as not made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeVar, overload

_T = TypeVar("_T")

SUBMITTER, RECEIVER, SWEEPER = "submitter", "webhook_receiver", "sweeper"


class NotRead(Exception):
    def __init__(self, reading: str, why: str) -> None:
        super().__init__(f"{reading}: {why}")
        self.reading = reading
        self.why = why


class _Read(Generic[_T]):
    """A field of Readings that may not have been read."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, readings: None, owner: type) -> Self: ...
    @overload
    def __get__(self, readings: "Readings", owner: type) -> _T: ...
    def __get__(self, readings: "Readings | None", owner: type) -> "_T | Self":
        if readings is None:
            return self
        if self._name not in readings.held:
            raise NotRead(self._name, readings.unread.get(self._name, "was not read"))
        value: _T = readings.held[self._name]
        return value


@dataclass(frozen=True, kw_only=True)
class Stack:
    name: str
    region: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, str]  # physical names by logical ones

    @property
    def owns_input(self) -> bool:
        return "TranscriptsBucket" in self.resources


@dataclass(frozen=True, kw_only=True)
class Function:
    name: str
    environment: Mapping[str, str] = field(repr=False)
    state: str = "Active"
    last_update: str = "Successful"
    reserved_concurrency: int | None = None


@dataclass(frozen=True, kw_only=True)
class Health:
    """What GET /health of the endpoint answered, with the stack's own key."""

    status: int  # 0: no answer
    problem: str = ""  # why there was none
    workers: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the webhook URL answered to a callback with a token that can't be right."""

    status: int  # 0: no answer
    problem: str = ""
    is_from_receiver: bool = False


@dataclass(frozen=True, kw_only=True)
class Bucket:
    name: str
    problem: str = ""  # why it can't be used at all
    region: str = ""
    queues: tuple[str, ...] = ()  # that every new object is announced to, by ARN
    filtered_queues: tuple[str, ...] = ()  # that some are announced to
    announces_to_eventbridge: bool = False
    key_arn: str = ""  # of a KMS key of its own; "" for S3's or AWS's
    key_state: str = ""
    expiries: tuple[
        tuple[str, int], ...
    ] = ()  # of lifecycle rules: prefix, and days until deletion


@dataclass(frozen=True, kw_only=True)
class Rule:
    state: str
    buckets: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    state: str
    expression: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Ttl:
    status: str
    attribute: str = ""


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The ends of the list of jobs."""

    oldest_ended_at: datetime | None  # of those still on record
    newest_at: datetime | None
    read_at: datetime


@dataclass(frozen=True, kw_only=True)
class Concurrency:
    limit: int
    unreserved: int


@dataclass(frozen=True, kw_only=True)
class Readings:
    held: Mapping[str, Any]
    unread: Mapping[str, str] = field(default_factory=dict)  # why, by name

    stack = _Read[Stack]()
    functions = _Read[Mapping[str, Function]]()
    feed = _Read[str | None]()  # state of what feeds the submitter from the queue
    notice_feed = _Read[str | None]()  # the same of the notifier, from the table's stream
    key_secret = _Read[str]()  # what is wrong with it, "" if nothing
    callback_secret = _Read[str]()  # the same
    health = _Read[Health]()
    is_key_restricted = _Read[bool]()
    endpoint = _Read[Mapping[str, Any] | None]()  # as RunPod's management API has it
    stock = _Read[Mapping[str, str]]()  # best availability by GPU pool
    endpoint_choices = _Read[Mapping[str, Any]]()  # kept in deploy.toml
    webhook = _Read[Answer]()
    input_bucket = _Read[Bucket]()
    output_bucket = _Read[Bucket]()
    key_state = _Read[str]()  # of KmsKeyArn; "" where there is none, or it can't be seen
    upload_rule = _Read[Rule | None]()
    queue_arn = _Read[str]()
    dead_letters = _Read[int]()
    dead_notices = _Read[int]()
    schedule = _Read[Schedule | None]()
    subscriptions = _Read[Mapping[str, bool]]()  # to alarms: whether confirmed, by address
    notice_subscriptions = _Read[Mapping[str, bool]]()  # the same to notices
    ttl = _Read[Ttl]()
    jobs = _Read[Jobs]()
    concurrency = _Read[Concurrency]()
    template_differences = _Read[tuple[str, ...]]()
    code_differences = _Read[tuple[str, ...]]()
    clock_ahead_seconds = _Read[
        Mapping[str, float]
    ]()  # of this machine's, by whom it was compared with

    def having(self, **changes: Any) -> "Readings":
        return Readings(held={**self.held, **changes}, unread=self.unread)

    @property
    def environment(self) -> Mapping[str, str]:
        """The submitter's settings."""
        return self.functions[SUBMITTER].environment

    @property
    def runpod_url(self) -> str:
        return self.environment.get("RUNPOD_API_ENDPOINT", "")

    @property
    def endpoint_id(self) -> str:
        return self.runpod_url.rstrip("/").rsplit("/", 1)[-1]
