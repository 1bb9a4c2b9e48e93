"""No answer of a model can hold up what reads it, or bring it down."""

import pytest

from tests.bounded import run_bounded
from tests.unit.hostile_answers import CPU_SECONDS, READERS, read


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_answer_is_read_in_linear_time(reader: str) -> None:
    run_bounded(read, reader, cpu_seconds=CPU_SECONDS)
