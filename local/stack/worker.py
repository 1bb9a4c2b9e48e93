"""The worker of worker/, run as RunPod runs it: RunPod's own SDK takes jobs from the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack.loopback import bare_environment, http_session
from local.stack.model import Model
from local.stack.needs import ROOT
from local.stack.processes import Child, Processes

_START_SECONDS = 120.0  # the SDK imports for two seconds on an idle machine
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class WorkerProcess:
    child: Child
    id: str  # under which the endpoint knows it

    def wait_until_it_polls(self, endpoint_url: str) -> None:
        """Wait for its first request for a job. Raises StackError."""
        self.child.wait_until(lambda: self._is_known(endpoint_url), timeout_seconds=_START_SECONDS)

    def _is_known(self, endpoint_url: str) -> bool | None:
        with http_session() as session:
            origin = endpoint_url.partition("/v2/")[0]
            listed = session.get(f"{origin}/_simulator/workers", timeout=_ANSWER_SECONDS).json()
        return any(each["id"] == self.id for each in listed["workers"]) or None


def start_worker(
    processes: Processes,
    *,
    python: Path,
    runpod_environment: Mapping[str, str],
    model: Model,
    more_environment: Mapping[str, str] | None = None,
) -> WorkerProcess:
    """Start a worker that calls this model; `runpod_environment` are the variables that RunPod sets.

    It gets nothing of this process's environment: its container has no AWS keys either.
    """
    home = processes.folder / "worker"  # where the SDK would look for a key that takes precedence
    home.mkdir(exist_ok=True)
    child = processes.start(
        "RunPod worker",
        [python, "-m", "worker"],
        environment={
            **bare_environment(home),
            "MODEL_KEY": model.key,
            "MODEL_URL": model.url,
            "NO_PROXY": "127.0.0.1,localhost",
            **runpod_environment,
            **(more_environment or {}),
        },
        working_folder=ROOT,
    )
    return WorkerProcess(child, runpod_environment["RUNPOD_POD_ID"])
