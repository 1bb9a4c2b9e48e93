"""The real `sam build` and `sam deploy`, pointed at the emulator and away from the user's AWS."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from local.stack.emulator import REGION, ROOT_KEY
from local.stack.needs import ROOT, tool
from local.stack.processes import Child, Processes, StackError

STACK_NAME = "summaries-local"  # as in samconfig.toml
_POLL_SECONDS = 0.2  # SAM's default of 5 s is meant for the real CloudFormation


def start_build(processes: Processes, *, source: Path = ROOT) -> Child:
    """Start `sam build` of a checkout; it needs neither the emulator nor AWS."""
    command = ["build", "--build-dir", str(_build_folder(processes, source))]
    return _start(processes, "sam build", command, source=source)


def start_deploy(
    processes: Processes,
    *,
    endpoint_url: str,
    parameters: Mapping[str, str],
    stack_name: str = STACK_NAME,
    source: Path = ROOT,
) -> Child:
    """Start `sam deploy` of the build."""
    overrides = [f'{name}="{value}"' for name, value in parameters.items()]
    template = _build_folder(processes, source) / "template.yaml"
    command = ["deploy", "--template-file", str(template), "--stack-name", stack_name]
    if overrides:
        command += ["--parameter-overrides", *overrides]
    return _start(
        processes, "sam deploy", command, {"AWS_ENDPOINT_URL": endpoint_url}, source=source
    )


def _start(
    processes: Processes,
    name: str,
    command: list[str],
    more_environment: Mapping[str, str] | None = None,
    *,
    source: Path,
) -> Child:
    sam = tool("sam")
    if sam is None:
        raise StackError(f"sam is not installed beside {sys.executable}")
    config = ["--config-file", str(source / "samconfig.toml"), "--config-env", "local"]
    return processes.start(
        name,
        [sam, *command, *config],
        environment=_environment(processes.folder) | dict(more_environment or {}),
        working_folder=source,
    )


def _build_folder(processes: Processes, source: Path) -> Path:
    return processes.folder / ("build" if source == ROOT else f"build-of-{source.name}")


def _environment(folder: Path) -> dict[str, str]:
    """Return the user's environment, for uv's cache and settings, without any AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "BYTECODE": "no",  # it would be the runtime's; the emulator has a Python of its own
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_POLL_DELAY": str(_POLL_SECONDS),
        "SAM_CLI_TELEMETRY": "0",
        "TMPDIR": str(folder),  # sam deploy leaves its archives there
        "__SAM_CLI_APP_DIR": str(_sam_home(folder)),
    }


def _sam_home(folder: Path) -> Path:
    """Create a ~/.aws-sam of its own, which says that the check for newer versions was just done."""
    home = folder / "sam-home"
    home.mkdir(exist_ok=True)
    facts = {"telemetryEnabled": False, "lastVersionCheck": time.time()}
    (home / "metadata.json").write_text(json.dumps(facts), encoding="utf-8")
    return home
