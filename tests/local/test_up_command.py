"""`make up`, as a person uses it: a file is put into the inbox, its summary appears, Ctrl-C ends all."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from cli.page.guard import TOKEN_HEADER
from local.__main__ import _usual_port
from local.stack.emulator import USUAL_PORT
from local.stack.loopback import checked_port, http_session
from local.stack.needs import ROOT
from local.waiting import wait_for
from tests.local.test_demo_command import SHORT, environment, left_over, scratch_in

_LONGEST_SECONDS = 180.0


@pytest.fixture
def up(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A stack on its way up, with a port of its own, and the log of what it says in `up.log`."""
    command = ["make", "up", f"PORT={checked_port(0)}", f"OUT={tmp_path / 'out'}"]
    with (tmp_path / "up.log").open("wb") as log:
        popen = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(scratch_in(tmp_path)) | {"PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C reaches its whole group
        )
        yield popen
        if popen.poll() is None:
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()


def test_what_is_dropped_into_the_inbox_is_summarised_until_ctrl_c(
    up: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    inbox = tmp_path / "out/inbox/hr"
    inbox.mkdir(parents=True)
    shutil.copy(ROOT / SHORT, inbox / "weekly.txt")

    def is_there() -> bool | None:
        assert up.poll() is None, (tmp_path / "up.log").read_text()
        return (tmp_path / "out/hr/weekly-summary.md").exists() or None

    wait_for(is_there, what="a summary", timeout_seconds=_LONGEST_SECONDS)
    assert "hr/weekly.txt" in jobs_on_the_page((tmp_path / "up.log").read_text())
    os.killpg(up.pid, signal.SIGINT)
    up.wait(30)

    def nothing_left() -> bool | None:
        return left_over(tmp_path) == ([], []) or None

    wait_for(nothing_left, what="an end of everything", timeout_seconds=180)
    said = (tmp_path / "up.log").read_text()
    assert "The stack is up." in said
    assert (
        f"hr/weekly.txt  {len((tmp_path / 'out/hr/weekly-summary.md').read_text().split()):,} words"
        in said
    )


def jobs_on_the_page(log: str) -> set[str]:
    """Ask the page whose address was printed."""
    found = re.search(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)", log)
    assert found, log
    with http_session() as session:
        answer = session.get(f"{found[1]}api/jobs", headers={TOKEN_HEADER: found[2]}, timeout=30)
    return {job["key"] for job in answer.json()["jobs"]}


def test_a_stack_that_is_stopped_while_it_is_deployed_leaves_nothing(
    up: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    def is_deploying() -> bool | None:
        return re.search(r"^ok +build ", (tmp_path / "up.log").read_text(), re.M) and True

    wait_for(
        is_deploying, what="a deployment", timeout_seconds=_LONGEST_SECONDS, every_seconds=0.02
    )
    os.killpg(up.pid, signal.SIGTERM)
    up.wait(30)

    def nothing_left() -> bool | None:
        return left_over(tmp_path) == ([], []) or None

    wait_for(nothing_left, what="an end of everything", timeout_seconds=180)


def test_its_port_is_the_usual_one_unless_that_is_taken() -> None:
    console = Console(quiet=True)
    try:
        other = socket.create_server(("127.0.0.1", USUAL_PORT))
    except OSError:
        assert _usual_port(console, None) == 0  # somebody else has it, which is the other case
        return
    with other:
        assert _usual_port(console, None) == 0
    assert _usual_port(console, None) == USUAL_PORT
    assert _usual_port(console, 4711) == 4711
