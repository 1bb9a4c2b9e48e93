"""What ends an order without a summary."""

from core.errors import PipelineError
from core.runpod.work_order import TROUBLE_PREFIX, TROUBLES


class WorkerError(PipelineError):
    """One of the worker's failure codes. `detail` is for its log: counts and names of ours only."""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in TROUBLES:
            raise AssertionError(f"{code} is no code that the pipeline knows")
        super().__init__(f"{TROUBLE_PREFIX}{code}")
        self.code = code
        self.detail = detail
