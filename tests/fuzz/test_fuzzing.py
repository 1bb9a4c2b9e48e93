"""The receiver answers hostile callbacks as it should, and a receiver that did not would be found out."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.aws.secrets import ManagedCallbackSecrets
from core.errors import ForeignRequest, UnknownCall
from core.jobs import callback, settle
from core.jobs.callback import CallRef
from core.jobs.settle import Settler
from core.runpod import reports
from core.telemetry import logger
from tests.fuzz.run import Tally, run, run_episodes
from webhook_receiver import app, callbacks

EPISODES = 90  # of 40 requests each


@pytest.fixture(scope="module")
def tally() -> Tally:
    return run_episodes(0, 0, EPISODES)


def test_no_request_finds_a_fault(tally: Tally) -> None:
    assert tally.faults == []


def test_every_kind_of_request_was_sent_and_every_answer_given(tally: Tally) -> None:
    assert tally.lacking == []


def test_genuine_callbacks_get_in_and_move_calls(tally: Tally) -> None:
    assert tally.genuine > tally.requests * 0.1
    for start in ("waiting", "submitting", "submitted", "publishing"):
        assert tally.steps[f"{start} -> succeeded"] > 10
    assert tally.steps["submitted -> waiting"] > 10
    assert tally.steps["submitted -> failed"] > 5


def test_a_seed_makes_the_same_requests_again() -> None:
    assert run_episodes(7, 3, 5) == run_episodes(7, 3, 5)
    assert run_episodes(7, 3, 5).answers != run_episodes(8, 3, 5).answers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_no_sequence_of_a_few_requests_finds_a_fault(rng: Random) -> None:
    """As above, by Hypothesis: what it finds it makes small."""
    assert run(rng, requests=3).faults == []


# ---- Receivers that are broken in one way each, which the checks have to notice.

Breaks = Callable[[pytest.MonkeyPatch], None]


def _believes_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(callbacks, "is_token_of", lambda ref, token, secrets: isinstance(token, str))


def _forgives_padding(patch: pytest.MonkeyPatch) -> None:
    def lenient(ref: CallRef, token: Any, secrets: Any) -> bool:
        token = token.rstrip("=") if isinstance(token, str) else token
        return callback.is_token_of(ref, token, secrets)

    patch.setattr(callbacks, "is_token_of", lenient)


def _ignores_case(patch: pytest.MonkeyPatch) -> None:
    def lenient(ref: CallRef, token: Any, secrets: Any) -> bool:
        return isinstance(token, str) and any(
            callback.token_for(ref, secret).lower() == token.lower() for secret in secrets
        )

    patch.setattr(callbacks, "is_token_of", lenient)


def _reads_any_number(patch: pytest.MonkeyPatch) -> None:
    class Lenient(CallRef):
        @classmethod
        def parse(cls, job_id: Any, call_id: Any, attempt: Any) -> CallRef:
            return CallRef(str(job_id), str(call_id), int(attempt) if str(attempt).isdigit() else 0)

    patch.setattr(callbacks, "CallRef", Lenient)


def _signs_only_the_job(patch: pytest.MonkeyPatch) -> None:
    def lenient(ref: CallRef, token: Any, secrets: Any) -> bool:
        return any(
            callback.is_token_of(replace(ref, attempt=number), token, secrets)
            for number in range(1, 5)
        )

    patch.setattr(callbacks, "is_token_of", lenient)


def _forgets_the_previous_secret(patch: pytest.MonkeyPatch) -> None:
    live = ManagedCallbackSecrets.live
    patch.setattr(ManagedCallbackSecrets, "live", lambda self: live(self)[:1])
    refetched = ManagedCallbackSecrets.refetched
    patch.setattr(ManagedCallbackSecrets, "refetched", lambda self: refetched(self)[:1])


def _looks_before_it_checks(patch: pytest.MonkeyPatch) -> None:
    checked = app.checked_ref

    def careless(event: Any, secrets: Any) -> CallRef:
        store = app._wiring()[0].store
        with suppress(UnknownCall):
            store.load_job("x")
        return checked(event, secrets)

    patch.setattr(app, "checked_ref", careless)


def _refetches_every_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("core.aws.secrets._REFETCH_PAUSE_SECONDS", 0)


def _takes_anybodys_report(patch: pytest.MonkeyPatch) -> None:
    def careless(call: Any, number: int, runpod_id: str) -> Any:
        return attempt_of(call, number, "")

    attempt_of = settle.attempt_of
    patch.setattr(settle, "attempt_of", careless)


def _takes_any_state_for_an_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reports, "_FINAL", frozenset(reports.RunPodStatus))


def _brings_ends_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("core.jobs.call.Call.is_final", property(lambda call: False))


def _echoes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        app, "_answer", lambda code, why: {"statusCode": code, "body": f'{{"outcome":"!{why}"}}'}
    )


def _logs_the_event(patch: pytest.MonkeyPatch) -> None:
    parse = app.parse_body

    def telling(event: Any) -> Any:
        logger.info("got %s", event.get("body"))
        return parse(event)

    patch.setattr(app, "parse_body", telling)


def _logs_the_path(patch: pytest.MonkeyPatch) -> None:
    checked = app.checked_ref

    def telling(event: Any, secrets: Any) -> CallRef:
        logger.info("path", extra={"path": event.get("pathParameters")})
        return checked(event, secrets)

    patch.setattr(app, "checked_ref", telling)


def _breaks_on_nesting(patch: pytest.MonkeyPatch) -> None:
    def brittle(event: Any) -> Any:
        if (event.get("body") or "")[:2] in {"[[", '{"'} and len(event["body"]) > 99_000:
            raise RecursionError
        return callbacks.parse_body(event)

    patch.setattr(app, "parse_body", brittle)


def _shortens_the_text(patch: pytest.MonkeyPatch) -> None:
    settled = Settler.settle

    def shortened(self: Settler, ref: CallRef, report: Any, **rest: Any) -> Any:
        return settled(self, ref, replace(report, text=report.text[:-1]), **rest)

    patch.setattr(Settler, "settle", shortened)


def _takes_nothing(patch: pytest.MonkeyPatch) -> None:
    def deaf(self: Settler, ref: CallRef, report: Any, **rest: Any) -> Any:
        self.lifecycle.store.load(ref.job_id, ref.call_id)
        raise ForeignRequest

    patch.setattr(Settler, "settle", deaf)


BROKEN: tuple[tuple[Breaks, str], ...] = (
    (_believes_everybody, "let a stranger in"),
    (_forgives_padding, "let a stranger in"),
    (_ignores_case, "let a stranger in"),
    (_reads_any_number, "let a stranger in"),
    (_signs_only_the_job, "let a stranger in"),
    (_forgets_the_previous_secret, "turned a true token away"),
    (_looks_before_it_checks, "read the store for a stranger"),
    (_refetches_every_time, "asked Secrets Manager too often"),
    (_takes_anybodys_report, "another request's report"),
    (_takes_any_state_for_an_end, "took a state on the way for an end"),
    (_brings_ends_back, "raised InvalidTransitionError"),
    (_echoes, "said something that is not one of its words"),
    (_logs_the_event, "logged something of the request"),
    (_logs_the_path, "logged a token"),
    (_breaks_on_nesting, "raised RecursionError"),
    (_shortens_the_text, "did not keep the text"),
    (_takes_nothing, "refused a genuine callback"),
)


@pytest.fixture
def episodes() -> Iterator[Tally]:
    """Run episodes one by one, as long as somebody takes them."""
    return (run_episodes(1, episode, episode + 1) for episode in range(60))


@pytest.mark.parametrize(
    ("broken", "found"), BROKEN, ids=lambda each: getattr(each, "__name__", "")
)
def test_a_broken_receiver_is_found_out(
    monkeypatch: pytest.MonkeyPatch, episodes: Iterator[Tally], broken: Breaks, found: str
) -> None:
    broken(monkeypatch)

    assert any(found in fault.what for tally in episodes for fault in tally.faults)
