"""Names are put right by the glossary of the deployment, of a folder or of one file, in both modes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.jobs.job import Job, JobState
from core.runpod.work_order import parse_work_order
from core.settings import SubmitterSettings
from core.summaries.glossary import parse_glossary
from core.summaries.options import Mode
from tests.builders import a_request, a_source, lost_body, submitter_settings
from tests.fakes.memory import MemoryS3
from tests.functions.pipeline import Pipeline

TALK = "SPEAKER_00: We moved soul hog to the north quay, and cooper netties to the south.\n" * 40
FOLDER = "# names\nSolhaug: soul hog\nSPEAKER_00 = Ingrid Solhaug\n"


class GlossaryForbidden(MemoryS3):
    def get_object(self, **request: Any) -> dict[str, Any]:
        if request["Key"].endswith("_glossary.txt"):
            error = {"Code": "AccessDenied", "Message": "no"}
            raise ClientError({"Error": error}, "GetObject")
        return super().get_object(**request)


def settings(**changes: Any) -> SubmitterSettings:
    return replace(submitter_settings(options=a_request(words=300)), **changes)


def put(pipeline: Pipeline, key: str, text: str | bytes) -> None:
    body = text if isinstance(text, bytes) else text.encode()
    pipeline.s3.put_object(Bucket="transcripts", Key=key, Body=body)


def upload(
    pipeline: Pipeline, key: str = "calls/board.txt", metadata: Mapping[str, str] | None = None
) -> Job:
    etag = pipeline.s3.put_object(
        Bucket="transcripts", Key=key, Body=TALK.encode(), Metadata=dict(metadata or {})
    )["ETag"]
    return pipeline.accept(a_source(key=key, version_id="", etag=etag.strip('"')))


def shown(pipeline: Pipeline) -> str:
    """Return all that the model was shown so far."""
    return json.dumps([body["input"] for body in pipeline.runpod.requests])


def notes(pipeline: Pipeline, job: Job) -> list[str]:
    """Return what the facts of a finished summary say of its glossary."""
    pipeline.run()
    assert pipeline.store.load_job(job.id).state is JobState.SUCCEEDED
    facts = pipeline.s3.objects["out", job.summary_key.removesuffix(".txt") + ".json"].body
    return list(json.loads(facts)["writing"]["glossary_notes"])


def test_a_deployments_glossary_holds_for_every_upload() -> None:
    pipeline = Pipeline(settings=settings(glossary="Solhaug: soul hog; SPEAKER_00 = Ingrid"))

    upload(pipeline)

    assert "Ingrid: We moved Solhaug to the north quay" in shown(pipeline)
    assert "soul hog" not in shown(pipeline)


@pytest.mark.parametrize("place", ["calls/", "", "calls/2026/"])
def test_a_folders_glossary_holds_for_the_folder_and_those_below(place: str) -> None:
    pipeline = Pipeline(settings=settings())
    put(pipeline, f"{place}_glossary.txt", FOLDER)

    upload(pipeline, "calls/2026/board.txt")

    assert "Ingrid Solhaug: We moved Solhaug to the north quay" in shown(pipeline)


@pytest.mark.parametrize("place", ["other/", "calls/2026/march/", "calls/2026x"])
def test_another_folders_glossary_does_not_hold(place: str) -> None:
    pipeline = Pipeline(settings=settings())
    put(pipeline, f"{place}_glossary.txt", FOLDER)

    upload(pipeline, "calls/2026/board.txt")

    assert "soul hog" in shown(pipeline)


def test_no_glossary_is_looked_for_above_the_prefix_of_uploads() -> None:
    upload_filter = replace(submitter_settings().upload_filter, prefix="calls/")
    pipeline = Pipeline(settings=settings(upload_filter=upload_filter))
    put(pipeline, "_glossary.txt", FOLDER)

    upload(pipeline)

    assert "soul hog" in shown(pipeline)


def test_one_files_glossary_wins_over_its_folders_and_that_over_the_deployments() -> None:
    pipeline = Pipeline(settings=settings(glossary="Far: soul hog; Kubernetes: cooper netties"))
    put(pipeline, "calls/_glossary.txt", "Near: soul hog\nSPEAKER_00 = Bo")

    upload(pipeline, metadata={"summary-glossary": "SPEAKER_00 = Ann"})

    assert "Ann: We moved Near to the north quay, and Kubernetes to the south" in shown(pipeline)


def test_names_beyond_ascii_arrive_as_s3_encodes_them() -> None:
    pipeline = Pipeline(settings=settings())

    upload(pipeline, metadata={"summary-glossary": "=?UTF-8?Q?Troms=C3=B8:_soul_hog?="})

    assert "Troms\\u00f8 to the north quay" in shown(pipeline)


def test_pull_modes_worker_is_sent_the_glossary_with_every_attempt() -> None:
    pipeline = Pipeline(settings=settings(options=a_request(mode=Mode.PULL)))
    put(pipeline, "calls/_glossary.txt", FOLDER)
    upload(pipeline)
    pipeline.s3.objects.pop(("transcripts", "calls/_glossary.txt"))

    pipeline.call_back("rp-1", pipeline.runpod.requests[0], answer=lost_body())
    pipeline.take_messages()

    orders = [
        parse_work_order(json.loads(json.dumps(body["input"]))) for body in pipeline.runpod.requests
    ]
    assert [order.glossary for order in orders] == [parse_glossary(FOLDER)] * 2


def test_every_stage_goes_by_the_glossary_that_held_when_the_job_began() -> None:
    pipeline = Pipeline(settings=settings(options=a_request(words=2_000)))
    put(pipeline, "calls/_glossary.txt", FOLDER)
    job = upload(pipeline)
    put(pipeline, "calls/_glossary.txt", "Wrong: soul hog")

    assert notes(pipeline, job) == []
    assert "Wrong" not in shown(pipeline)


@pytest.mark.parametrize(
    ("body", "note"),
    [
        pytest.param(
            b"Solhaug: soul hog\n= nobody\n",
            "line 2 of calls/_glossary.txt was left out",
            id="line",
        ),
        pytest.param(
            b"\x00\x01\x02" * 50, "calls/_glossary.txt was left out: it is no text", id="bytes"
        ),
        pytest.param(b"a: b\n" * 60_000, "it has more than 200,000 bytes", id="long"),
    ],
)
def test_a_malformed_glossary_is_a_note_and_no_lost_job(body: bytes, note: str) -> None:
    pipeline = Pipeline(settings=settings())
    put(pipeline, "calls/_glossary.txt", body)

    job = upload(pipeline)

    assert note in notes(pipeline, job)[0]
    audit = [event for event in pipeline.history(job)[2] if event.note == "glossary"]
    assert [note in event.why for event in audit] == [True]


def test_a_glossary_that_s3_refuses_is_a_note_and_no_lost_job() -> None:
    pipeline = Pipeline(settings=settings(), s3=GlossaryForbidden())

    job = upload(pipeline)

    assert "calls/_glossary.txt was left out: S3 answered 403" in notes(pipeline, job)[0]


def test_metadata_that_can_not_be_decoded_is_a_note_and_no_lost_job() -> None:
    pipeline = Pipeline(settings=settings())

    job = upload(pipeline, metadata={"summary-glossary": "=?no-such-charset?Q?x=C3?="})

    assert notes(pipeline, job) == [
        "the metadata summary-glossary was left out: its encoding can't be understood"
    ]


def test_a_folder_of_hundreds_costs_few_requests() -> None:
    pipeline = Pipeline(settings=settings())
    asked: list[str] = []
    get = pipeline.s3.get_object

    def counting(**request: Any) -> dict[str, Any]:
        asked.append(request["Key"])
        return get(**request)

    pipeline.s3.get_object = counting  # type: ignore[method-assign]
    upload(pipeline, "a/" * 300 + "board.txt")

    assert sum(key.endswith("_glossary.txt") for key in asked) <= 6
