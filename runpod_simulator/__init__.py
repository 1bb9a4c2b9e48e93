"""A RunPod Serverless endpoint on this machine: same routes, states, errors and webhooks, no account.

with running_simulator(Config(time_scale=0.01)) as simulator:
    simulator.use("lost-webhook", next_jobs=1)
    ...  # send requests to simulator.url with simulator.api_key

Pure       config, scenarios (every fault), fault_plan (what they do to a job), rules (which requests get
           it), jobs, job_queue, submissions, payloads, rate_limits, records
Running    endpoint (the queue, all together), execution (one run of a job), dispatch (jobs for remote
           workers), webhooks, clock, notifier
HTTP       server, api (callers), worker_api (RunPod's SDK), control_api (/_simulator), responses
Workers    workers/: model (extractive and llm-like, with habits), openai, remote; extractive_server, a
           stand-in for vLLM
Use it     in_process (tests), __main__ (command line)
"""

from runpod_simulator.config import Config, Limit
from runpod_simulator.in_process import Simulator, running_simulator
from runpod_simulator.jobs import JobStatus
from runpod_simulator.records import JobRecord
from runpod_simulator.scenarios import SCENARIOS, Rule, UnknownScenario
from runpod_simulator.webhooks import Delivery
from runpod_simulator.workers import EXTRACTIVE_MODEL, LLM_LIKE_MODEL
from runpod_simulator.workers.remote import RemoteWorker

__all__ = [
    "EXTRACTIVE_MODEL",
    "LLM_LIKE_MODEL",
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
