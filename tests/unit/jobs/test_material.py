"""What a job's calls read, and what each stage asks: of two who store it, the first one's stands."""

import pytest

from core.aws.files import S3IntermediateStore
from core.errors import BadTranscript
from core.jobs.material import Material, MaterialStore, PlannedStage
from core.summaries.glossary import Glossary, parse_glossary
from tests.builders import a_job
from tests.fakes.memory import MemoryS3
from tests.unit.summaries.builders import drive, transcript

HISTORY = drive().history
FIRST, SECOND = (past.round for past in HISTORY[:2])


@pytest.fixture
def materials() -> MaterialStore:
    return MaterialStore(intermediate_store=S3IntermediateStore(MemoryS3(), "out"))


def material(passages: int = 10, glossary: str = "Solhaug: soul hog") -> Material:
    names = parse_glossary(glossary, source="test")
    return Material(passages=transcript(passages), glossary=names, first=FIRST)


def test_what_a_job_begins_with_comes_back_as_it_was_stored_first(materials: MaterialStore) -> None:
    first, another = material(10), material(12, glossary="")

    assert materials.keep(a_job(), first) == first
    assert materials.keep(a_job(), another) == first
    assert materials.load(a_job()) == first


def test_the_plan_of_a_stage_that_was_stored_first_stands(materials: MaterialStore) -> None:
    first = PlannedStage(round=SECOND, history=tuple(HISTORY[:1]))
    another = PlannedStage(round=FIRST, history=tuple(HISTORY[:1]))

    assert materials.keep_stage(a_job(), 2, first) == first
    assert materials.keep_stage(a_job(), 2, another) == first
    assert materials.stage(a_job(), 2, material()) == first


def test_the_first_stage_is_what_the_job_began_with(materials: MaterialStore) -> None:
    assert materials.stage(a_job(), 1, material()) == PlannedStage(round=FIRST)


def test_a_glossary_is_stored_by_itself_where_the_worker_reads_the_transcript(
    materials: MaterialStore,
) -> None:
    job = a_job(has_glossary=True)
    first, another = material().glossary, material(glossary="Weir").glossary

    assert materials.keep_glossary(job, first) == first
    assert materials.keep_glossary(job, another) == first
    assert materials.glossary(job) == first
    assert materials.glossary(a_job()) == Glossary()


@pytest.mark.parametrize("what", ["load", "glossary"])
def test_what_was_deleted_meanwhile_is_said_to_be_gone(materials: MaterialStore, what: str) -> None:
    with pytest.raises(BadTranscript) as gone:
        getattr(materials, what)(a_job(has_glossary=True))

    assert gone.value.code == "work-expired"


def test_a_stage_that_was_deleted_meanwhile_is_said_to_be_gone(materials: MaterialStore) -> None:
    with pytest.raises(BadTranscript) as gone:
        materials.stage(a_job(), 2, material())

    assert gone.value.code == "work-expired"
