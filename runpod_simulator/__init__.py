"""A RunPod Serverless endpoint on this machine: same routes, states, errors and webhooks, no account.

with running_simulator(Config(time_scale=0.01)) as simulator:
    simulator.use("lost-webhook", next_jobs=1)
    ...  # talk to simulator.url with simulator.api_key
"""

from .config import Config, Limit
from .in_process import Simulator, running_simulator
from .jobs import Status
from .records import JobRecord
from .scenarios import SCENARIOS, Rule, UnknownScenarioError
from .webhooks import Delivery
from .workers.fleet import RemoteWorker

__all__ = [
    "SCENARIOS",
    "Config",
    "Delivery",
    "JobRecord",
    "Limit",
    "RemoteWorker",
    "Rule",
    "Simulator",
    "Status",
    "UnknownScenarioError",
    "running_simulator",
]
