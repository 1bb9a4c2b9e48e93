"""The RunPod simulator as a process of its own, so that its work does not slow the display down."""

import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.stack.needs import ROOT
from local.stack.processes import Child, Processes

# Longer than RunPod waits: on a busy machine, a callback that times out while its function starts would be
# sent again and start another function, and so on until none is answered.
CALLBACK_ANSWER_SECONDS = 120.0

# Of the simulated management API, which listens on this machine alone. As it should be at RunPod, it is not
# the key of the stack, which may use its endpoint and nothing else.
MANAGEMENT_KEY = "local-management-key"

_START_SECONDS = 60.0  # 0.7 s on an idle machine


@dataclass(frozen=True)
class RunPodEndpoint:
    """Where the functions find RunPod, real or simulated."""

    url: str  # as RUNPOD_API_ENDPOINT: https://api.runpod.ai/v2/<endpoint id>
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class SimulatorProcess:
    child: Child
    api_key: str = field(repr=False)

    def wait_until_ready(self) -> RunPodEndpoint:
        """Raises StackError."""
        listening = self.child.wait_until(self._listening, timeout_seconds=_START_SECONDS)
        return RunPodEndpoint(listening["url"], self.api_key)

    def worker_environment(self) -> dict[str, str]:
        """Return what makes a process with RunPod's SDK a worker of it; call it once it is ready."""
        listening = self._listening() or {}
        return dict(listening["worker_environment"])

    def _listening(self) -> dict[str, Any] | None:
        """Return the line of JSON that it prints once it listens."""
        with self.child.log.open(encoding="utf-8", errors="replace") as output:
            lines = [line for line in output if line.startswith("{") and line.endswith("}\n")]
        return dict(json.loads(lines[0])) if lines else None


def start_simulator(
    processes: Processes, options: Sequence[str] = (), *, model_key: str = ""
) -> SimulatorProcess:
    """Start the simulator on a free port; `options` are those of `python -m runpod_simulator`."""
    api_key = f"local-{secrets.token_hex(16)}"
    child = processes.start(
        "RunPod simulator",
        [
            *(sys.executable, "-m", "runpod_simulator", "--port", "0"),
            f"--webhook-timeout-seconds={CALLBACK_ANSWER_SECONDS:g}",
            *options,
        ],
        environment={
            **os.environ,
            "RUNPOD_SIMULATOR_API_KEY": api_key,
            "RUNPOD_SIMULATOR_MANAGEMENT_KEY": MANAGEMENT_KEY,
            "RUNPOD_SIMULATOR_MODEL_KEY": model_key,
            "TMPDIR": str(processes.folder),
        },
        working_folder=ROOT,
    )
    return SimulatorProcess(child, api_key)
