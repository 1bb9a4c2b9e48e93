"""`python -m local demo`, run as a user runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.demo import readable_file
from local.stack.needs import EMULATOR_PYTHON, ROOT, emulator_python
from local.waiting import wait_for

SHORT = "samples/weekly-standup.txt"
_LONGEST_SECONDS = 180.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "push: the transcript's words were sent to RunPod"),
        (("MODE=pull",), "pull: 8,551 bytes, read as labelled-text by the worker"),
    ],
    ids=["push", "pull"],
)
def test_the_demo_turns_a_transcript_into_a_summary_and_leaves_nothing_running(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    command = ["make", "demo", f"FILE={SHORT}", f"OUT={tmp_path / 'out'}", *options]

    ended = run(tmp_path, command)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = tmp_path / "out/weekly-standup-summary.md"
    assert str(summary) in ended.stdout
    assert len(summary.read_text(encoding="utf-8").split()) > 300
    assert summary.with_suffix(".json").exists()
    assert re.search(r"s3://summaries-\S+/summaries/weekly-standup\.txt", ended.stdout)
    for step in ("AWS emulator", "build", "deployment", "callback received", "summary written"):
        assert re.search(rf"^ok +{step} +[0-9.]+ s", ended.stdout, re.M), step
    assert "active -> succeeded" in ended.stdout
    assert message in ended.stdout
    assert "extractive-summary: the simulator, with sentences of the transcript" in ended.stdout
    assert re.search(r"^ok +round 1 +[0-9.]+ s  the whole summary$", ended.stdout, re.M)
    assert re.search(
        r"^Checked [3-8] quotes verified, 0 dropped; .*; \d+ words\n +Nothing to mend, nothing in doubt\.$",
        ended.stdout,
        re.M,
    )
    assert "Next make up" in ended.stdout
    tried = re.findall(r"\.venv/bin/summaries (\w+) FILE", ended.stdout)
    assert tried == ["read", "submit", "show"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", ended.stdout)  # no control characters
    assert left_over(tmp_path) == ([], [])


@pytest.mark.parametrize("mode", ["push", "pull"])
def test_the_demo_shows_what_becomes_of_bad_habits(tmp_path: Path, mode: str) -> None:
    ended = run_demo(
        tmp_path,
        *("--file", SHORT, "--out", str(tmp_path / "out"), "--model", "llm-like", "--mode", mode),
        *("--scenario", "preface", "--scenario", "skipped-half"),
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    if mode == "push":  # a worker's rounds are polled for, and a quick one can be missed
        assert re.search(r"^ok +round 2 .* the whole summary again$", ended.stdout, re.M)
    assert (
        "In doubt: a length far from what was asked for. Asked again: 1 answer.\n" in ended.stdout
    )
    assert "Sure!" not in (tmp_path / "out/weekly-standup-summary.md").read_text(encoding="utf-8")


def test_the_demo_names_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        ended = run_demo(tmp_path, "--file", SHORT, "--port", str(port))

    assert ended.returncode == 1
    assert f"port {port} " in ended.stdout
    assert left_over(tmp_path) == ([], [])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("no such.txt", "There is no file no such.txt; it was looked for at"),
        ("~/no such.txt", "There is no file ~/no such.txt; it was looked for at"),
        ("samples", "samples is a folder, not a transcript."),
    ],
    ids=["missing", "missing at home", "folder"],
)
def test_a_file_that_is_not_there_is_answered_with_what_to_do(
    tmp_path: Path, file: str, message: str
) -> None:
    ended = run_demo(tmp_path, "--file", file)

    assert ended.returncode == 1
    assert message in ended.stdout
    assert "make demo FILE=path/to/transcript.txt" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_file_in_the_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "it's $5.txt").touch()

    assert readable_file(Path("~/it's $5.txt")) == tmp_path / "it's $5.txt"


def test_the_demo_says_what_is_missing(tmp_path: Path) -> None:
    ended = run_demo(tmp_path, "--emulator-python", str(tmp_path / "no/python"))

    assert ended.returncode == 1
    assert f"no interpreter at {tmp_path}/no/python" in ended.stdout
    assert EMULATOR_PYTHON in ended.stdout


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_a_demo_that_is_stopped_during_the_build_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    scratch = scratch_in(tmp_path)
    with subprocess.Popen(
        demo_command("--file", SHORT),
        cwd=ROOT,
        env=environment(scratch),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as demo:

        def is_building() -> bool | None:
            logs = scratch.glob("transcript-summaries-*/build.log")
            return any(log.stat().st_size for log in logs) or None

        wait_for(is_building, what="a build", timeout_seconds=180, every_seconds=0.01)

        demo.send_signal(number)
        demo.wait(30)

    def nothing_left() -> bool | None:
        return left_over(tmp_path) == ([], []) or None

    wait_for(nothing_left, what="an end of everything", timeout_seconds=180)


def run_demo(tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return run(tmp_path, demo_command(*options))


def run(tmp_path: Path, command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(scratch_in(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )


def demo_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "local", "demo", *options]


def environment(scratch: Path) -> dict[str, str]:
    """The user's environment, with a temporary folder that identifies the processes of this run.

    Without make's own: below another make it would tell which folder it enters and leaves.
    """
    of_make = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    return {
        **{name: value for name, value in os.environ.items() if name not in of_make},
        EMULATOR_PYTHON: str(emulator_python()),
        "PYTHONIOENCODING": "utf-8",
        "TMPDIR": str(scratch),
    }


def scratch_in(tmp_path: Path) -> Path:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return scratch


def left_over(tmp_path: Path) -> tuple[list[str], list[Path]]:
    """Return the processes and the files that a run has left behind; the first on Linux only."""
    scratch = tmp_path / "scratch"
    running = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            started_with = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
        if bytes(scratch) in started_with:
            running.append((process / "cmdline").read_text().replace("\0", " "))
    return running, list(scratch.iterdir())
