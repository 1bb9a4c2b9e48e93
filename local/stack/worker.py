"""The worker of worker/, run as RunPod runs it: RunPod's own SDK takes jobs from the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from local.stack.model import Model
from local.stack.needs import ROOT
from local.stack.processes import Child, Processes, StackError
from local.waiting import NotInTime, wait_for

_START_SECONDS = 120.0  # the SDK imports for two seconds on an idle machine
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class WorkerProcess:
    child: Child
    id: str  # under which the endpoint knows it

    def wait_until_it_asks(self, endpoint_url: str) -> None:
        """Wait for its first request for a job. Raises StackError."""
        try:
            wait_for(
                lambda: self._is_known(endpoint_url),
                what="the RunPod worker's start",
                timeout_seconds=_START_SECONDS,
            )
        except NotInTime as exc:
            raise StackError(self.child.report(str(exc))) from None

    def _is_known(self, endpoint_url: str) -> bool | None:
        self.child.check_running()
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before 127.0.0.1
            origin = endpoint_url.partition("/v2/")[0]
            told = session.get(f"{origin}/_simulator/workers", timeout=_ANSWER_SECONDS).json()
        return any(each["id"] == self.id for each in told["workers"]) or None


def start_worker(
    processes: Processes,
    *,
    python: Path,
    given_by_runpod: Mapping[str, str],
    model: Model,
    more_environment: Mapping[str, str] | None = None,
) -> WorkerProcess:
    """Start a worker that asks this model; `given_by_runpod` are the variables that RunPod sets.

    Nothing of this process's environment reaches it: in its container there are no AWS keys either.
    """
    home = processes.folder / "worker"  # where the SDK would look for a key that takes precedence
    home.mkdir(exist_ok=True)
    child = processes.start(
        "RunPod worker",
        [python, "-m", "worker"],
        environment={
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "MODEL_KEY": model.key,
            "MODEL_URL": model.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(home),
            **given_by_runpod,
            **(more_environment or {}),
        },
        working_folder=ROOT,
    )
    return WorkerProcess(child, given_by_runpod["RUNPOD_POD_ID"])
