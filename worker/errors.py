"""What ends an order without a summary."""

from core.errors import PipelineError
from core.failures import WORKER_CODES
from core.runpod.work_order import ERROR_PREFIX


class WorkerError(PipelineError):
    """One of the worker's failure codes. `detail` is for its log: counts and names of ours only."""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in WORKER_CODES:
            raise AssertionError(f"{code} is no code that the pipeline knows")
        super().__init__(f"{ERROR_PREFIX}{code}")
        self.code = code
        self.detail = detail
