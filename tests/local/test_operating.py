"""An operator's commands on the local stack, as after `make up`: `--stack local`."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from core.summaries.options import Mode
from local.stack.needs import ROOT
from local.waiting import wait_for
from tests.local.conftest import SIMULATOR, Local

MEETING = ROOT / "samples/weekly-standup.txt"
KEY = "operated/stand-up.txt"
PULLED = "operated/pulled.txt"


@pytest.fixture(scope="module", name="summarised")
def _summarised(local: Local) -> Local:
    uploads = [
        local.upload(MEETING, key, mode=mode)
        for key, mode in ((KEY, Mode.PUSH), (PULLED, Mode.PULL))
    ]
    for upload in uploads:
        local.stack.wait_for_job(upload)
    return local


def run(local: Local, *arguments: str) -> Result:
    environment = {
        "SUMMARIES_STACK": "local",
        "LOCAL_PORT": str(urlsplit(local.stack.endpoint_url).port),
        "RUNPOD_MANAGEMENT_URL": local.simulator.origin,
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    assert SIMULATOR.api_key
    assert SIMULATOR.api_key not in result.output
    return result


def told(local: Local, *arguments: str) -> dict[str, Any]:
    result = run(local, *arguments, "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_status_counts_the_job_and_sees_the_endpoint(summarised: Local) -> None:
    status = told(summarised, "status")

    assert status["jobs"]["succeeded"] >= 1
    assert status["endpoint"]["problem"] is None
    assert status["endpoint"]["workers"]
    assert status["lost_callbacks"] is not None
    assert status["read_units"] > 0


@pytest.mark.parametrize("key", [KEY, PULLED])
def test_the_story_says_where_the_time_went(summarised: Local, key: str) -> None:
    story = told(summarised, "show", key)

    assert story["state"] == "succeeded"
    assert story["cost"]["gpu_seconds"]["by_request"] > 0
    assert story["cost"]["completion_tokens"] > 0
    assert story["seconds"]["gpu"] > 0
    assert story["checks"]
    assert "Where the time went" in run(summarised, "show", story["job_id"][:8]).stdout


def test_the_log_has_lines_of_submitter_and_receiver_in_order(summarised: Local) -> None:
    def functions() -> list[str]:
        return [line["function"] for line in told(summarised, "logs", KEY)["lines"]]

    def has_both() -> bool | None:
        return {"submitter", "receiver"} <= set(functions()) or None

    wait_for(has_both, what="lines of both functions", timeout_seconds=180)
    lines = told(summarised, "logs", KEY)["lines"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_cost_adds_it_up(summarised: Local) -> None:
    cost = told(summarised, "cost", "--jobs", "1000")

    assert cost["in_all"]["requests"] >= 1
    assert KEY in {job["key"] for job in cost["jobs"]}


@pytest.mark.parametrize("key", [KEY, PULLED])
def test_the_summary_is_got_as_a_page_that_links_both_ways(summarised: Local, key: str) -> None:
    page = run(summarised, "get", key, "--format", "html").stdout_bytes.decode()

    assert re.search(r'href="#t\d', page)
    assert re.search(r'href="#p\d', page)


def test_watch_and_list_show_it(summarised: Local) -> None:
    assert KEY in {job["key"] for job in told(summarised, "watch")["jobs"]}
    assert KEY in {job["key"] for job in told(summarised, "list", "--key", "operated/")["jobs"]}
