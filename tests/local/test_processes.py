"""No process outlives the command that started it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.loopback import checked_port
from local.stack.needs import ROOT
from local.stack.processes import Processes, StackError
from local.waiting import wait_for

_PATIENCE_SECONDS = 20.0

# A parent with a child that has a child of its own and does not care for SIGTERM.
_PARENT = """
import os, signal, sys, time
from pathlib import Path
from local.stack.processes import Processes
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with Processes() as processes:
    stubborn = "trap '' TERM; sleep 600 & echo $! > pids; echo $$ >> pids; touch ready; wait; wait"
    processes.start("stubborn", ["/bin/sh", "-c", stubborn],
                    environment=os.environ, working_folder=processes.folder)
    print(processes.folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as popen:
        yield popen
        popen.kill()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
def test_children_and_folder_go_with_the_parent_however_it_ends(
    parent: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    assert parent.stdout
    folder = Path(parent.stdout.readline().strip())
    wait_for(lambda: (folder / "ready").exists() or None, what="the child", timeout_seconds=20)
    pids = [int(line) for line in (folder / "pids").read_text().split()]
    assert all(is_running(pid) for pid in pids)

    parent.send_signal(number)
    parent.wait(_PATIENCE_SECONDS)

    def everything_is_gone() -> bool | None:
        return not (folder.exists() or any(map(is_running, pids))) or None

    wait_for(everything_is_gone, what="an end of it all", timeout_seconds=_PATIENCE_SECONDS)


def test_what_is_started_in_the_background_where_ctrl_c_is_off_ends_all_the_same() -> None:
    """A shell that is no terminal's starts what ends in `&` so, and cron and many CI runners do."""
    script = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + _PARENT
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stdout
        folder = Path(popen.stdout.readline().strip())
        popen.send_signal(signal.SIGINT)
        popen.terminate()
        popen.wait(_PATIENCE_SECONDS)

        wait_for(
            lambda: not folder.exists() or None, what="an end", timeout_seconds=_PATIENCE_SECONDS
        )


def test_a_child_goes_with_a_parent_that_is_killed_as_it_starts_it(tmp_path: Path) -> None:
    script = """
import os, signal, subprocess, sys
from local.stack.processes import Processes
start = subprocess.Popen
def start_and_die(command, **options):
    if "guardian.py" not in str(command):
        start(command, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    return start(command, **options)
with Processes() as processes:
    subprocess.Popen = start_and_die
    child = f"echo $$ > {sys.argv[1]}; sleep 600"
    processes.start("child", ["/bin/sh", "-c", child],
                    environment=os.environ, working_folder=processes.folder)
"""
    pid = tmp_path / "pid"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    subprocess.run(
        [sys.executable, "-c", script, str(pid)], cwd=ROOT, env=environment, check=False, timeout=60
    )

    def is_over() -> bool | None:
        """Say whether folder and child are gone; a child that was ended at once has written nothing."""
        folders = [*tmp_path.glob("transcript-summaries-*")]
        written = pid.read_text() if pid.exists() else ""
        return (not folders and not (written and is_running(int(written)))) or None

    wait_for(is_over, what="an end of it all", timeout_seconds=_PATIENCE_SECONDS)


def test_a_child_starts_although_the_guardian_was_ended(tmp_path: Path) -> None:
    with Processes() as processes:
        processes._guardian.kill()
        processes._guardian.wait()
        child = processes.start(
            "child",
            ["/bin/sh", "-c", "touch started"],
            environment={"PATH": os.defpath},
            working_folder=tmp_path,
        )

        child.check_succeeded()
    shutil.rmtree(processes.folder)

    assert (tmp_path / "started").exists()


@pytest.mark.parametrize("is_nohup", [True, False], ids=["nohup", "terminal"])
def test_closing_the_terminal_ends_the_stack_unless_nohup_was_asked_for(is_nohup: bool) -> None:
    before = "signal.SIG_IGN" if is_nohup else "signal.SIG_DFL"
    script = (
        f"import os, signal; signal.signal(signal.SIGHUP, {before})\n"
        "from local.__main__ import main\n"
        "main.callback()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, timeout=60)

    assert ended.returncode == (0 if is_nohup else 128 + signal.SIGHUP)


def test_a_failed_child_is_reported_with_the_end_of_its_output(tmp_path: Path) -> None:
    with Processes() as processes:
        child = processes.start(
            "a shop",
            ["/bin/sh", "-c", "echo opening; echo 'no bread' >&2; exit 3"],
            environment={},
            working_folder=tmp_path,
        )

        with pytest.raises(StackError, match=r"(?s)a shop failed \(exit code 3\).*no bread"):
            child.check_succeeded()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(StackError, match=f"port {port} "):
            checked_port(port)


def is_running(pid: int) -> bool:
    """Also false for a zombie, which only waits for somebody to read its exit code."""
    if Path("/proc/self/stat").exists():
        try:
            return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
