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
