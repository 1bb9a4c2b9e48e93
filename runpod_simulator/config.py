"""All settings, with RunPod's own values as defaults.

Durations are RunPod seconds. `time_scale` is how many real seconds one of them takes: at 0.01 a 30-minute
retention lasts 18 seconds. Three durations are never scaled, because they happen outside the simulation:
how long a worker really computes, the heartbeats of remote workers, and how long a receiver may take to
answer a webhook.
"""

from dataclasses import dataclass, field
from typing import Literal

from runpod_simulator.scenarios import Rule


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Above either number RunPod answers 429."""

    per_10_seconds: int
    concurrent: int


@dataclass(frozen=True, kw_only=True)
class Config:
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free port
    endpoint: str = "local"  # the endpoint id in /v2/{endpoint}
    api_key: str = field(default="local-runpod-key", repr=False)
    time_scale: float = 1.0

    # Endpoint
    max_workers: int = 3
    # shortest wait before a worker takes a job (scaling, cold start)
    queue_delay_seconds: float = 1.0
    # shortest execution; a worker that really takes longer takes longer
    execution_seconds: float = 1.0
    execution_timeout_seconds: float = 600.0  # when the job's policy says nothing
    ttl_seconds: float = 86_400.0  # when the job's policy says nothing
    result_retention_seconds: float = 1_800.0
    runsync_retention_seconds: float = 60.0
    run_limit: Limit = Limit(per_10_seconds=1000, concurrent=200)
    runsync_limit: Limit = Limit(per_10_seconds=2000, concurrent=400)
    status_limit: Limit = Limit(per_10_seconds=2000, concurrent=400)
    cancel_limit: Limit = Limit(per_10_seconds=100, concurrent=20)
    purge_limit: Limit = Limit(per_10_seconds=2, concurrent=2)

    # Management API
    # the key that it takes; with one, api_key is of the endpoint alone and gets 403 ("": api_key)
    management_key: str = field(default="", repr=False)
    management_per_minute: int = 60  # requests; the quota in RunPod's example

    # Webhooks
    webhook_gaps_seconds: tuple[float, ...] = (5.0, 10.0)  # between attempts: one more than gaps
    webhook_timeout_seconds: float = 10.0  # real seconds; RunPod's own value is not documented
    webhooks_at_once: int = 0  # most that are being delivered; 0: any number, as RunPod may
    webhook_on_timed_out: bool = False  # promised in 2023 only, never observed

    # Worker
    worker: Literal["extractive", "llm-like", "openai", "platform"] = "extractive"
    # openai: sent in place of the job's model; extractive, llm-like: named in its answers
    model_name: str = ""
    max_model_len: int = 32_768  # extractive, llm-like: tokens of prompt and answer together
    # native: what worker-vllm up to 2.23 answered
    output_shape: Literal["openai", "native"] = "openai"
    model_url: str = ""  # openai: base URL of an OpenAI-compatible server, with or without /v1
    model_key: str = field(default="", repr=False)
    model_timeout_seconds: float = 3_600.0  # real seconds; worker-vllm's REQUEST_TIMEOUT

    # Workers with RunPod's SDK that run elsewhere (worker="platform"); its seconds are real
    worker_key: str = field(default="local-worker-key", repr=False)  # their RUNPOD_AI_API_KEY
    heartbeat_timeout_seconds: float = 40.0  # a job that no worker names within it is lost
    long_poll_seconds: float = 5.0  # how long job-take and job-stop wait for news
    run_result_max_mib: float = 10.0
    runsync_result_max_mib: float = 20.0
    stream_chunk_max_mib: float = 1.0

    # Faults, for all jobs or for some
    scenarios: tuple[Rule | str, ...] = ()
    # decides which requests a rule's share falls on (None: chance), and what llm-like writes
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.time_scale <= 0:
            raise ValueError(f"time_scale must be above 0, not {self.time_scale}")
        if self.max_workers < 0:
            raise ValueError(f"max_workers must not be negative: {self.max_workers}")
        if self.webhooks_at_once < 0:
            raise ValueError(f"webhooks_at_once must not be negative: {self.webhooks_at_once}")
        if self.worker == "openai" and not self.model_url:
            raise ValueError("the openai worker needs model_url")
