"""What ends an order without a summary."""

from core.errors import PipelineError
from core.pull import TROUBLE_PREFIX, TROUBLES


class Trouble(PipelineError):
    """One of core/pull.py's codes. `detail` is for the worker's log: counts and names of ours only."""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in TROUBLES:
            raise AssertionError(f"{code} is no code that the pipeline knows")
        super().__init__(f"{TROUBLE_PREFIX}{code}")
        self.code = code
        self.detail = detail
