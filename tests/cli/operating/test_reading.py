"""`read`: how a file would be read and what it would take, with no stack in sight."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import answers
from cli.__main__ import main
from cli.answers import Answers

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "samples/weekly-standup.txt"
LONG_SAMPLE = ROOT / "samples/product-planning-meeting.txt"


@pytest.fixture(autouse=True)
def nothing_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "read", lambda _: Answers())


def run(*arguments: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(main, ["read", *arguments])


def told(*arguments: str, exit_code: int = 0) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == exit_code, (result.stdout, result.stderr)
    return json.loads(result.stdout)


def test_it_says_how_a_file_is_read() -> None:
    found = told(str(SAMPLE))

    assert (found["format"], found["encoding"]) == ("labelled-text", "utf-8")
    assert found["turns"] == 54
    assert found["has_times"]
    assert {each["name"] for each in found["speakers"]} >= {"Zoë Hallam", "Jonas Petrakis"}


def test_it_shows_the_first_and_the_last_turns() -> None:
    found = told(str(SAMPLE), "--turns", "1")

    assert found["first_turns"][0].startswith("Zoë Hallam: Good morning.")
    assert found["last_turns"][0].endswith("go to bed early.")


def test_a_long_transcript_is_planned_round_by_round() -> None:
    found = told(str(LONG_SAMPLE))

    assert [each["calls"] for each in found["rounds"]] == [1, 20, 1]
    assert found["calls"] == 22
    assert found["prompt_tokens"] > found["written_tokens"] > found["summary"]["words"]


def test_the_price_goes_by_the_measured_pace_and_the_prices_file() -> None:
    by_variant = {each["variant"]: each for each in told(str(LONG_SAMPLE))["prices"]}

    assert by_variant.keys() == {"bf16", "fp8"}
    assert 10 < by_variant["fp8"]["seconds"] < by_variant["bf16"]["seconds"] < 30
    assert by_variant["fp8"]["dollars"] == pytest.approx(by_variant["fp8"]["seconds"] * 0.00116)


def test_of_a_model_that_nobody_has_measured_it_names_no_price() -> None:
    assert told(str(SAMPLE), "--profile", "llama-3.3-70b")["prices"] == []
    assert "not known" in run(str(SAMPLE), "--profile", "llama-3.3-70b").stdout


def test_a_smaller_context_takes_more_calls() -> None:
    small = told(str(LONG_SAMPLE), "--max-model-len", "8192")

    assert small["calls"] > told(str(LONG_SAMPLE))["calls"]


def test_what_is_chosen_for_the_file_counts() -> None:
    assert told(str(LONG_SAMPLE), "--words", "500")["summary"]["words"] == 500


def test_a_glossary_is_applied_before_it_is_shown(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Zoë Hallam-Reyes: Zoë Hallam\nZoë Hallam = Zoë Hallam-Reyes\n")

    found = told(str(SAMPLE), "--glossary", str(names))

    assert found["first_turns"][0].startswith("Zoë Hallam-Reyes: ")


@pytest.mark.parametrize(
    ("body", "code"), [(b"   ", "empty"), (b"\x89PNG\r\n\x1a\n" + bytes(900), "not-text")]
)
def test_a_file_that_would_fail_says_with_which_reason(
    tmp_path: Path, body: bytes, code: str
) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(body)

    assert told(str(file), exit_code=1)["code"] == code
    assert code in run(str(file)).stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_it_names_the_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes("Zoë: Ça va bien, très bien même. Déjà vu, hélas.\n".encode(encoding) * 5)

    assert told(str(file))["encoding"] == encoding


def test_a_name_that_the_stack_would_refuse_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "notes.log"
    file.write_bytes(SAMPLE.read_bytes())

    assert "InputSuffixes" in told(str(file))["warnings"][0]


def test_a_choice_that_does_not_exist_is_wrong_usage() -> None:
    assert run(str(SAMPLE), "--words", "7").exit_code == 2


def test_a_person_sees_it_within_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(str(SAMPLE)).stdout

    assert "the whole summary" in shown
    assert max(map(len, shown.splitlines())) <= 80
