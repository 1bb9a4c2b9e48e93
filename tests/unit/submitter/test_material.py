"""What a job's calls read, and what each stage asks: of two who store it, the first one's stands."""

import pytest

from core.aws.files import S3IntermediateStore
from core.errors import BadTranscript
from core.summaries.rounds import Round
from submitter.material import Material
from tests.builders import a_job
from tests.fakes.memory import MemoryS3
from tests.unit.summaries.builders import drive, transcript


@pytest.fixture
def material() -> Material:
    return Material(intermediate_store=S3IntermediateStore(MemoryS3(), "out"))


def rounds() -> tuple[Round, Round]:
    first, second, *_ = drive().history
    return first.round, second.round


def test_the_plan_of_a_stage_that_was_stored_first_stands(material: Material) -> None:
    first, another = rounds()

    assert material.keep_round(a_job(), 1, first) == first
    assert material.keep_round(a_job(), 1, another) == first
    assert material.round(a_job(), 1) == first


def test_the_transcript_that_was_stored_first_stands(material: Material) -> None:
    first, another = transcript(10), transcript(12)

    assert material.keep_passages(a_job(), first) == first
    assert material.keep_passages(a_job(), another) == first


def test_what_was_deleted_meanwhile_is_said_to_be_gone(material: Material) -> None:
    with pytest.raises(BadTranscript) as gone:
        material.round(a_job(), 1)

    assert gone.value.code == "work-expired"
