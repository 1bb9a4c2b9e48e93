"""Delivers messages, callbacks and sweeps to the real handlers, on a simulated clock, until a job ends."""

import heapq
import io
import itertools
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.builders import NOON
from tests.fakes.cloud import APPS, Cloud
from tests.fakes.lambda_events import callback_event, sqs_batch
from tests.fakes.runpod_endpoint import Endpoint, Habits, Run
from tests.faults.wire import Killed, Plan, Wire

SWEEP_EVERY = timedelta(minutes=2)
VISIBILITY = timedelta(seconds=360)  # the queue's, as in template.yaml
MOST_RECEIVES = 5
_CALLBACK_PAUSE = timedelta(seconds=10)
# SQS keeps no order and submitters can all be busy, so our own messages may overtake each other.
_LONGER_EACH_TIME = timedelta(minutes=3)
_LONGEST = timedelta(hours=3)


@dataclass(eq=False)  # two can say the same
class Message:
    body: str
    receives: int = 0


@dataclass
class EventLoop:
    cloud: Cloud
    habits: Habits
    plan: Plan | None
    is_over: Callable[[], bool]  # has the job ended, and all that belongs to it?
    stage: Callable[[], int]  # which stage has the job come to?
    after_invocation: Callable[[], None]
    put: Callable[[str, bytes], None]  # an object into the output bucket
    slow_messages: str = ""  # which of our own messages others overtake
    now: datetime = NOON
    log: io.StringIO = field(default_factory=io.StringIO)  # what Lambda would have logged
    dead_letters: list[str] = field(default_factory=list)
    queue: list[Message] = field(default_factory=list)  # sent, and not yet taken or given up
    unanswered: dict[str, int] = field(default_factory=dict)  # by RunPod's id: callbacks to come
    after_step: Callable[[], None] = lambda: None
    _agenda: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _slowed: int = 0
    _count: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.runpod = Endpoint(
            self.habits,
            clock=lambda: self.now,
            on_ending=self._will_call_back,
            put=self.put,
        )
        self.wire = Wire(self.plan, on_sent=self.send, runpod_ids=self.runpod.ids)

    def monotonic(self) -> float:
        return (self.now - NOON).total_seconds()

    def play(self) -> None:
        """Run everything on the agenda, and sweeps, until all has ended."""
        self._at(self.now + SWEEP_EVERY, self.sweep_again)
        while len(self._agenda) > 1 or not self.is_over():
            at, _, act = heapq.heappop(self._agenda)
            assert at < NOON + _LONGEST, "the job does not end, or something stays due"
            self.now = max(self.now, at)
            act()
            self.after_step()

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any] | None:
        """Run a function; None where it raised or died. A dead one's wiring dies with it."""
        self.wire.begins(function, self.stage())
        try:
            return self.cloud.invoke(function, event)
        except Killed:
            APPS[function]._wiring.cache_clear()
        except Exception:  # Lambda logs it
            self.log.write(traceback.format_exc())
        finally:
            self.after_invocation()
        return None

    # ---- SQS --------------------------------------------------------------------------------

    def send(self, body: str, delay_seconds: int = 0) -> None:
        self.resend(Message(body), delay_seconds)

    def resend(self, message: Message, delay_seconds: int = 0) -> None:
        """Put a message into the queue that may have been received before."""
        self.queue.append(message)
        delay = timedelta(seconds=delay_seconds)
        if self.slow_messages and self.slow_messages in message.body:
            self._slowed += 1
            delay += self._slowed * _LONGER_EACH_TIME
        self._at(self.now + delay, lambda: self._deliver(message))

    def _deliver(self, message: Message) -> None:
        message.receives += 1
        answer = self.invoke("submitter", sqs_batch(message.body))
        if answer is not None and not answer["batchItemFailures"]:
            self.queue.remove(message)
        elif message.receives == MOST_RECEIVES:
            self.queue.remove(message)
            self.dead_letters.append(message.body)
        else:
            self._at(self.now + VISIBILITY, lambda: self._deliver(message))

    # ---- RunPod -----------------------------------------------------------------------------

    def _will_call_back(self, run: Run) -> None:
        if self.habits.callbacks:
            self.will_call_back(run, self.habits.callbacks)

    def will_call_back(self, run: Run, times: int) -> None:
        """Call back when a run ends, so many times at most."""
        self.unanswered[run.id] = times
        self._at(run.ends_at, lambda: self._call_back(run, times - 1))

    def _call_back(self, run: Run, times_left: int) -> None:
        event = callback_event(run.webhook, run.says | {"webhook": run.webhook})
        answer = self.invoke("webhook_receiver", event)
        self.unanswered[run.id] = times_left
        if not times_left or (answer is not None and answer["statusCode"] == 200):
            self.unanswered.pop(run.id, None)
        else:
            self._at(self.now + _CALLBACK_PAUSE, lambda: self._call_back(run, times_left - 1))

    # ---- the schedule -----------------------------------------------------------------------

    def sweep_again(self) -> None:
        self._at(self.now + SWEEP_EVERY, self.sweep_again)
        self.sweep()

    def sweep(self) -> None:
        self.invoke("sweeper", {"source": "aws.scheduler"})

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._count), act))
