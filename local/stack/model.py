"""The model behind the endpoint: one on this CPU, or any OpenAI-compatible server."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests

from local.stack.loopback import bare_environment, checked_port, http_session
from local.stack.needs import ROOT
from local.stack.processes import Child, Processes, StackError

_SMALL_MODEL_SERVER = Path(__file__).with_name("small_model_server.py")
_START_SECONDS = 120.0  # 2 to 5 s on an idle machine
_ANSWER_SECONDS = 10.0
_LEAST_CONTEXT_TOKENS, _MOST_CONTEXT_TOKENS = 8_192, 131_072  # of template.yaml's MaxModelLenTokens


@dataclass(frozen=True, kw_only=True)
class Model:
    url: str  # of an OpenAI-compatible server, with or without /v1
    name: str = ""  # what to ask for; "": what the server lists first
    key: str = field(default="", repr=False)
    context_tokens: int = 0  # 0: the server does not say
    requests_at_once: int = 3  # as on a RunPod endpoint by default

    @property
    def simulator_options(self) -> tuple[str, ...]:
        return (
            "--worker=openai",
            f"--model-url={self.url}",
            f"--model-name={self.name}",
            f"--max-workers={self.requests_at_once}",
        )

    @property
    def parameters(self) -> dict[str, str]:
        """Return the template parameters that fit the model."""
        fitting = {"ExecutionTimeoutSeconds": "3600"}  # its hardware may be slow
        if self.context_tokens:
            served = min(self.context_tokens, _MOST_CONTEXT_TOKENS)
            fitting["MaxModelLenTokens"] = str(served)
        return fitting

    def __str__(self) -> str:
        context = f", {self.context_tokens:,} tokens of context" if self.context_tokens else ""
        return f"{self.name} at {self.url}{context}"


# So that it ends within minutes on two cores: a model this small may write until it is cut off, and asking
# it again helps little.
SMALL_MODEL_PARAMETERS = {
    "MaxModelLenTokens": "8192",
    "MaxTokens": "600",
    "SummaryWords": "300",
    "TokenBudget": "1.2",
    "ExecutionTimeoutSeconds": "3600",
}


@dataclass(frozen=True, kw_only=True)
class ModelProcess:
    """A model's server on this machine, as a process of its own."""

    child: Child
    model: Model

    def wait_until_ready(self) -> Model:
        """Raises StackError."""
        return self.child.wait_until(self._look_up, timeout_seconds=_START_SECONDS)

    def _look_up(self) -> Model | None:
        try:
            return look_up(self.model)
        except StackError:
            return None  # it does not listen yet


def start_small_model(processes: Processes, *, python: Path, port: int = 0) -> ModelProcess:
    """Start it on a port of 127.0.0.1, or on a free one. Raises StackError."""
    port = checked_port(port)
    child = processes.start(
        "language model",
        [python, _SMALL_MODEL_SERVER, "--port", str(port)],
        environment=bare_environment(processes.folder),
        working_folder=processes.folder,
    )
    model = Model(url=f"http://127.0.0.1:{port}/v1", requests_at_once=1)
    return ModelProcess(child=child, model=model)


def start_simulated_model(
    processes: Processes, name: str, scenarios: Sequence[str] = ()
) -> ModelProcess:
    """Start a model of the simulator's, which needs no GPU, as a server like vLLM's on a free port."""
    port = checked_port(0)
    server = (sys.executable, "-m", "runpod_simulator.extractive_server")
    child = processes.start(
        f"{name} model",
        [*server, "--port", str(port), "--model", name, *scenarios],
        environment={**os.environ, "TMPDIR": str(processes.folder)},
        working_folder=ROOT,
    )
    return ModelProcess(child=child, model=Model(url=f"http://127.0.0.1:{port}/v1"))


def look_up(model: Model) -> Model:
    """Return the model as its server lists it. Raises StackError where no server answers as one."""
    url = f"{model.url.rstrip('/').removesuffix('/v1')}/v1/models"
    headers = {"Authorization": f"Bearer {model.key}"} if model.key else {}
    try:
        with http_session() as session:  # as the simulator will ask: without a proxy or another key
            answer = session.get(url, headers=headers, timeout=_ANSWER_SECONDS)
    except (requests.RequestException, ValueError) as exc:  # ValueError: no URL at all
        raise StackError(
            f"No model answers at {model.url} ({type(exc).__name__}). Is its server running, and is this"
            " its base URL, like http://127.0.0.1:11434/v1?"
        ) from None
    if answer.status_code in {401, 403}:
        raise StackError(f"The server at {model.url} wants another key: set MODEL_KEY.")
    listed = _listed(answer)
    if not listed:
        raise StackError(
            f"What answers at {model.url} (GET /v1/models: HTTP {answer.status_code}) lists no model. Is it"
            " an OpenAI-compatible server, with a model loaded?"
        )
    named = [one for one in listed if one.get("id") == model.name]
    served = (named or listed)[0]
    context_tokens = _context_tokens(served)
    if 0 < context_tokens < _LEAST_CONTEXT_TOKENS:
        raise StackError(
            f"The model at {model.url} is served with {context_tokens:,} tokens of context;"
            f" {_LEAST_CONTEXT_TOKENS:,} is the least that a transcript needs."
        )
    return replace(model, name=model.name or str(served["id"]), context_tokens=context_tokens)


def _listed(answer: requests.Response) -> list[dict[str, Any]]:
    try:
        models = answer.json()["data"]
    except (ValueError, TypeError, KeyError):
        return []
    return [one for one in models if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _context_tokens(served: dict[str, Any]) -> int:
    """Return what vLLM (max_model_len) or llama.cpp (meta.n_ctx) states, or 0."""
    meta = served.get("meta")
    stated = served.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
    return stated if isinstance(stated, int) else 0
