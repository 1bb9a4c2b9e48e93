"""The container's contents, as far as they can be checked without building it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from core.summaries.models import PROFILES

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "worker" / "Dockerfile"


def test_everything_that_is_copied_is_there_and_gets_past_the_ignore_file() -> None:
    kept = {
        line[1:]
        for line in (ROOT / "worker" / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE.read_text(), re.M)
        for source in line.split()[:-1]
    }

    assert copied
    assert copied == kept
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_base_image_is_pinned_to_a_release() -> None:
    (base,) = re.findall(r"^FROM (.+)$", DOCKERFILE.read_text(), re.M)

    assert re.fullmatch(r"runpod/worker-v1-vllm:v\d+\.\d+\.\d+", base)


def test_whatever_is_installed_is_checked_by_hash() -> None:
    commands = DOCKERFILE.read_text().replace("\\\n", " ").split("&&")
    installing = [command for command in commands if "pip install" in command]

    assert len(installing) == 2
    assert all("--require-hashes" in each for each in installing)
    assert all("--only-binary :all:" in each for each in installing)


def test_what_the_container_starts_with_may_be_run() -> None:
    (entry,) = re.findall(r'^ENTRYPOINT \["/opt/app/(.+)"\]$', DOCKERFILE.read_text(), re.M)

    assert (ROOT / entry).stat().st_mode & 0o111
    assert subprocess.run(["/bin/bash", "-n", str(ROOT / entry)], check=False).returncode == 0


def test_the_hub_offers_the_settings_that_the_models_need() -> None:
    config = json.loads((ROOT / ".runpod" / "hub.json").read_text())["config"]

    (preset,) = config["presets"]
    assert preset["defaults"] == dict(PROFILES["mistral-small-3.1-24b"].endpoint_environment)


def test_the_hubs_variables_have_the_workers_own_defaults() -> None:
    from worker.settings import WorkerSettings

    config = json.loads((ROOT / ".runpod" / "hub.json").read_text())["config"]
    offered = {each["key"]: str(each["input"].get("default", "")) for each in config["env"]}

    assert WorkerSettings.from_environment(offered) == WorkerSettings()
    assert offered.keys() >= {"MAX_TRANSCRIPT_BYTES", "MAX_PARALLEL_CALLS", "MAX_PARALLEL_ORDERS"}


def test_the_hubs_test_is_something_the_worker_answers() -> None:
    tests = json.loads((ROOT / ".runpod" / "tests.json").read_text())

    assert all({"name", "input", "timeout"} == each.keys() for each in tests["tests"])
    assert (ROOT / ".runpod" / "Dockerfile").resolve() == DOCKERFILE


def test_the_worker_needs_neither_aws_nor_runpods_sdk_before_it_starts() -> None:
    asked = (
        "import sys, worker.handler, worker.job;"
        "print(sorted({'boto3', 'botocore', 'runpod', 'aws_lambda_powertools'} & set(sys.modules)))"
    )

    answered = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answered.stdout == "[]\n"
