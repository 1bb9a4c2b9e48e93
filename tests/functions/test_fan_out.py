"""Jobs of many sections over the real handlers, counted as `make bench` counts them."""

import pytest

from benchmarks.measures.burst import OneUpload, burst, upload_requests
from benchmarks.measures.store import FanOut, fan_out


@pytest.fixture(scope="module")
def small() -> FanOut:
    return fan_out(20)


@pytest.fixture(scope="module")
def larger() -> FanOut:
    return fan_out(60)


def test_a_section_costs_the_same_requests_however_many_there_are(
    small: FanOut, larger: FanOut
) -> None:
    more = larger.requests.total() - small.requests.total()

    assert more / 40 <= small.requests.total() / 20


def test_a_section_costs_the_same_units_however_many_there_are(
    small: FanOut, larger: FanOut
) -> None:
    assert larger.units_per_section == pytest.approx(small.units_per_section, rel=0.1)


def test_sections_that_finish_at_once_turn_few_writes_of_each_other_away(larger: FanOut) -> None:
    assert larger.retries <= larger.sections


def test_runpod_refuses_none_of_one_jobs_sections(larger: FanOut) -> None:
    assert larger.refused == 0


@pytest.mark.parametrize("submitters", [5, 40, 200])
def test_of_a_burst_every_upload_reaches_runpod(submitters: int) -> None:
    each = OneUpload(("s3.GetObject", "run", "dynamodb.UpdateItem"), own_seconds=0.01)

    assert burst(1_200, submitters, each).taken == 1_200


def test_an_upload_is_one_request_of_runpod() -> None:
    assert upload_requests().count("run") == 1
