"""What the libraries may log: nothing below INFO, whatever the deployment's LogLevel is."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Lambda gives the root logger the deployment's LogLevel, then imports the handler.
AS_LAMBDA_STARTS = """
import importlib, logging, sys
logging.getLogger().setLevel(sys.argv[2])
importlib.import_module(sys.argv[1])
for name in ("botocore.parsers", "botocore.endpoint", "urllib3.connectionpool", "a.library"):
    print(logging.getLevelName(logging.getLogger(name).getEffectiveLevel()))
"""


@pytest.mark.parametrize(
    "function", ["submitter", "webhook_receiver", "sweeper", "notifier", "webhook_sender"]
)
@pytest.mark.parametrize(("asked", "libraries"), [("DEBUG", "INFO"), ("ERROR", "ERROR")])
def test_libraries_are_silent_below_info_also_when_the_functions_log_at_debug(
    function: str, asked: str, libraries: str
) -> None:
    """At DEBUG botocore prints each request and answer whole, those of Secrets Manager among them."""
    finished = subprocess.run(
        [sys.executable, "-c", AS_LAMBDA_STARTS, f"{function}.app", asked],
        cwd=ROOT,
        env={"POWERTOOLS_SERVICE_NAME": "test", "POWERTOOLS_METRICS_NAMESPACE": "Test"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert set(finished.stdout.split()) == {libraries}


TRACERS = ("aws_xray_sdk", "opentelemetry", "wrapt")


@pytest.mark.parametrize("function", ["submitter", "webhook_receiver", "sweeper"])
def test_no_tracer_is_imported_whether_requests_are_traced_or_not(function: str) -> None:
    """Lambda writes the trace by itself; X-Ray's SDK would cost each cold start a quarter of a second."""
    told = f"import importlib, sys; importlib.import_module({function + '.app'!r}); print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", told],
        cwd=ROOT,
        env={
            "POWERTOOLS_SERVICE_NAME": "test",
            "POWERTOOLS_METRICS_NAMESPACE": "Test",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert not [name for name in finished.stdout.split() if name.startswith(TRACERS)]
