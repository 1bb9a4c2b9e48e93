"""CloudWatch's statistics and metric math, as the picture of the dashboard has them."""

import numpy as np
import pytest

from benchmarks.dashboard.sums import Buckets, expression, has_rung, statistic

BUCKETS = Buckets(began_at=100.0, seconds=10.0, number=3)
SAMPLES = [(99.0, 50.0), (101.0, 1.0), (109.0, 3.0), (125.0, 8.0), (130.0, 9.0)]  # two lie outside


@pytest.mark.parametrize(
    ("stat", "first", "last"),
    [
        ("Sum", 4, 8),
        ("SampleCount", 2, 1),
        ("Average", 2, 8),
        ("Maximum", 3, 8),
        ("Minimum", 1, 8),
        ("p50", 2, 8),
    ],
)
def test_a_statistic_is_taken_of_each_period_and_is_none_where_nothing_was_said(
    stat: str, first: float, last: float
) -> None:
    values = statistic(SAMPLES, stat, BUCKETS)

    np.testing.assert_allclose(values, [first, np.nan, last])


def test_a_statistic_that_cloudwatch_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="Median"):
        statistic(SAMPLES, "Median", BUCKETS)


def test_an_expression_has_the_four_operations_and_fills_what_is_missing() -> None:
    named = {"a": np.array([4.0, 6.0]), "b": np.array([2.0, np.nan])}

    np.testing.assert_allclose(expression("a - FILL(b, 0)", named), [2, 6])
    np.testing.assert_allclose(expression("100 * a / b", named), [200, np.nan])


@pytest.mark.parametrize("text", ["a ** 2", "IF(a > 1, 1, 0)", "open('x')"])
def test_an_expression_of_more_than_that_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        expression(text, {"a": np.array([1.0])})


def an_alarm(**changes: object) -> dict[str, object]:
    default = {
        "TreatMissingData": "notBreaching",
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
    }
    return default | changes


@pytest.mark.parametrize(
    ("values", "has", "does"),
    [
        ([3, 0, 3, 0, 0, 0], True, False),
        ([0, 0, 3, 0, 3], True, True),
        ([3, 0, 0, 0, 3], False, False),
        ([np.nan, np.nan, 2, 2, 2], False, False),
    ],
)
def test_an_alarm_rings_when_enough_of_its_periods_are_beyond_the_threshold(
    values: list[float], has: bool, does: bool
) -> None:
    assert has_rung(an_alarm(), np.array(values, dtype=float)) == (has, does)


def test_an_alarm_about_silence_rings_where_nothing_is_said() -> None:
    alarm = an_alarm(
        TreatMissingData="breaching",
        ComparisonOperator="LessThanThreshold",
        Threshold=1.0,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
    )

    assert has_rung(alarm, np.array([5.0, np.nan, np.nan])) == (True, True)
