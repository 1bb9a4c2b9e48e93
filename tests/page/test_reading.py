"""What the page reads: jobs by page and filter, a job's story, its summary linked to its transcript."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cli.page.jobs import again_seconds
from core.jobs.job import JobState
from tests.builders import a_call, a_source
from tests.page.world import World, a_meeting

BIG = 60


def test_jobs_are_listed_newest_first_with_how_far_the_active_ones_are(world: World) -> None:
    world.operator.recorded(1, ago=timedelta(hours=2), state=JobState.FAILED)
    job = world.uploaded("calls/board.txt", turns=12)

    listed = world.got("/api/jobs")

    assert [each["key"] for each in listed["jobs"]] == ["calls/board.txt", "calls/1.txt"]
    assert listed["jobs"][0]["progress"] == {
        "round": job.stage,
        "calls": 1,
        "calls_done": 0,
        "is_publishing": False,
    }
    assert listed["jobs"][1]["progress"] is None
    assert listed["jobs"][1]["reason_code"] == "deadline"
    assert listed["next"] is None


def test_every_job_is_on_one_page_and_no_more(world: World) -> None:
    for number in range(1, 8):
        state = JobState.FAILED if number % 2 else JobState.ACTIVE
        world.operator.recorded(number, ago=timedelta(minutes=number), state=state)

    shown, after = [], ""
    for _ in range(4):
        page = world.got("/api/jobs", limit=2, after=after)
        shown.append([each["key"] for each in page["jobs"]])
        after = page["next"]

    assert shown == [[f"calls/{n}.txt" for n in pair] for pair in ([1, 2], [3, 4], [5, 6], [7])]
    assert after is None


def test_jobs_of_one_instant_are_not_lost_between_pages(
    world: World,
) -> None:
    store = world.operator.cloud.store()
    first = world.operator.recorded(1, ago=timedelta(minutes=1))
    for number in range(2, 5):
        job_id = f"{number:06x}{'0' * 26}"
        store.create(
            replace(first, id=job_id, source=a_source(key=f"calls/{number}.txt"), revision=0),
            [a_call(job_id=job_id)],
        )

    shown, after = [], ""
    for _ in range(4):
        page = world.got("/api/jobs", limit=1, after=after)
        shown += [each["key"] for each in page["jobs"]]
        after = page["next"]

    assert sorted(shown) == [f"calls/{number}.txt" for number in range(1, 5)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "failed"}, [2]),
        ({"state": ["failed", "active"]}, [2, 3]),
        ({"text": "CALLS/2"}, [2]),
        ({"text": "000003"}, [3]),
        ({"reason": "deadline"}, [2]),
        ({"since": "90m"}, [1]),
        ({"older": "150m"}, [3]),
        ({"doubts": "1"}, [1]),
        ({"text": "nowhere"}, []),
    ],
    ids=str,
)
def test_filters_choose_by_state_name_id_reason_age_and_doubt(
    world: World, asked: dict[str, object], found: list[int]
) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.SUCCEEDED, doubts=1)
    world.operator.recorded(2, ago=timedelta(hours=2), state=JobState.FAILED)
    world.operator.recorded(3, ago=timedelta(hours=3))

    listed = world.got("/api/jobs", **asked)

    assert [each["key"] for each in listed["jobs"]] == [f"calls/{number}.txt" for number in found]


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "lost"},
        {"reason": "none"},
        {"since": "soon"},
        {"limit": "0"},
        {"limit": "9999"},
        {"after": "x"},
    ],
    ids=str,
)
def test_what_can_not_be_understood_is_said(world: World, asked: dict[str, str]) -> None:
    answer = world.ask("GET", "/api/jobs", query_string=asked)

    assert answer.status_code == 400
    assert answer.json["error"]["message"]


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    world.operator.recorded(1, ago=timedelta(hours=1), state=JobState.FAILED)
    first = world.ask("GET", "/api/jobs")

    again = world.ask("GET", "/api/jobs", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")

    world.operator.recorded(2, ago=timedelta(hours=1), state=JobState.FAILED)
    changed = world.ask("GET", "/api/jobs", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_a_look_reads_one_index_and_the_active_jobs_and_never_scans(world: World) -> None:
    for number in range(1, BIG):
        state = JobState.ACTIVE if number == 1 else JobState.FAILED
        world.operator.recorded(number, ago=timedelta(minutes=number), state=state)
    requests = world.operator.cloud.requests
    requests.clear()

    listed = world.got("/api/jobs", limit=10)

    counted = {name: count for name, count in requests.items() if name.startswith("dynamodb")}
    assert len(listed["jobs"]) == 10
    assert "dynamodb.Scan" not in counted
    assert counted.get("dynamodb.Query", 0) <= 3


def test_a_dear_look_is_taken_less_often() -> None:
    assert again_seconds(3, is_moving=True) == 2
    assert again_seconds(3, is_moving=False) == 5
    assert again_seconds(500, is_moving=True) == 20
    assert again_seconds(100_000, is_moving=True) == 60


def test_a_story_says_where_each_second_went_call_by_call(world: World) -> None:
    job = world.summarised(turns=12)

    story = world.got(f"/api/jobs/{job.id}")

    (call,) = story["rounds"][0]["calls"]
    assert story["state"] == "succeeded"
    assert {bar["kind"] for bar in call["bars"]} <= {"queue", "gpu", "callback", "waiting"}
    assert all(0 <= bar["from"] <= bar["to"] <= story["lasted_seconds"] for bar in call["bars"])
    assert story["can"] == {"cancel": False, "retry": True}
    assert {check["code"] for check in story["checks"]} >= {"quote", "length"}


def test_a_failed_job_says_why_and_what_to_do(world: World) -> None:
    job = world.operator.recorded(1, ago=timedelta(hours=2), state=JobState.FAILED)

    story = world.got(f"/api/jobs/{job.id[:8]}")

    assert story["reason_code"] == "deadline"
    assert "JobDeadlineMinutes" in story["advice"]


def test_a_job_that_is_not_there_is_not_found(world: World) -> None:
    for path in ("/api/jobs/no-such", "/api/jobs/no-such/summary"):
        answer = world.ask("GET", path)
        assert answer.status_code == 404
        assert answer.json["error"]["code"] == "no-such-job"


def test_a_job_without_a_summary_says_why(world: World) -> None:
    job = world.uploaded(turns=12)

    answer = world.ask("GET", f"/api/jobs/{job.id}/summary")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "no-summary")
    assert "is active" in answer.json["error"]["message"]


def test_a_summary_is_linked_to_its_turns_and_back(world: World) -> None:
    job = world.summarised(turns=12)

    read = world.got(f"/api/jobs/{job.id}/summary")

    linked = [part for part in read["parts"] if part["links"]]
    turns = {turn["number"]: turn for turn in read["turns"]}
    assert read["is_linked"]
    assert linked
    for part in linked:
        assert all(part["number"] in turns[number]["cited_by"] for number in part["turns"])
    assert len(turns) == 12
    assert turns[1]["speaker"] == "Mara"


def test_markup_of_a_speaker_or_a_model_stays_data(world: World) -> None:
    text = (
        a_meeting(12)
        .replace("Mara", "{img src=x onerror=alert(1)}")
        .replace("In case 0", "<b>In case 0")
    )
    job = world.operator.summarised("calls/<b>bold</b>.txt", text)

    answer = world.ask("GET", f"/api/jobs/{job.id}/summary")

    assert answer.content_type == "application/json; charset=utf-8"
    assert json.loads(answer.text)["turns"][0]["text"].startswith("<b>")


@pytest.mark.parametrize(
    ("form", "begins"),
    [("html", b"<!doctype html>"), ("markdown", b"---"), ("docx", b"PK"), ("pdf", b"%PDF")],
)
def test_a_summary_is_saved_in_each_format(world: World, form: str, begins: bytes) -> None:
    job = world.summarised("calls/board.txt", turns=12)

    answer = world.ask("GET", f"/api/jobs/{job.id}/export/{form}")

    assert answer.data.startswith(begins)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=board-summary.")
    assert answer.content_type == "application/octet-stream"


def test_a_format_that_there_is_not_is_not_found(world: World) -> None:
    assert world.ask("GET", "/api/jobs/x/export/exe").status_code == 404


def test_the_stack_says_what_an_upload_may_choose(world: World) -> None:
    stack = world.got("/api/stack")

    assert stack["name"] == "a-stack"
    assert stack["uploads"]["max_bytes"] == 1_000_000
    assert ".md" in stack["uploads"]["suffixes"]
    assert stack["uploads"]["modes"] == ["push", "pull"]
    assert "deadline" in {reason["code"] for reason in stack["reasons"]}


def test_how_it_is_is_what_status_tells(world: World) -> None:
    world.operator.recorded(1, ago=timedelta(hours=2), state=JobState.FAILED)

    status = world.got("/api/status")

    assert status["jobs"]["failed"] == 1
    assert status["endpoint"]["workers"] == {"idle": 1}


def test_a_fault_of_its_own_says_where_and_nothing_of_what(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("words of a transcript")

    monkeypatch.setattr("cli.page.api.status", broken)

    answer = world.ask("GET", "/api/status")

    assert answer.status_code == 500
    assert "KeyError at test_reading.py" in answer.json["error"]["message"]
    assert "words of a transcript" not in answer.text + capsys.readouterr().err


def test_a_refusal_of_aws_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.operator.stack.may_be_read = False

    answer = world.ask("GET", "/api/stack")

    assert answer.status_code == 502
    assert "AccessDeniedException" in answer.json["error"]["message"]
