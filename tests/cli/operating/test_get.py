"""`get` prints a summary, saves or exports it: that of the job that was named, or it says what there is."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from docx import Document
from pypdf import PdfReader

from core.aws.names import work_key
from core.jobs.job import Job, JobState
from tests.builders import API_KEY, SECRET, minutes
from tests.fakes.model import a_transcript
from tests.fakes.operated import Operated, operated

KEY = "calls/board.txt"
TEXT = "Mara: The pump holds.\nIlse: Then we buy a second one.\n" * 30


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as operator:
        yield operator


def stored(job: Job) -> str:
    body = boto3.client("s3").get_object(Bucket="out", Key=job.summary_key)["Body"]
    with body:
        return str(body.read().decode())


def test_a_summary_is_printed_as_it_is(operator: Operated) -> None:
    job = operator.summarised(KEY, TEXT)

    assert operator.run("get", KEY).stdout_bytes.decode() == stored(job)


def test_json_holds_the_text_and_the_facts(operator: Operated) -> None:
    job = operator.summarised(KEY, TEXT)

    told = operator.told("get", job.id[:8])

    assert told["text"] == stored(job)
    assert told["facts"]["job_id"] == job.id


def test_markdown_has_front_matter_that_a_program_reads(operator: Operated) -> None:
    job = operator.summarised(KEY, TEXT)

    printed = operator.run("get", KEY, "--format", "markdown").stdout_bytes.decode()

    head, text = printed.removeprefix("---\n").split("---\n\n", 1)
    fields = yaml.safe_load(head)
    assert text == stored(job)
    assert fields["source"] == f"s3://transcripts/{KEY}"
    assert fields["job_id"] == job.id
    assert fields["doubts"] == []


def test_the_page_links_parts_to_their_turns_and_turns_back_to_them(
    operator: Operated, tmp_path: Path
) -> None:
    operator.summarised(KEY, a_transcript(12_000))
    operator.done("get", KEY, "--save", str(tmp_path / "board.html"))
    page = (tmp_path / "board.html").read_text(encoding="utf-8")

    ids = set(re.findall(r'\bid="([pt]\d+)"', page))
    forth = set(re.findall(r'href="#(t\d+)"', page))
    back = set(re.findall(r'href="#(p\d+)"', page))
    assert len(forth) > 20
    assert len(back) > 20
    assert forth | back <= ids
    quotes = re.findall(r'<blockquote id="p\d+" dir="auto" data-turns="(\d+)"', page)
    assert quotes, "quotes are linked to the turn that was quoted"


def test_the_page_reads_the_upload_again_where_the_numbered_turns_have_expired(
    operator: Operated,
) -> None:
    job = operator.summarised(KEY, TEXT)
    before = operator.run("get", KEY, "--format", "html").stdout_bytes
    name = work_key(job.id, "material", ending=".json")
    boto3.client("s3").delete_object(Bucket="out", Key=name)

    assert operator.run("get", KEY, "--format", "html").stdout_bytes == before


def test_the_page_says_so_where_the_upload_is_gone_as_well(operator: Operated) -> None:
    job = operator.summarised(KEY, TEXT)
    name = work_key(job.id, "material", ending=".json")
    boto3.client("s3").delete_object(Bucket="out", Key=name)
    boto3.client("s3").delete_object(Bucket="transcripts", Key=KEY)

    page = operator.run("get", job.id, "--format", "html").stdout_bytes.decode()

    assert "the transcript can&#39;t be shown" in page
    assert not re.search(r'href="#t\d', page)


def test_word_has_the_headings_and_names_the_turns(operator: Operated) -> None:
    operator.summarised(KEY, a_transcript(12_000))

    body = operator.run("get", KEY, "--format", "docx").stdout_bytes

    paragraphs = Document(io.BytesIO(body)).paragraphs
    assert any(each.style and each.style.name == "Heading 1" for each in paragraphs)
    assert sum("turn" in each.text for each in paragraphs) > 10


def test_a_pdf_is_read_back_with_its_words(operator: Operated) -> None:
    job = operator.summarised(KEY, a_transcript(12_000))

    body = operator.run("get", KEY, "--format", "pdf").stdout_bytes

    pdf = PdfReader(io.BytesIO(body))
    read = "".join(page.extract_text() for page in pdf.pages)
    heading = stored(job).splitlines()[0].removeprefix("# ")
    assert pdf.metadata is not None
    assert pdf.metadata.title == heading
    assert job.id in read.replace("\n", "")


def test_a_folder_gets_the_files_name_and_what_is_there_is_not_replaced_unasked(
    operator: Operated, tmp_path: Path
) -> None:
    operator.summarised(KEY, TEXT)

    told = operator.told("get", KEY, "--format", "markdown", "--save", str(tmp_path))
    again = operator.run("get", KEY, "--format", "markdown", "--save", str(tmp_path))

    assert told["path"] == str(tmp_path / "board-summary.md")
    assert again.exit_code == 2
    assert "is there already: --yes replaces it" in again.output
    assert operator.done("get", KEY, "--save", told["path"], "--yes")


def test_a_binary_format_is_not_put_into_json(operator: Operated) -> None:
    operator.summarised(KEY, TEXT)

    assert operator.run("get", KEY, "--format", "pdf", "--json").exit_code == 2


def test_a_job_under_way_has_none_and_says_since_when(operator: Operated) -> None:
    operator.recorded(1, ago=minutes(5))

    result = operator.run("get", "calls/1.txt")

    assert result.exit_code == 1
    assert "is active, since 5m" in result.output


def test_a_failed_job_has_none_and_says_why(operator: Operated) -> None:
    operator.recorded(1, ago=minutes(5), state=JobState.FAILED)

    assert "has failed (deadline): RunPod lost it" in operator.run("get", "calls/1.txt").output


def test_a_summary_of_another_version_is_named_and_not_given(operator: Operated) -> None:
    first = operator.summarised(KEY, TEXT)
    second = operator.summarised(KEY, TEXT + "Mara: And a third.\n")

    result = operator.run("get", first.id)

    assert result.exit_code == 1
    assert f"the summary that stands is of job {second.id[:8]}" in result.output


def test_no_secret_is_in_an_export(operator: Operated) -> None:
    operator.summarised(KEY, TEXT)

    for form in ("html", "markdown"):
        printed = operator.run("get", KEY, "--format", form).stdout_bytes.decode()
        for secret in (SECRET.decode(), API_KEY, "hooks.invalid"):
            assert secret not in printed
    assert json.dumps(operator.told("get", KEY)).count("hooks.invalid") == 0
