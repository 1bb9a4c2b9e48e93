"""What holds for every test: an environment of our own, and the network no further than loopback."""

import functools
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

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


# Files of tests/local whose tests start what they need themselves.
_WITHOUT_THE_STACK = tuple(
    f"tests/local/test_{name}.py"
    for name in ("demo_command", "fault_proxy", "models", "processes", "up_command")
)

# Files whose tests share what takes seconds to make: a build by SAM, thousands of hostile requests, a proxy
# that reads what AWS has for operations, workers on RunPod's SDK, a browser.
_SHARING = {
    f"tests/{name}.py"
    for name in (
        "fuzz/test_fuzzing",
        "local/test_fault_proxy",
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep on one worker what shares something that is expensive to make, as the one deployed stack.

    xdist's own groups do not reach its scheduler under pytest 9 (pytest-xdist issue 1386). The largest
    group is begun first: the stack's tests mostly wait, while the other workers have something to do.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith("tests/local/") and not nodeid.startswith(_WITHOUT_THE_STACK):
                return "local-stack"
            file = nodeid.partition("::")[0]
            return file if file in _SHARING else nodeid

    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
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
