"""What the demo says of a summary: what is wrong with it, who wrote it, and where the copies are."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cli.deployment import History, StoredSummary
from core.jobs.job import Job, JobState
from local.report import Copies, copy_name, save_copies, show_audit, show_checks, show_outcome
from tests.builders import a_call, a_job, a_source, a_summary, an_event

STORED = StoredSummary(
    bucket="summaries", key="summaries/a.txt", text="A text.", metadata={}, facts_key="f", facts={}
)


def a_summarised_job(*, words: int) -> Job:
    """Return a job of which 1,000 words were wanted."""
    summary = a_summary(words=words)
    return a_job(state=JobState.SUCCEEDED, target_words=1_000, summary=summary)


def outcome_of(history: History, writers: tuple[str, ...]) -> str:
    console = Console(file=io.StringIO(), width=200)
    copies = Copies(Path("out/a-summary.md"), Path("out/a-summary.json"))
    show_outcome(console, history, STORED, copies, writers=writers, seconds=1.0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_simulators_own_worker_is_named_as_the_writer() -> None:
    shown = outcome_of(
        History(a_summarised_job(words=900), [a_call()], []), ("extractive-summary",)
    )

    assert "writer  extractive-summary: the simulator, with sentences" in shown


def test_the_tokens_are_those_of_every_request() -> None:
    events = [
        an_event(
            what="submitted -> publishing", detail={"prompt_tokens": 1_000, "completion_tokens": 70}
        )
    ] * 3

    shown = outcome_of(History(a_summarised_job(words=900), [a_call()] * 3, events), ())

    assert "3,000 read and 210 written; requests in all: 3" in shown


def test_how_the_checks_ended_is_told_in_two_lines_that_fit_a_terminal() -> None:
    writing = {
        "words": 4_012,
        "quotes_verified": 12,
        "quotes_dropped": 1,
        "checks": [{"code": "missing-topic", "outcome": "passed", "count": 0}],
    }
    console = Console(file=io.StringIO(), width=80)

    show_checks(console, replace(STORED, facts={"writing": writing}))

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[1:] == [
        "Checked 12 quotes verified, 1 dropped; every turn covered; 4,012 words",
        "        Nothing to mend, nothing in doubt.",
    ]


def test_the_audit_can_be_read_on_a_narrow_terminal() -> None:
    event = an_event(what="submitting -> submitted", by="webhook_receiver", detail={"attempt": 1})
    console = Console(file=io.StringIO(), width=60)

    show_audit(console, History(a_job(), [a_call()], [event]))

    assert isinstance(console.file, io.StringIO)
    assert "webhook receiver  submitting -> submitted" in console.file.getvalue()
    assert "…" not in console.file.getvalue()


def test_the_audit_leaves_out_figures_that_say_nothing() -> None:
    event = an_event(what="stage 1: outline", detail={"calls": 1, "words_asked": 0})
    console = Console(file=io.StringIO(), width=80)

    show_audit(console, History(a_job(), [a_call()], [event]))

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[-1].rstrip().endswith("stage 1: outline  calls 1")


def test_files_of_one_name_in_two_folders_have_copies_of_their_own(tmp_path: Path) -> None:
    texts = []
    for key in ("hr/weekly.txt", "de/weekly.txt", "weekly.txt", "weekly.vtt", "weekly.vtt.txt"):
        again = ".txt" if key == "weekly.vtt.txt" or key.endswith(".vtt") else ""
        job = a_job(source=a_source(key=key), summary_key=f"summaries/{key}{again}")
        texts.append(save_copies(STORED, job, tmp_path).text)

    assert len(set(texts)) == len(texts)
    assert all(text.exists() for text in texts)


@pytest.mark.parametrize(
    "key", ["../../etc/x.txt", "/x.txt", "a//b.txt", "./x", "inbox/x.txt", "é" * 400]
)
def test_no_key_leads_a_copy_elsewhere(tmp_path: Path, key: str) -> None:
    job = a_job(source=a_source(key=key), summary_key=f"summaries/{key}")

    text = save_copies(STORED, job, tmp_path / "out").text

    assert text.resolve().is_relative_to(tmp_path / "out")
    assert not text.resolve().is_relative_to(tmp_path / "out/inbox")


def test_an_ordinary_name_is_kept() -> None:
    assert copy_name("calls/board.txt", "summaries/calls/board.txt") == "calls/board"
