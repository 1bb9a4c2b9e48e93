"""A RunPod endpoint on the test's clock: takes requests, ends them, and answers /status."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import responses

from core.jobs.callback import CallRef
from core.runpod.reports import parse_report
from core.runpod.work_order import ORDER, parse_work_order
from tests.builders import (
    a_manifest,
    completed_body,
    failed_body,
    lost_body,
    manifest_body,
    status_body,
)
from tests.fakes.cloud import RUNPOD
from tests.fakes.model import FakeModel, PromptTooLong, ref_of

RUN_TIME = timedelta(seconds=90)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Habits:
    """What an endpoint does with its requests."""

    model: FakeModel = field(default_factory=FakeModel)
    loses_first_attempts: bool = False
    never_ends: bool = False
    callbacks: int = 3  # how often it calls back until it is answered 200
    keeps: timedelta = timedelta(minutes=30)  # for how long it knows a result


@dataclass
class Run:
    """One request that RunPod took."""

    id: str
    ref: CallRef
    webhook: str
    ends_at: datetime
    says: dict[str, Any]  # once it has ended


@dataclass
class Endpoint:
    habits: Habits
    clock: Callable[[], datetime]
    on_ending: Callable[[Run], None]  # called when it is known when a request ends
    # Puts an object into the output bucket, past the functions' clients.
    put: Callable[[str, bytes], None]
    runs: list[Run] = field(default_factory=list)

    def serve(self, mock: responses.RequestsMock) -> None:
        mock.reset()
        mock.add_callback("POST", f"{RUNPOD}/run", self._run)
        mock.add_callback("GET", re.compile(f"{RUNPOD}/status/.+"), self._status)
        mock.add_callback("POST", re.compile(f"{RUNPOD}/cancel/.+"), self._cancel)

    def ids(self) -> list[str]:
        return [run.id for run in self.runs]

    def _run(self, request: Any) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body)
        runpod_id = f"rp-{len(self.runs) + 1}"
        ref = ref_of(body)
        ends_at = _NEVER if self.habits.never_ends else self.clock() + RUN_TIME
        says = self._outcome(body, ref, runpod_id)
        run = Run(runpod_id, ref, body["webhook"], ends_at, says)
        self.runs.append(run)
        if not self.habits.never_ends:
            self.on_ending(run)
        return _json(200, status_body("IN_QUEUE", id=runpod_id))

    def _outcome(self, body: Mapping[str, Any], ref: CallRef, runpod_id: str) -> dict[str, Any]:
        if self.habits.loses_first_attempts and ref.attempt == 1:
            return lost_body(id=runpod_id)
        if ORDER in body["input"]:
            return self._fulfilled(body, runpod_id)
        return self._written(body, runpod_id)

    def _written(self, body: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        """Answer as a model does; in prose with a mark, which distinguishes two answers to one request."""
        chat = body["input"]["openai_input"]
        try:
            text, reason = self.habits.model.write(chat)
        except PromptTooLong as exc:
            return failed_body(f"vLLM returned HTTP 400: {exc}", id=runpod_id)
        if "response_format" not in chat:
            text = f"{text}\n\n{_mark(runpod_id)}"
        return completed_body(text, finish_reason=reason, id=runpod_id)

    def _fulfilled(self, body: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        """Answer as the worker of pull mode, without reading the transcript."""
        order = parse_work_order(body["input"])
        written = f"The MARK of pumps. {_mark(runpod_id)}".encode()
        self.put(unquote(urlsplit(order.put_url).path).removeprefix("/"), written)
        return manifest_body(a_manifest(written), id=runpod_id)

    def _status(self, request: Any) -> tuple[int, dict[str, str], str]:
        run = self._named(request)
        if run is None or self.clock() - run.ends_at >= self.habits.keeps:
            return _json(404, {})
        if self.clock() < run.ends_at:
            return _json(200, status_body("IN_PROGRESS", id=run.id))
        return _json(200, run.says)

    def _cancel(self, request: Any) -> tuple[int, dict[str, str], str]:
        run = self._named(request)
        if run is None:
            return _json(404, {})
        if self.clock() >= run.ends_at:
            return _json(200, run.says)
        run.ends_at = self.clock()
        run.says = status_body("CANCELLED", id=run.id)
        self.on_ending(run)
        return _json(200, run.says)

    def _named(self, request: Any) -> Run | None:
        runpod_id = request.url.rpartition("/")[2]
        return next((run for run in self.runs if run.id == runpod_id), None)


def text_of(run: Run) -> str:
    """Return the text that a run ends with; "" if it has none."""
    report = parse_report(run.says)
    return f"The MARK of pumps. {_mark(run.id)}" if report.manifest else report.text


def _mark(runpod_id: str) -> str:
    return f"MARKED-BY-{runpod_id}"


def _json(code: int, body: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
    return code, {}, json.dumps(body)
