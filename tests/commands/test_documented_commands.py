"""Every command that a page names is run, small, by a test or by CI: it works as committed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from local.stack.needs import WORKER_PYTHON, worker_python

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "runpod_simulator/README.md",
    ROOT / "samples/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_LONGEST_SECONDS = 400.0
_COMMAND = re.compile(
    r"(?:^|[\s/$])(make(?: [a-z][a-z-]*(?=\s|$))+(?: [A-Z_]+=\S*)*|python -m [\w.]+[^|&#]*)"
)

# By the command as a page gives it, its values left out: how it is run small here.
RUN_HERE = {
    "make help": "make help",
    "make simulate": "make simulate SEEDS=2",
    "make simulate SEEDS": "make simulate SEEDS=2",
    "make simulate SEED": "make simulate SEED=42",
    "make bench": "make bench NAMES=gpu",
    "make bench NAMES": "make bench NAMES=gpu",
    "make fuzz": "make fuzz REQUESTS=40 SEED=1",
    "make fuzz REQUESTS": "make fuzz REQUESTS=40 SEED=1",
    "make fuzz REQUESTS SEED": "make fuzz REQUESTS=40 SEED=1",
    "make mutants": "make mutants NAMES=job-named-at-random",
    "python -m benchmarks.encodings": ".venv/bin/python -m benchmarks.encodings --samples 1",
    "python -m benchmarks.formats": ".venv/bin/python -m benchmarks.formats --words 400",
    "python -m benchmarks.long_transcripts": ".venv/bin/python -m benchmarks.long_transcripts --words 600",
    "python -m benchmarks.many_jobs": ".venv/bin/python -m benchmarks.many_jobs --jobs 900 --times 1",
    "python -m benchmarks.planted": ".venv/bin/python -m benchmarks.planted --each 20",
    "python -m benchmarks.writing": ".venv/bin/python -m benchmarks.writing --words 900 --context 8192",
    "python -m tests.faults": ".venv/bin/python -m tests.faults",
}
_SIMULATOR = "tests/simulator/test_simulator_command_line.py::test_"
# And where it is run elsewhere: by a test, or by CI.
RUN_ELSEWHERE = {
    "make demo": "tests/local/test_demo_command.py::test_the_demo_turns_a_transcript_into_a_summary",
    "make demo FILE": "tests/local/test_demo_command.py::test_the_demo_turns_a_transcript_into_a_summary",
    "make demo MODE": "tests/local/test_demo_command.py::test_the_demo_turns_a_transcript_into_a_summary",
    "make demo MODEL_URL": "tests/local/test_models.py::test_",
    "make up": "tests/local/test_up_command.py::test_",
    "make up MODE": "tests/local/test_up_command.py::test_",
    "make dashboard": "tests/local/test_dashboard.py::test_the_dashboard_is_drawn_from_a_run",
    "make soak": "tests/soak/test_soak.py::test_",
    "make soak JOBS SEED": "tests/soak/test_soak.py::test_",
    "make test": ".ci/run",
    "make test PYTHON": ".ci/run",
    "make test TESTS": ".ci/run",
    "make check": ".ci/run",
    "make check test": ".ci/run",
    "make audit-template": ".ci/run",
    "python -m runpod_simulator --port": _SIMULATOR,
    "python -m runpod_simulator --port --worker": _SIMULATOR,
    "python -m runpod_simulator.extractive_server --port --model --scenario --seed": (
        "tests/simulator/test_simulator_command_line.py::test_the_model_server_serves"
    ),
    "python -m tests.upgrade.record": "tests/upgrade/test_going_back.py::test_the_release_before",
    "python -m local --model --scenario --scenario": (
        "tests/local/test_demo_command.py::test_the_demo_shows_what_becomes_of_bad_habits"
    ),
    "python -m runpod_simulator --worker --model-url --model-name": (
        "tests/simulator/test_openai_worker.py::test_"
    ),
    "python -m runpod_simulator --seed --scenario --scenario": (_SIMULATOR),
}
# And which are not, and why.
NOT_RUN = {
    "make deploy": "deploys to an AWS account; tests/cli has its questions and refusals",
    "make destroy": "deletes from an AWS account; tests/cli has its questions and what it leaves",
    "make screenshots": "changes docs/; tests/local/test_page.py has the page on the same stack",
    "python -m benchmarks --keep": "changes docs/; `make bench` is run without it",
    "python -m benchmarks.costs --keep": "changes docs/, takes minutes; tests/unit/benchmarks has parts",
    "make test-cloud": "costs money, on an AWS account and on RunPod",
    "make requirements": "changes the pins to the newest that the package index has",
    "make audit": "asks the package index about known vulnerabilities; its first half is run",
    "make demo MODEL": "fetches 120 MB; tests/simulator/test_small_model.py runs it where it is",
    "make demo MODE MODEL": "the same",
    "python -m benchmarks.push_and_pull": "minutes on the local stack, as tests/local has it",
}


def documented() -> dict[str, str]:
    """Return the commands that the pages name, without their values, with a page that names each."""
    found = {}
    for page in PAGES:
        for code in re.findall(r"```.*?```|`[^`]+`", page.read_text(encoding="utf-8"), re.S):
            lines = code.splitlines() if code.startswith("```") else [" ".join(code.split())]
            for line in lines:
                if named := _COMMAND.search(line.strip("`")):
                    found[_without_values(named[1])] = page.name
    return found


def _without_values(command: str) -> str:
    if command.startswith("python"):
        return " ".join(re.findall(r"^python -m [\w.]+|--[\w-]+", command.partition("#")[0]))
    return re.sub(r"=\S*", "", command.partition("#")[0]).strip()


def test_every_documented_command_has_its_small_run() -> None:
    known = {**RUN_HERE, **RUN_ELSEWHERE, **NOT_RUN}

    assert {name: page for name, page in documented().items() if name not in known} == {}


def test_nothing_is_listed_that_no_page_names() -> None:
    assert ({*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN} - documented().keys()) == set()


@pytest.mark.parametrize("where", sorted(set(RUN_ELSEWHERE.values())))
def test_what_is_run_elsewhere_is_there(where: str) -> None:
    path, _, name = where.partition("::")

    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name}" in text if name else "make test" in text


@pytest.mark.parametrize(
    "command", [name for name, where in RUN_ELSEWHERE.items() if where == ".ci/run"]
)
def test_ci_runs_the_commands_listed_for_it(command: str) -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")

    target = command.split()[1]
    assert re.search(rf"^\s*make {target}\b", script, re.M)


@pytest.mark.parametrize("command", dict.fromkeys(RUN_HERE.values()))
def test_a_documented_command_passes(command: str) -> None:
    environment = {**os.environ, WORKER_PYTHON: str(worker_python())}

    ended = subprocess.run(
        command.split(),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )

    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-3_000:]
