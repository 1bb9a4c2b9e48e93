"""Checks what the local stack needs on this machine, and says how to install what is missing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the repository
EMULATOR_PYTHON = "EMULATOR_PYTHON"  # the variable that names the emulator's interpreter
_DEFAULT_EMULATOR_PYTHON = ROOT / ".venv-emulator/bin/python"
MODEL_PYTHON = "MODEL_PYTHON"  # the variable that names the small model's
_DEFAULT_MODEL_PYTHON = ROOT / ".venv-emulator/bin/python"
WORKER_PYTHON = "WORKER_PYTHON"  # the variable that names the RunPod worker's
_DEFAULT_WORKER_PYTHON = ROOT / ".venv-worker/bin/python"
_SET_UP = "run `make demo`: it sets up both environments first"

# 1.5 is the first series whose AUTH=true refuses what a role does not allow.
_OLDEST_MINISTACK = (1, 5)
_ASK_VERSIONS = """
import importlib.metadata as m, json
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return ""
print(json.dumps({name: version(name) for name in ("ministack", "aws-sam-translator")}))
"""


def tool(name: str) -> Path | None:
    """Find a program beside this interpreter, or else on the PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return Path(found) if found else None


def emulator_python(given: Path | None = None) -> Path:
    """Return the emulator's interpreter: as given, as EMULATOR_PYTHON says, or .venv-emulator's."""
    named = given or Path(os.environ.get(EMULATOR_PYTHON) or _DEFAULT_EMULATOR_PYTHON)
    return named.absolute()  # not resolved: a virtual environment's interpreter is a link


def model_python() -> Path:
    """Return the small model's interpreter: as MODEL_PYTHON says, or .venv-emulator's."""
    return Path(os.environ.get(MODEL_PYTHON) or _DEFAULT_MODEL_PYTHON).absolute()


def missing_for_model(python: Path) -> list[str]:
    """Return a sentence if the small model can't run, with what to do about it."""
    what_to_do = f"run `make demo MODEL=smollm2`, or name another one in {MODEL_PYTHON}"
    return _missing_package("xllamacpp", "llama.cpp", "the small model", python, what_to_do)


def worker_python() -> Path:
    """Return the RunPod worker's interpreter: as WORKER_PYTHON says, or .venv-worker's."""
    return Path(os.environ.get(WORKER_PYTHON) or _DEFAULT_WORKER_PYTHON).absolute()


def missing_for_worker(python: Path) -> list[str]:
    """Return a sentence if the worker can't run, with what to do about it."""
    what_to_do = f"run `make demo MODE=pull`, or name another one in {WORKER_PYTHON}"
    return _missing_package("runpod", "RunPod's SDK", "the RunPod worker", python, what_to_do)


def _missing_package(
    package: str, title: str, whose: str, python: Path, what_to_do: str
) -> list[str]:
    if not os.access(python, os.X_OK):
        problem = f"{whose}'s environment has no interpreter at {python}"
        return [f"{problem}: {what_to_do}"]
    found = subprocess.run(
        [python, "-I", "-c", f"import importlib.metadata as m; m.version('{package}')"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    if found.returncode != 0:
        return [f"{title} is not installed in {python.parent.parent}: {what_to_do}"]
    return []


def missing(python: Path) -> list[str]:
    """Return a sentence for each thing that is missing, with what to do about it."""
    return [*_missing_tools(), *_missing_in_emulator(python)]


def _missing_tools() -> Iterator[str]:
    if tool("uv") is None:
        yield f"uv is not installed beside {sys.executable}: {_SET_UP}"
    if tool("make") is None:
        yield "make is not installed: take it from your system's packages (the build is a makefile)"


def _missing_in_emulator(python: Path) -> Iterator[str]:
    if not os.access(python, os.X_OK):
        yield (
            f"the emulator's environment has no interpreter at {python}: {_SET_UP},"
            f" or name another one in {EMULATOR_PYTHON}"
        )
        return
    asked = subprocess.run(
        [python, "-I", "-c", _ASK_VERSIONS], capture_output=True, text=True, check=False, timeout=60
    )
    if asked.returncode != 0:
        yield f"the interpreter at {python} does not run: {_SET_UP}"
        return
    versions = json.loads(asked.stdout)
    again = "install requirements/emulator.txt there again"
    if not versions["ministack"]:
        yield f"ministack is not installed in {python.parent.parent}: {again}"
    elif tuple(int(part) for part in versions["ministack"].split(".")[:2]) < _OLDEST_MINISTACK:
        yield f"ministack {versions['ministack']} enforces no permissions; {again}"
    if not versions["aws-sam-translator"]:
        yield f"aws-sam-translator is not installed in {python.parent.parent}: {again}"
