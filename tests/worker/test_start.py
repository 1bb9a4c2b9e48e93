"""The container's start script, with a fake vLLM that only answers its health check."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "worker" / "start.sh"
LONG_SECONDS = 60

ARGUMENTS = """
import os
def build_vllm_args():
    return ["--model", os.environ["MODEL_NAME"], "a b"] if "MODEL_NAME" in os.environ else []
"""
VLLM = f"""#!{sys.executable}
import http.server, os, pathlib, sys
folder = pathlib.Path(os.environ["NOTES"])
(folder / "vllm.arguments").write_text("\\n".join(sys.argv[1:]))
if os.environ.get("VLLM_FAILS"):
    sys.exit(3)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        loaded = (folder / "loaded").exists()
        self.send_response(200 if self.path == "/health" and loaded else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
(folder / "vllm.pid").write_text(str(os.getpid()))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""
WORKER = f"""#!/bin/sh
[ "$1" = -m ] || exec {sys.executable} "$@"
echo "$MODEL_URL $*" > "$NOTES/worker.started"
echo $$ > "$NOTES/worker.pid"
exec sleep 600
"""


class Container:
    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        for name, text in (("vllm", VLLM), ("worker-python", WORKER)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "args_builder.py").write_text(ARGUMENTS)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.process = subprocess.Popen(
            [str(SCRIPT)],
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "NOTES": str(folder),
                "BASE_SOURCE": str(folder),
                "WORKER_PYTHON": str(folder / "worker-python"),
                "VLLM_PORT": str(self.port),
            }
            | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def note(self, name: str) -> str:
        """Return what a program noted, once it has."""
        ends_at = time.monotonic() + LONG_SECONDS
        path = self.folder / name
        while not path.exists() or not path.read_text():
            assert time.monotonic() < ends_at, name
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)
        return path.read_text().strip()

    def ended(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=LONG_SECONDS)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    containers: list[Container] = []

    def starter(**environment: str) -> Container:
        containers.append(Container(tmp_path, **environment))
        return containers[-1]

    yield starter
    for container in containers:
        if container.process.poll() is None:
            os.killpg(container.process.pid, signal.SIGKILL)
        container.process.communicate()


def is_gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    return False


def test_the_worker_takes_jobs_once_the_model_is_loaded(start: Callable[..., Container]) -> None:
    container = start(MODEL_NAME="a/model")
    arguments = container.note("vllm.arguments").splitlines()
    container.note("vllm.pid")
    before = (container.folder / "worker.started").exists()

    (container.folder / "loaded").touch()

    assert container.note("worker.started") == f"http://127.0.0.1:{container.port} -m worker"
    assert not before
    assert arguments == [
        *("serve", "--host", "127.0.0.1", "--port", str(container.port)),
        *("--model", "a/model", "a b"),
    ]


@pytest.mark.parametrize(("killed", "other"), [("vllm", "worker"), ("worker", "vllm")])
def test_if_one_ends_the_other_is_ended_and_the_container_with_them(
    start: Callable[..., Container], killed: str, other: str
) -> None:
    container = start(MODEL_NAME="a/model")
    (container.folder / "loaded").touch()
    pids = {name: container.note(f"{name}.pid") for name in ("vllm", "worker")}

    os.kill(int(pids[killed]), signal.SIGKILL)

    code, said = container.ended()
    assert (code, is_gone(pids[other])) == (137, True)
    assert "vLLM or the worker ended with 137" in said


def test_a_signal_to_stop_ends_both(start: Callable[..., Container]) -> None:
    container = start(MODEL_NAME="a/model")
    (container.folder / "loaded").touch()
    pids = [container.note(f"{name}.pid") for name in ("vllm", "worker")]

    container.process.terminate()

    assert container.ended()[0] == 143
    assert all(map(is_gone, pids))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "set MODEL_NAME"),
        ({"MODEL_NAME": "a/model", "VLLM_FAILS": "1"}, "ended before the model was loaded"),
        ({"MODEL_NAME": "a/model", "VLLM_STARTUP_TIMEOUT": "1"}, "has not loaded the model in 1 s"),
    ],
)
def test_a_model_that_does_not_come_ends_the_container(
    start: Callable[..., Container], environment: dict[str, str], said: str
) -> None:
    code, output = start(**environment).ended()

    assert code == 1
    assert said in output
