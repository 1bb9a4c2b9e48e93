"""The model of a card, held to what was measured on one; and what workers are billed for."""

import itertools

import pytest

from benchmarks.costs.bursts import most_within, share_turned_away
from benchmarks.costs.fleet import Fleet, Ran, ran
from benchmarks.costs.gpu import Card, Gpu, taken
from benchmarks.costs.measured import as_shipped, card, compared, held, pace
from benchmarks.costs.work import (
    ModelRequest,
    Rounds,
    in_sections,
    of_job,
    rounds_of,
    sample,
    tokens_written,
)
from cli.endpoint.catalogue import Pace
from cli.endpoint.gpu_time import step_seconds
from core.summaries.options import Strategy

A_SECOND_TO_READ = 100.0  # tokens
PACE = Pace(
    pool="ADA_80_PRO",
    read_tokens_per_second=A_SECOND_TO_READ,
    step_ms=90,
    step_ms_per_request=10,
    step_ms_per_1000_cached=0,
    kv_cache_tokens=1_000,
)
CARD = Card(pace=PACE, most_requests=10)
NAMES = itertools.count(1_000)  # beyond those that tests give


def a_request(*, tokens: float = 100, written: int = 10, name: int = 0) -> ModelRequest:
    return ModelRequest(((name or next(NAMES), tokens),), written)


def at_once(*requests: ModelRequest) -> Rounds:
    return (requests,)


@pytest.mark.parametrize(
    "each", compared(), ids=lambda each: f"{each.way} {each.precision} {each.jobs}"
)
def test_the_model_gives_what_was_measured_within_a_tenth(each) -> None:  # type: ignore[no-untyped-def]
    assert abs(each.off) <= 0.1


@pytest.mark.parametrize("precision", ["bf16", "fp8", "fp8-kv8"])
def test_a_decode_step_is_as_long_as_measured_within_a_fifth(precision: str) -> None:
    for requests, thousands, ms in held()["step_ms"][precision]:
        modelled = step_seconds(pace(precision), int(requests), thousands * 1_000) * 1_000
        assert abs(modelled / ms - 1) <= 0.2, (requests, thousands, ms, modelled)


def test_answers_are_written_at_once_after_their_prompts_were_read() -> None:
    done = taken(at_once(a_request(), a_request()), CARD)

    assert done.seconds == pytest.approx(2 * 1 + 10 * (0.090 + 2 * 0.010))


def test_a_step_is_shorter_once_an_answer_is_done() -> None:
    done = taken(at_once(a_request(written=5), a_request(written=10)), CARD)

    assert done.seconds == pytest.approx(2 + 5 * 0.110 + 5 * 0.100)


def test_what_prompts_begin_with_is_read_once() -> None:
    done = taken(at_once(a_request(name=7), a_request(name=7)), CARD)

    assert done.read_tokens == 100


def test_two_jobs_share_no_prompt() -> None:
    done = taken(at_once(a_request(name=7)), CARD, jobs=2)

    assert done.read_tokens == 200


def test_a_request_waits_where_the_cache_is_full() -> None:
    large = at_once(a_request(tokens=900), a_request(tokens=900))

    assert taken(large, CARD).seconds == pytest.approx(2 * (9 + 10 * 0.100))


def test_no_more_requests_are_written_at_once_than_a_worker_takes() -> None:
    one_by_one = Card(pace=PACE, most_requests=1)

    done = taken(at_once(a_request(), a_request()), one_by_one)

    assert done.seconds == pytest.approx(2 * (1 + 10 * 0.100))


def test_what_is_pushed_out_of_the_cache_is_read_again() -> None:
    gpu: Gpu[str] = Gpu(CARD)
    for request in (a_request(name=7), a_request(tokens=950), a_request(name=7)):
        gpu.take(request, "")
        end = gpu.next_end
        assert end is not None
        gpu.advance(end)

    assert gpu.read_tokens == 100 + 950 + 100


def test_the_same_work_of_another_job_is_as_long() -> None:
    rounds = in_sections(8, transcript_tokens=800, written_tokens=80, outline_tokens=3)

    assert tokens_written(of_job(rounds, 5)) == tokens_written(rounds)
    assert taken(of_job(rounds, 5), CARD).seconds == taken(rounds, CARD).seconds


def test_sections_cost_a_fifth_of_one_long_answer_alone_on_a_card() -> None:
    sections, answer = (rounds_of(sample(), each) for each in (Strategy.AUTO, Strategy.SINGLE))
    on = as_shipped("bf16")

    assert taken(sections, on).gpu_seconds <= 0.2 * taken(answer, on).gpu_seconds


def test_the_default_takes_more_requests_at_once_only_where_that_is_cheaper() -> None:
    rounds, shipped = rounds_of(sample()), as_shipped("fp8")
    fewer = card("fp8", most_requests=30)

    assert taken(rounds, shipped, jobs=8).gpu_seconds < taken(rounds, fewer, jobs=8).gpu_seconds


def test_a_throttle_lets_through_what_its_bucket_holds_and_what_is_put_in() -> None:
    assert share_turned_away([0.0] * 10, rate=5, bucket=5) == 0.5
    assert share_turned_away([0.0, 1.0, 2.0], rate=1, bucket=1) == 0
    assert most_within([0.0, 0.5, 0.9, 3.0], 1.0) == 3


# ---- Fleets ------------------------------------------------------------------------------------

WORK = at_once(a_request(), a_request())
SECONDS = 2 + 10 * 0.110  # of WORK


def run(*at: float, work: Rounds = WORK, **options: float) -> Ran:
    fleet = {"cold_start_seconds": 60.0, "idle_timeout_seconds": 5.0, "most_workers": 1, **options}
    return ran(Fleet(card=CARD, **fleet), work, at)  # type: ignore[arg-type]


def test_a_rare_job_pays_for_the_start_and_the_idle_time_of_its_worker() -> None:
    done = run(0.0)

    assert done.flex_seconds == pytest.approx(60 + SECONDS + 5)
    assert done.wait(0.5) == pytest.approx(60 + SECONDS)
    assert done.busy_seconds == pytest.approx(SECONDS)


def test_a_job_that_comes_within_the_idle_timeout_starts_no_worker() -> None:
    done = run(0.0, 60 + SECONDS + 4)

    assert done.starts == 1
    assert done.wait(0.0) == pytest.approx(SECONDS)


def test_workers_that_start_too_late_are_billed_all_the_same() -> None:
    done = run(0.0, most_workers=3)

    assert done.starts == 3
    assert done.flex_seconds > 3 * 60


def test_active_workers_are_billed_all_the_time_and_keep_nobody_waiting() -> None:
    done = run(100.0, least_workers=1)

    assert done.wait(0.5) == pytest.approx(SECONDS)
    assert done.active_seconds == pytest.approx(100 + SECONDS)
    assert done.flex_seconds == 0


def test_rounds_follow_each_other_after_a_pause_but_not_beside_the_model() -> None:
    rounds = (*WORK, *WORK)
    up = {"least_workers": 1, "between_rounds_seconds": 1.5}

    # What the first round has read is still in the cache.
    assert run(0.0, work=rounds, **up).wait(0.5) == pytest.approx(2 * SECONDS - 2 + 1.5)
    assert run(0.0, work=rounds, jobs_at_once=4, **up).wait(0.5) == pytest.approx(2 * SECONDS - 2)


def test_in_pull_mode_a_job_stays_on_the_worker_that_took_it() -> None:
    shared = (tuple(a_request(name=9) for _ in range(12)),)
    two = {"least_workers": 2, "most_workers": 2}

    pushed, pulled = run(0.0, work=shared, **two), run(0.0, work=shared, jobs_at_once=4, **two)

    assert pushed.busy_seconds > pulled.busy_seconds  # both workers read what one reads


def test_the_same_seed_runs_alike() -> None:
    at = [float(each) for each in range(30)]

    assert run(*at, most_workers=3) == run(*at, most_workers=3)
