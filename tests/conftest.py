"""What holds for every test: an environment of our own, and the network no further than loopback."""

import functools
import gc
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from tests import shared

_OURS = ("RUNPOD_", "AWS_", "OUTPUT_", "INPUT_", "MAX_", "POLLING_")


# Powertools reads its variables when the functions' modules are first imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "test"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Test"

# Each test has an AWS session of its own, and each session would parse botocore's models of its services
# anew: megabytes of JSON, half of what such a test costs. Nobody changes what is read.
JSONFileLoader.load_file = staticmethod(  # type: ignore[method-assign,assignment]
    functools.cache(JSONFileLoader().load_file)
)

# mutmut runs a test in its own process and in forks of it, which Hypothesis takes for different executors.
# It would fail each test that is a method, and every mutant would count as noticed.
if "MUTANT_UNDER_TEST" in os.environ:
    from hypothesis import HealthCheck, settings

    settings.register_profile("mutmut", suppress_health_check=[HealthCheck.differing_executors])
    settings.load_profile("mutmut")

# In the background of a script, under nohup or cron, SIGINT is ignored, and whatever is started there
# inherits that. What tests start is to be as a person starts it at a terminal, where Ctrl-C works.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cloud", action="store_true", help="run the tests that need AWS and RunPod")
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="write golden files, and tables in docs that tests make, anew, to be reviewed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give pytest-xdist's workers a folder for what one of them makes for all (tests/shared.py)."""
    given = getattr(config, "workerinput", {}).get("folder_of_workers")
    shared.folder_of_workers = Path(given) if given else None
    if config.getoption("numprocesses", None):
        folder = TemporaryDirectory(prefix="tests-")
        config.add_cleanup(folder.cleanup)
        config.stash[_FOLDER] = folder.name


_FOLDER = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder_of_workers"] = node.config.stash[_FOLDER]


def pytest_collection(session: pytest.Session) -> None:
    """Collect without the garbage collector: thousands of tests are made, and none goes away."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector leave alone from here on what was imported and collected."""
    gc.freeze()
    gc.enable()


# Files of tests/local whose tests start what they need themselves.
_WITHOUT_THE_STACK = tuple(
    f"tests/local/test_{name}.py"
    for name in ("demo_command", "fault_proxy", "models", "processes", "up_command")
)

# Files whose tests share what takes seconds to make: a stack of their own, a build by SAM, thousands of
# hostile requests, a proxy that reads what AWS has for operations, workers on RunPod's SDK, a browser.
_SHARING = {
    f"tests/{name}.py"
    for name in (
        "fuzz/test_fuzzing",
        "local/test_doctor",
        "local/test_fault_proxy",
        "local/test_on_call",
        "page/test_accessibility",
        "page/test_job_in_browser",
        "page/test_jobs_in_browser",
        "page/test_reader_in_browser",
        "page/test_upload_in_browser",
        "simulator/test_simulator_sdk_worker",
        "template/test_artifacts",
        "worker/test_sdk",
    )
}

# What takes longest by the clock is begun first, so that no worker is left with it at the end.
_FIRST = (
    "local-stack",
    "tests/local/test_doctor.py",
    "tests/local/test_on_call.py",
    "tests/soak/test_soak.py",
    "tests/commands/test_documented_commands.py",
    "tests/page/test_accessibility.py",
    "tests/local/",
    "tests/faults/",
    "tests/page/",
    "tests/fuzz/",
    "tests/upgrade/",
    "tests/template/",
)

_A_CASE_OF_A_FAULT = re.compile(r"(tests/faults/.+\[.+?: \w+ )")  # up to its group (scenarios.py)


def _scope(nodeid: str) -> str:
    """Return which tests are kept on one worker: those that share something expensive to make."""
    file = nodeid.partition("::")[0]
    if file in _SHARING:
        return file
    if nodeid.startswith("tests/local/") and not nodeid.startswith(_WITHOUT_THE_STACK):
        return "local-stack"
    if fault := _A_CASE_OF_A_FAULT.match(nodeid):
        return fault[1]
    return nodeid


def _rank(nodeid: str) -> int:
    scope = _scope(nodeid)
    return next((n for n, first in enumerate(_FIRST) if scope.startswith(first)), len(_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares something, and hand it out in the order that it was collected in.

    xdist's own groups do not reach its scheduler under pytest 9 (pytest-xdist issue 1386).
    """
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))
    if config.getoption("--cloud"):
        return
    needs_cloud = pytest.mark.skip(
        reason="needs a deployed stack and a RunPod key: make test-cloud"
    )
    for item in items:
        if "cloud" in item.keywords:
            item.add_marker(needs_cloud)


@pytest.fixture(autouse=True)
def clean_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the developer's shell holds, and give AWS clients something harmless."""
    if "cloud" in request.keywords:
        return
    for name in os.environ:
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def loopback_only(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Refuse connections that leave this machine."""
    if "cloud" in request.keywords:
        yield
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = address[0] if isinstance(address, tuple) else ""
            if host not in {"127.0.0.1", "::1", "localhost"}:
                raise ConnectionRefusedError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
