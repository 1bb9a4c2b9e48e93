"""The faults that can be simulated: SCENARIOS lists them, a FaultPlan is what they do to one job. Pure.

A scenario is written `name` or `name=value`, and several may be combined. Three ways to choose one:
a Rule (for all jobs, a share of them, the next N, or those whose /run body contains a text), the field
`simulate` at the top level of the /run body, and the header X-Simulate.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from runpod_simulator.fault_plan import FaultPlan

FOREVER = math.inf


class UnknownScenario(ValueError):
    """The text names no scenario, or gives it a value that it does not take."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    group: str
    meaning: str
    change: Callable[[float], dict[str, Any]]
    value: str = ""  # what `=value` means; "" when it takes none
    default: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Applies scenarios to all jobs, a share of them, the next few, or those whose body contains a text."""

    scenarios: tuple[str, ...]
    next_jobs: int | None = None
    containing: str = ""
    share: float = 1.0  # of the requests; which ones is drawn from Config.seed

    def __post_init__(self) -> None:
        plan_for(self.scenarios)
        if not 0 <= self.share <= 1:
            raise UnknownScenario(f"share must be from 0 to 1, not {self.share:g}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name`, `name=value`, or either with the share of the requests it is for: `name@0.3`.

        Raises:
            UnknownScenario: there is no such scenario, value or share.
        """
        scenario, at, share = text.partition("@")
        try:
            return cls(scenarios=(scenario.strip(),), share=float(share) if at else 1.0)
        except ValueError as exc:
            if isinstance(exc, UnknownScenario):
                raise
            raise UnknownScenario(
                f"after @ there must be a share from 0 to 1: {text[:60]!r}"
            ) from exc


EXECUTION_TIMEOUT_ERROR = "executionTimeout exceeded"
WORKER_LOST_ERROR = "job timed out after 1 retries"


def worker_vllm_error(message: str) -> str:
    """Return the repr of a dict: worker-vllm yields a dict, RunPod's SDK makes text of it with str()."""
    return str({"message": message, "type": "worker_error", "code": None})


def context_length_body(max_model_len: int, requested_tokens: int) -> str:
    """Return the body of the 400 with which vLLM's server rejects a prompt."""
    message = (
        f"This model's maximum context length is {max_model_len} tokens."
        f" However, you requested {requested_tokens} tokens."
    )
    return json.dumps(
        {"error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}}
    )


def context_length_error(max_model_len: int, requested_tokens: int) -> str:
    body = context_length_body(max_model_len, requested_tokens)
    return worker_vllm_error(f"vLLM returned HTTP 400: {body}")


_DEAD_VLLM = "vLLM server process is not running; worker is unhealthy"
_HANDLER_ERROR = json.dumps(
    {
        "error_type": "<class 'ValueError'>",
        "error_message": "the simulated handler raised",
        "error_traceback": "Traceback (most recent call last):\n"
        '  File "/src/handler.py", line 12, in handler\n'
        "ValueError: the simulated handler raised\n",
        "hostname": "simulated-worker-64411f2a",
        "worker_id": "simulated",
        "runpod_version": "1.12.0",
    }
)


def _reject(status: int) -> Callable[[float], dict[str, Any]]:
    return lambda times: {"reject_status": status, "reject_times": times}


def _habit(name: str, meaning: str) -> "Scenario":
    return Scenario(name=name, group="model", meaning=meaning, change=_always(habits=(name,)))


def _always(**changes: Any) -> Callable[[float], dict[str, Any]]:
    return lambda _: changes


_ALL = (
    # What POST /run answers
    Scenario(name="rate-limited", group="submit", value="times", default=1, change=_reject(429),
             meaning="/run answers 429 the first n times a request is sent, then takes it"),
    Scenario(name="server-error", group="submit", value="times", default=1, change=_reject(500),
             meaning="/run answers 500 the first n times, then takes it"),
    Scenario(name="bad-gateway", group="submit", value="times", default=1, change=_reject(502),
             meaning="/run answers 502 with a page of HTML the first n times, then takes it"),
    Scenario(name="unauthorized", group="submit", value="times", default=1, change=_reject(401),
             meaning="/run answers 401 the first n times although the key is right"),
    Scenario(name="accepted-but-no-answer", group="submit", change=_always(answer="dropped"),
             meaning="the job is taken and runs, but the connection drops before /run answers"),
    Scenario(name="ok-without-id", group="submit", change=_always(answer="without-id"),
             meaning="/run answers 200 with an error and no id; there is no job"),
    # What happens to it in the queue
    Scenario(name="slow", group="queue", value="seconds", default=60,
             change=lambda seconds: {"extra_queue_seconds": seconds},
             meaning="waits longer in the queue, as behind a cold start"),
    Scenario(name="no-workers", group="queue", change=_always(extra_queue_seconds=FOREVER),
             meaning="stays IN_QUEUE until its ttl, as on an endpoint scaled to 0 after 7 idle days"),
    Scenario(name="queue-lost", group="queue", change=_always(lost_in_queue=True, hidden_seconds=FOREVER),
             meaning="accepted, then lost: /status says 404 for ever, nothing runs, no webhook"),
    Scenario(name="status-lags", group="queue", value="seconds", default=5,
             change=lambda seconds: {"hidden_seconds": seconds},
             meaning="/status says 404 at first although the job exists"),
    # Between the platform and a worker that runs elsewhere
    Scenario(name="job-take-error", group="worker", value="times", default=1,
             change=lambda times: {"take_errors": times},
             meaning="job-take answers 500 the first n times it would give the job"),
    Scenario(name="job-take-unanswered", group="worker", value="times", default=1,
             change=lambda times: {"take_answers_lost": times},
             meaning="given to a worker that dies at once: its connection drops, nobody runs the job"),
    Scenario(name="given-twice", group="worker", change=_always(given_twice=True),
             meaning="a second worker gets the job while the first runs it; the first result counts"),
    Scenario(name="job-done-error", group="worker", value="times", default=1,
             change=lambda times: {"done_errors": times},
             meaning="job-done answers 500 the first n times; the SDK posts a result three times"),
    Scenario(name="job-done-lost", group="worker", value="times", default=1,
             change=lambda times: {"done_losses": times},
             meaning="the connection drops before the result is read; the SDK doesn't post it again"),
    Scenario(name="job-done-repeated", group="worker", change=_always(done_repeats=1),
             meaning="job-done takes the result but answers 500, so the SDK posts it again"),
    # How it ends
    Scenario(name="worker-crash", group="result", value="crashes", default=1,
             change=lambda crashes: {"crashes": int(crashes)},
             meaning="a worker dies before it reports; the job runs again, with `retries`, and completes"),
    Scenario(name="worker-lost", group="result", change=_always(crashes=1, error=WORKER_LOST_ERROR),
             meaning="FAILED after two executions: job timed out after 1 retries"),
    Scenario(name="execution-timeout", group="result", change=_always(error=EXECUTION_TIMEOUT_ERROR),
             meaning="FAILED (not TIMED_OUT): executionTimeout exceeded"),
    Scenario(name="handler-error", group="result", change=_always(error=_HANDLER_ERROR),
             meaning="FAILED; `error` is a string that holds JSON with a traceback"),
    Scenario(name="worker-error", group="result",
             change=_always(error=worker_vllm_error(_DEAD_VLLM)),
             meaning="FAILED; `error` is the repr of worker-vllm's dict, which is not JSON"),
    Scenario(name="context-length", group="result", value="requested tokens", default=40_000,
             change=lambda tokens: {"error": context_length_error(32_768, int(tokens))},
             meaning="FAILED; worker-vllm's refusal of a prompt that is too long"),
    Scenario(name="error-with-output", group="result",
             change=_always(error="input needs a prompt", partial_output={"ok": False}),
             meaning="FAILED, with an `output` beside the `error`"),
    Scenario(name="timed-out", group="result", change=_always(times_out=True),
             meaning="TIMED_OUT; by default no webhook"),
    Scenario(name="completed-without-output", group="result", change=_always(loses_output=True),
             meaning="COMPLETED, but there is no `output`"),
    # How the model writes
    Scenario(name="truncated", group="model", change=_always(cut=True),
             meaning="finish_reason is length and the text ends in mid-sentence"),
    Scenario(name="too-short", group="model", value="fraction", default=0.4,
             change=lambda fraction: {"length_fraction": fraction},
             meaning="a whole text, but only this fraction of the length asked for"),
    Scenario(name="too-long", group="model", value="times", default=1.6,
             change=lambda times: {"length_fraction": times},
             meaning="so many times the length asked for, or cut off by max_tokens"),
    Scenario(name="saturates", group="model", value="words", default=1_600,
             change=lambda words: {"most_words": words},
             meaning="never many more words than this at once, whatever is asked for"),
    _habit("altered-quotes", "another word in every quote, and a quote that nobody said"),
    _habit("altered-figures", "other figures than were said"),
    _habit("wrong-turns", "cites turns that there are not"),
    _habit("no-citations", "cites nothing"),
    _habit("skipped-half", "tells the first half only"),
    _habit("malformed-json", "breaks off its JSON at once"),
    _habit("unfinished-json", "breaks off its JSON late"),
    _habit("other-language", "writes in German, whatever was asked for"),
    _habit("loop", "says one sentence again and again"),
    _habit("prompt-repeated", "gives the instructions back"),
    _habit("refusal", "declines, in one sentence"),
    _habit("headings-only", "headings, and nothing beneath"),
    _habit("no-text", "an empty answer"),
    _habit("wrong-headings", "bold lines for headings, and headings that nobody asked for"),
    _habit("fence", "puts all of it into a fence of backticks"),
    _habit("preface", "adds a preface and a closing remark"),
    _habit("reasoning", "thinks aloud first, in <think> tags"),
    _habit("endless-reasoning", "thinks aloud and never answers"),
    # What the webhook does
    Scenario(name="lost-webhook", group="webhook", change=_always(webhook_copies=0),
             meaning="never delivered; the result is in /status until its retention ends"),
    Scenario(name="late-webhook", group="webhook", value="seconds", default=60,
             change=lambda seconds: {"webhook_extra_seconds": seconds},
             meaning="delivered long after the job ended"),
    Scenario(name="duplicate-webhook", group="webhook", value="copies", default=2,
             change=lambda copies: {"webhook_copies": int(copies)},
             meaning="delivered n times, each with its own retries, byte for byte the same"),
    Scenario(name="null-webhook-body", group="webhook", change=_always(webhook_body_is_null=True),
             meaning="delivered with the body null, as in the outage of December 2024"),
    Scenario(name="out-of-order", group="webhook", change=_always(webhook_goes_back=True),
             meaning="an IN_PROGRESS callback arrives after the last one"),
    Scenario(name="early-callback", group="webhook", change=_always(webhook_before_answer=True),
             meaning="the job ends and its callback is delivered before /run has answered"),
)  # fmt: skip

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}


def plan_for(wanted: Iterable[str], plan: FaultPlan | None = None) -> FaultPlan:
    """Apply each `name` or `name=value` to a plan, later ones over earlier ones."""
    plan = plan or FaultPlan()
    for text in wanted:
        scenario, value = _parsed(text)
        changes = scenario.change(value)
        if "habits" in changes:  # a model may have several
            changes = {"habits": tuple(dict.fromkeys((*plan.habits, *changes["habits"])))}
        plan = replace(plan, **changes)
    return plan


def names_in(wanted: object) -> tuple[str, ...]:
    """Return the scenarios of a `simulate` field (text or list of texts) or an X-Simulate header."""
    if isinstance(wanted, str):
        wanted = wanted.split(",")
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise UnknownScenario("simulate must be the name of a scenario or a list of names")
    return tuple(one.strip() for one in wanted if one.strip())


def _parsed(text: str) -> tuple[Scenario, float]:
    name, equals, given = text.strip().partition("=")
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UnknownScenario(f"no scenario is called {name[:40]!r}; see --list-scenarios")
    if not equals:
        return scenario, scenario.default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not scenario.value or not 0 <= value < FOREVER:
        raise UnknownScenario(
            f"{name} takes {'a number of ' + scenario.value if scenario.value else 'no value'}"
        )
    return scenario, value
