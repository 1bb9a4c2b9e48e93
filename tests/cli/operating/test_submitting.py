"""`submit` over moto: what is refused before it is uploaded, how it is uploaded, and waiting for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.summaries.glossary import Glossary
from submitter.glossaries import _in_metadata
from tests.cli.operating.operated import Operated, operated
from tests.fakes.cloud import TRANSCRIPT

SUMMARY = "# A\n\nMara said that the pump holds, and Ilse wants to buy a second one."


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(monkeypatch) as stack:
        stack.with_versions()
        yield stack


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "board.txt"
    file.write_text(TRANSCRIPT)
    return file


def keys(stack: Operated) -> list[str]:
    listed = stack.s3.list_objects_v2(Bucket="transcripts").get("Contents", [])
    return [each["Key"] for each in listed]


def metadata(stack: Operated, key: str = "board.txt") -> dict[str, str]:
    return dict(stack.s3.head_object(Bucket="transcripts", Key=key)["Metadata"])


def refused(stack: Operated, *arguments: str) -> str:
    result = stack.run("submit", *arguments)
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert keys(stack) == []
    return result.stderr


def meanwhile(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """Have something happen each time that the command pauses."""
    left = list(steps)
    monkeypatch.setattr("cli.operating.awaiting._pause", lambda _: left.pop(0)())


def test_a_file_is_uploaded_as_it_is_under_its_prefix(stack: Operated, file: Path) -> None:
    told = stack.json("submit", str(file), "--key-prefix", "calls/")

    body = stack.s3.get_object(Bucket="transcripts", Key="calls/board.txt")["Body"].read()
    assert body == file.read_bytes()
    assert told["uploads"][0]["key"] == "calls/board.txt"


def test_it_names_the_job_that_the_upload_will_have(stack: Operated, file: Path) -> None:
    told = stack.json("submit", str(file))

    stack.cloud.runpod_takes()
    assert stack.announce("board.txt").id == told["uploads"][0]["job_id"]


def test_choices_go_with_the_file(stack: Operated, file: Path) -> None:
    chosen = ["--words", "700", "--language", "German", "--strategy", "single", "--mode", "push"]

    stack.json("submit", str(file), *chosen, "--times", "cite", "--prompt", "minutes")

    assert metadata(stack) == {
        "summary-words": "700",
        "summary-language": "German",
        "summary-strategy": "single",
        "summary-mode": "push",
        "summary-times": "cite",
        "summary-prompt": "minutes",
    }


def test_a_glossary_arrives_as_it_was_written(stack: Operated, file: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# people\nSølhaug: soul hog, Sol Haug\nSPEAKER_00 = Ingrid Solhaug\n")

    stack.json("submit", str(file), "--glossary", str(names))

    received = _in_metadata(metadata(stack))
    assert received.names == ("Sølhaug",)
    assert received.speakers == (("SPEAKER_00", "Ingrid Solhaug"),)
    assert received.notes == Glossary().notes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n".join(f"Name{number}: heard as {number}" for number in range(100)), "_glossary.txt"),
        ("Sol; haug: soul hog", "semicolon"),
        (": nothing", "line 1"),
    ],
    ids=["too long", "semicolon", "not understood"],
)
def test_a_glossary_that_cannot_go_along_is_explained(
    stack: Operated, file: Path, tmp_path: Path, text: str, why: str
) -> None:
    names = tmp_path / "names.txt"
    names.write_text(text)

    assert why in refused(stack, str(file), "--glossary", str(names))


def test_several_files_are_uploaded_or_none(stack: Operated, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "picture.png"
    other.write_bytes(b"png")

    assert "InputSuffixes" in refused(stack, str(file), str(other))


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--words", "7"), "summary-words must be"),
        (("--language", "d€"), "summary-language must be"),
        (("--prompt", "poem"), "summary-prompt must be"),
    ],
)
def test_a_choice_that_the_submitter_would_refuse_is_refused_here(
    stack: Operated, file: Path, option: tuple[str, ...], why: str
) -> None:
    assert why in refused(stack, str(file), *option)


def test_an_empty_file_is_refused(stack: Operated, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()

    assert "is empty" in refused(stack, str(empty))


def test_two_files_of_one_name_are_refused(stack: Operated, file: Path) -> None:
    assert "the same name" in refused(stack, str(file), str(file))


def test_it_asks_before_a_file_that_is_there_gets_a_newer_version(
    stack: Operated, file: Path
) -> None:
    stack.json("submit", str(file))

    assert stack.run("submit", str(file)).exit_code == 2
    assert stack.json("submit", str(file), "--yes")["uploads"][0]["is_replacing"]


def test_a_dry_run_uploads_nothing(stack: Operated, file: Path) -> None:
    told = stack.json("submit", str(file), "--dry-run")

    assert told["is_dry_run"]
    assert keys(stack) == []


def test_waiting_ends_with_where_the_summary_is(
    stack: Operated, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.cloud.runpod_takes()
    meanwhile(monkeypatch, lambda: stack.announce("board.txt"), lambda: stack.call_back(SUMMARY))

    result = stack.run("submit", str(file), "--wait")

    assert result.exit_code == 0, result.stderr
    assert "s3://out/summaries/board.txt" in result.stdout


def test_waiting_for_a_job_that_fails_ends_with_its_reason(
    stack: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "blank.txt"
    file.write_text("   ")
    meanwhile(monkeypatch, lambda: stack.announce("blank.txt"))

    told = stack.json("submit", str(file), "--wait", exit_code=1)

    assert told["uploads"][0]["reason_code"] == "empty"


def test_in_a_bucket_without_versions_it_finds_the_job_by_the_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "blank.txt"
    file.write_text("   ")
    with operated(monkeypatch) as stack:
        monkeypatch.setattr("tests.cli.operating.operated.UPLOADED_AT", "2100-01-01T00:00:00Z")
        meanwhile(monkeypatch, lambda: stack.announce("blank.txt"))

        told = stack.json("submit", str(file), "--wait", exit_code=1)

        assert told["uploads"][0]["reason_code"] == "empty"


def test_waiting_ends_at_its_timeout(
    stack: Operated, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = stack.json("submit", str(file), "--wait", "--timeout", "0s", exit_code=1)

    assert told["uploads"][0]["state"] is None


def test_an_upload_of_which_no_job_is_recorded_is_not_waited_for_for_ever(
    stack: Operated, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (0, 1, 4, 6))
    monkeypatch.setattr("cli.operating.awaiting.now", lambda: next(times))
    meanwhile(monkeypatch, lambda: None, lambda: None)

    result = stack.run("submit", str(file), "--wait")

    assert result.exit_code == 1
    assert "no job was recorded for it" in result.stderr
