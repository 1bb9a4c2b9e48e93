"""The choices for a local stack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.stack.model import Model
from local.stack.needs import emulator_python
from local.stack.processes import StackError
from local.stack.simulator import RunPodEndpoint


@dataclass(frozen=True, kw_only=True)
class Setup:
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template
    port: int = 0  # the emulator's; 0: a free one
    enforce_iam: bool = True
    emulator_python: Path = field(default_factory=emulator_python)
    runpod: RunPodEndpoint | None = None  # None: a simulator of the stack's own
    simulator_options: tuple[str, ...] = ()
    simulated_model: str = "extractive"  # of the simulator's; the other is llm-like
    throttled_share: float = 0.0  # of the functions' AWS calls
    functions_endpoint: str = ""  # where the functions find AWS, if not at the emulator itself
    model: Model | None = None  # that answers; None: sentences are chosen on this CPU
    model_python: Path | None = None  # in place of `model`, the small one on this CPU, run by this
    # Runs worker/ for the endpoint; None: a worker of the simulator.
    worker_python: Path | None = None

    def __post_init__(self) -> None:
        if self.throttled_share and self.enforce_iam:
            raise StackError("permissions can't be enforced behind the fault proxy")
        if self.throttled_share and self.functions_endpoint:
            raise StackError("the functions' calls go through the fault proxy or elsewhere")
