"""What the endpoint's environment says about the worker. vLLM's own variables are its image's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    model_url: str = "http://127.0.0.1:8000"
    model_key: str = field(default="", repr=False)
    model_answer_seconds: int = 3600  # for one call; vLLM queues what it can't begin at once
    model_start_seconds: int = 120  # how long the server may not answer before it counts as gone
    most_transcript_bytes: int = 1_000_000_000
    parallel_calls: int = 16  # at a time for one order; vLLM makes batches of them
    parallel_orders: int = 4  # at a time; a short transcript alone leaves a GPU half idle

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "WorkerSettings":
        """Read them. Raises SettingsError, which names the variable."""
        given = {
            "most_transcript_bytes": _number(environment, "MAX_TRANSCRIPT_BYTES"),
            "parallel_calls": _number(environment, "MAX_PARALLEL_CALLS"),
            "parallel_orders": _number(environment, "MAX_PARALLEL_ORDERS"),
            "model_answer_seconds": _number(environment, "MODEL_ANSWER_SECONDS"),
            "model_start_seconds": _number(environment, "MODEL_START_SECONDS"),
        }
        return cls(
            model_url=(environment.get("MODEL_URL") or cls.model_url)
            .rstrip("/")
            .removesuffix("/v1"),
            model_key=environment.get("MODEL_KEY", ""),
            **{name: number for name, number in given.items() if number},
        )


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "").strip()
    if not value:
        return 0
    if not value.isdecimal() or not int(value):
        raise SettingsError(f"{name} must be a whole number above 0")
    return int(value)
