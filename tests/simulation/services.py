"""S3, DynamoDB, SQS and the callback secrets: the fakes in memory, each request scheduled."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from botocore.exceptions import ClientError, IncompleteReadError

from core.aws.job_store import DynamoJobStore
from core.jobs.call import Call
from core.jobs.callback import CallRef, is_token_of
from core.jobs.job import Job, JobState
from tests.fakes.memory import MemoryJobStore, MemoryS3
from tests.simulation.scheduler import outside
from tests.simulation.simulation import Simulation

T = TypeVar("T")

TRANSCRIPTS, SUMMARIES = "transcripts", "out"
_VISIBILITY_SECONDS = 360.0
_MOST_RECEIVES = 5
SECRETS_KEPT_SECONDS = 300.0


class SteppedStore(MemoryJobStore):
    """A transaction that the SDK sends twice counts once (it carries a token); an update is judged anew."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self._lagging: list[tuple[str, str]] = []

    def create(self, job: Job, calls: Sequence[Call]) -> bool:
        return outside("dynamodb", "create", self._writes("create", job, calls))

    def load(self, job_id: str, call_id: str) -> tuple[Job, Call]:
        return outside("dynamodb", "load", lambda: super(SteppedStore, self).load(job_id, call_id))

    def load_job(self, job_id: str) -> Job:
        return outside("dynamodb", "load job", lambda: super(SteppedStore, self).load_job(job_id))

    def load_many(
        self, keys: Sequence[tuple[str, str]]
    ) -> tuple[Mapping[str, Job], Mapping[tuple[str, str], Call]]:
        return outside("dynamodb", "load many", lambda: super(SteppedStore, self).load_many(keys))

    def save_call(self, call: Call) -> Call:
        return _judged_anew("save call", self._writes("save_call", call))

    def save(self, job: Job, call: Call) -> tuple[Job, Call]:
        return outside("dynamodb", "save job and call", self._writes("save", job, call))

    def save_job(self, job: Job) -> Job:
        return _judged_anew("save job", self._writes("save_job", job))

    def count_in_group(self, job: Job, call: Call) -> int:
        return _judged_anew("count in group", self._writes("count_in_group", job, call))

    def count_on_job(self, job: Job, call: Call, *, due_at: datetime) -> Job:
        return _judged_anew("count done", self._writes("count_on_job", job, call, due_at=due_at))

    def record_calls(self, calls: Sequence[Call]) -> bool:
        return outside("dynamodb", "record calls", self._writes("record_calls", calls))

    def begin_stage(self, job: Job) -> Job:
        return _judged_anew("begin stage", self._writes("begin_stage", job))

    def _writes(self, name: str, *args: Any, **more: Any) -> Callable[[], Any]:
        """Return a write as the simulation lets it through: done, or turned away for another one.

        What that means is said by the real adapter, of DynamoDB's own words.
        """

        def write() -> Any:
            if not self._simulation.happens(self._simulation.profile.conflicts):
                return getattr(super(SteppedStore, self), name)(*args, **more)
            self._simulation.tally["DynamoDB: another transaction in the way"] += 1
            self._simulation.record("dynamodb", f"{name}: another transaction is in the way")
            kept_out = DynamoJobStore(_Busy(), "jobs", sleep=lambda _: None)  # type: ignore[arg-type]
            if name in {"count_in_group", "count_on_job"}:
                kept_out.count_done(*args, due_at=more.get("due_at", args[0].deadline))
            else:
                getattr(kept_out, name)(*args, **more)
            raise AssertionError("the adapter takes a write for done that was turned away")

        return write

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Read the index, which may lag behind the table: with too much in it, or too little."""
        fresh = outside("dynamodb", "query due", lambda: list(super(SteppedStore, self).due(now)))
        simulation, listed = self._simulation, fresh
        if simulation.happens(simulation.profile.index_lags):
            listed = [each for each in fresh if simulation.random.random() < 0.8]
            listed += [each for each in self._lagging if each not in listed]
        self._lagging = fresh
        return iter(listed)

    def history(self, job_id: str) -> Any:
        return outside("dynamodb", "history", lambda: self.as_it_is(job_id))

    def as_it_is(self, job_id: str) -> Any:
        """Read without being scheduled, for observers outside the simulation."""
        return super().history(job_id)

    def items(self) -> tuple[dict[str, Job], dict[tuple[str, str], Call]]:
        return self._jobs, self._calls

    def events(self, job_id: str) -> list[Any]:
        return self._events[job_id]

    def jobs(self, state: JobState, *, oldest_first: bool, page_size: int) -> Iterator[Job]:
        """Read the index by state, as far as the sweeper does: the oldest job of a state."""
        assert oldest_first

        def oldest() -> list[Job]:
            listed = [job for job in self._jobs.values() if job.state is state]
            return sorted(listed, key=lambda job: job.created_at)[:page_size]

        return iter(outside("dynamodb", "query oldest job", oldest))

    def is_quiet(self, until: datetime) -> bool:
        return not list(super().due(until))


class _Busy:
    """A DynamoDB client whose every write is turned away, while it says nothing of what is recorded."""

    class exceptions:  # noqa: N801 - botocore's
        ConditionalCheckFailedException = type("ConditionalCheckFailed", (Exception,), {})

    def transact_write_items(self, **_: Any) -> None:
        reasons = [{"Code": "TransactionConflict"}]
        error: Any = {"Error": {"Code": "TransactionCanceledException"}}
        raise ClientError(error | {"CancellationReasons": reasons}, "TransactWriteItems")

    def update_item(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem")


def _judged_anew(operation: str, effect: Callable[[], T]) -> T:
    return outside("dynamodb", operation, effect, again=effect)


class SteppedS3(MemoryS3):
    """The functions' client; `written` is what the bucket of the summaries took, in order."""

    def __init__(self, simulation: Simulation, *, versioned: bool) -> None:
        super().__init__(versioned=[TRANSCRIPTS, SUMMARIES] if versioned else [])
        self._simulation = simulation
        self.written: list[tuple[str, bytes, dict[str, str]]] = []
        # A partial one lets reads through.
        self.outage = simulation.outage(simulation.profile.s3_outages)

    def _refuse(self, bucket: str, *, is_read: bool) -> None:
        outage, simulation = self.outage, self._simulation
        if bucket != SUMMARIES or not outage.is_at(simulation.now_seconds):
            return
        if not (is_read and outage.is_partial):
            simulation.tally["S3: refused for long"] += 1
            simulation.record("s3", "refuses")
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "S3")

    def put_object(self, **request: Any) -> dict[str, Any]:
        simulation = self._simulation

        def effect() -> dict[str, Any]:
            self._refuse(request["Bucket"], is_read=False)
            is_conditional = "IfNoneMatch" in request or "IfMatch" in request
            if is_conditional and simulation.happens(simulation.profile.s3_conflicts):
                simulation.tally["S3: 409"] += 1
                simulation.record("s3", "answers 409")
                raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
            answer = super(SteppedS3, self).put_object(**request)
            self.written.append((request["Key"], request["Body"], request.get("Metadata", {})))
            return answer

        whose = request.get("Metadata", {}).get("job-id", "")
        return outside("s3", f"PutObject {request['Key']} {whose}".rstrip(), effect, again=effect)

    def get_object(self, **request: Any) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            self._refuse(request["Bucket"], is_read=True)
            return super(SteppedS3, self).get_object(**request)

        answer = outside("s3", f"GetObject {request['Key']}", effect)
        if self._simulation.happens(self._simulation.profile.bodies_broken):
            self._simulation.tally["AWS: body broken"] += 1
            answer["Body"] = _BrokenBody()
        return answer

    def head_object(self, **request: Any) -> dict[str, Any]:
        def effect() -> dict[str, Any]:
            self._refuse(request["Bucket"], is_read=True)
            return super(SteppedS3, self).head_object(**request)

        return outside("s3", f"HeadObject {request['Key']}", effect)

    def upload(self, key: str, body: bytes) -> dict[str, Any]:
        """Put without being scheduled, as an uploader."""
        return super().put_object(Bucket=TRANSCRIPTS, Key=key, Body=body)


class _BrokenBody:
    def read(self) -> bytes:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        yield b"half of "
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    def close(self) -> None:
        pass


@dataclass
class Message:
    body: str
    receives: int = 0
    is_gone: bool = False


@dataclass
class Queue:
    """SQS with its dead letters: at least once, in any order."""

    simulation: Simulation
    invoke: Callable[[str, Callable[[bool], None]], None]  # the body; was it taken?
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)

    def send_message(self, *, MessageBody: str, DelaySeconds: int, **_: Any) -> None:  # noqa: N803
        def effect() -> None:
            self.put(MessageBody, DelaySeconds)

        outside("sqs", f"SendMessage {MessageBody}", effect, again=effect)

    def put(self, body: str, delay_seconds: float) -> None:
        message = Message(body)
        self.messages.append(message)
        random = self.simulation.random
        self.simulation.after(delay_seconds + random.random() ** 2, lambda: self._deliver(message))
        if self.simulation.happens(self.simulation.profile.messages_repeated):
            self.simulation.tally["messages delivered twice"] += 1
            again = delay_seconds + random.choice((0.0, 2.0, 600.0)) * random.random()
            self.simulation.after(again, lambda: self._deliver(message, is_extra=True))

    def redrive(self) -> None:
        """Do what the operator does once the failure is over."""
        dead, self.dead = self.dead, []
        for message in dead:
            self.simulation.record("operator", f"redrives {message.body}")
            self.put(message.body, 0)

    @property
    def is_empty(self) -> bool:
        return all(message.is_gone for message in self.messages)

    def _deliver(self, message: Message, *, is_extra: bool = False) -> None:
        if message.is_gone and not is_extra:
            return
        if not is_extra:
            message.receives += 1
        if message.receives > _MOST_RECEIVES:
            message.is_gone = True
            self.dead.append(message)
            self.simulation.tally["messages dead"] += 1
            self.simulation.record("sqs", f"dead letter: {message.body}")
            return

        def on_end(was_taken: bool) -> None:
            message.is_gone = message.is_gone or was_taken

        if not is_extra:
            self.simulation.after(_VISIBILITY_SECONDS, lambda: self._deliver(message))
        self.invoke(message.body, on_end)


@dataclass
class Secrets:
    """The callback secret as it is now, rotated step by step as `summaries secret rotate` does."""

    live: tuple[bytes, ...]  # the one that tokens are made with comes first

    def announce(self, new: bytes) -> None:
        self.live = (self.live[0], new)

    def use(self) -> None:
        self.live = self.live[::-1]

    def retire(self) -> None:
        self.live = self.live[:1]

    def open(self, event: Mapping[str, Any]) -> bool:
        """Does a callback's token open anything at this instant?"""
        path = event["pathParameters"]
        ref = CallRef(path["job_id"], path["call_id"], int(path["attempt"]))
        return is_token_of(ref, path["token"], self.live)


@dataclass
class CachedSecrets:
    """What one execution environment knows of them: a CallbackSecrets."""

    simulation: Simulation
    secrets: Secrets
    _known: tuple[bytes, ...] = ()
    _until_seconds: float = float("-inf")
    _refetched_seconds: float = float("-inf")

    def current(self) -> bytes:
        return self._get(force=False)[0]

    def live(self) -> tuple[bytes, ...]:
        return self._get(force=False)

    def refetched(self) -> tuple[bytes, ...]:
        now = self.simulation.now_seconds
        may = now - self._refetched_seconds >= timedelta(seconds=30).total_seconds()
        if may:
            self._refetched_seconds = now
        return self._get(force=may)

    def _get(self, *, force: bool) -> tuple[bytes, ...]:
        if force or self.simulation.now_seconds >= self._until_seconds:
            self._known = outside("secretsmanager", "GetSecretValue", lambda: self.secrets.live)
            self._until_seconds = self.simulation.now_seconds + SECRETS_KEPT_SECONDS
        return self._known
