"""A RunPod Serverless endpoint on this machine: same routes, states, errors and webhooks, no account.

with running_simulator(Config(time_scale=0.01)) as simulator:
    simulator.use("lost-webhook", next_jobs=1)
    ...  # talk to simulator.url with simulator.api_key
"""

from runpod_simulator.config import Config, Limit
from runpod_simulator.in_process import Simulator, running_simulator
from runpod_simulator.jobs import JobStatus
from runpod_simulator.records import JobRecord
from runpod_simulator.scenarios import SCENARIOS, Rule, UnknownScenario
from runpod_simulator.webhooks import Delivery
from runpod_simulator.workers import EXTRACTIVE_MODEL
from runpod_simulator.workers.remote import RemoteWorker

__all__ = [
    "EXTRACTIVE_MODEL",
    "SCENARIOS",
    "Config",
    "Delivery",
    "JobRecord",
    "JobStatus",
    "Limit",
    "RemoteWorker",
    "Rule",
    "Simulator",
    "UnknownScenario",
    "running_simulator",
]
