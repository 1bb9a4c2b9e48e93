"""What a summary of many calls costs in requests to AWS, as benchmarks/writing.py counts them."""

import math
from collections import Counter

import pytest

from benchmarks.writing import aws_requests
from core.jobs.job import JobState
from tests.fakes.cloud import Cloud
from tests.fakes.driving import drive
from tests.fakes.model import FakeModel, a_transcript
from tests.writing_model import Length, obedient, proportional


@pytest.mark.parametrize(
    ("words", "length"), [(12_000, obedient), (60_000, obedient), (12_000, proportional(0.5))]
)
def test_the_benchmark_counts_requests_of_aws_as_they_are(
    cloud: Cloud, words: int, length: Length
) -> None:
    drive(cloud, a_transcript(words), model=FakeModel(length=length))

    job, calls, _ = cloud.only_job()
    assert job.state is JobState.SUCCEEDED
    counted = cloud.requests.total() - cloud.requests["secretsmanager.GetSecretValue"]
    stages = Counter(call.stage for call in calls)
    expected = aws_requests([stages[stage] for stage in sorted(stages)])
    assert math.isclose(expected, counted, rel_tol=0.05)
