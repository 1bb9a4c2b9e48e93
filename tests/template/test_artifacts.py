"""What `sam build` makes: each artifact runs alone and holds only what it runs."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.cloudformation import FUNCTIONS, ROOT

LARGEST_ZIP_BYTES = 2_600_000
DEPENDENCIES = {  # what requirements/runtime.txt puts at the top of an artifact
    "aws_lambda_powertools",
    "certifi",
    "chardet",
    "charset_normalizer",
    "idna",
    "jmespath",
    "pypdf",
    "requests",
    "standardwebhooks",
    "typing_extensions.py",
    "urllib3",
}
RUNTIME_PACKAGES = ["boto3", "botocore", "s3transfer", "dateutil", "six"]  # Lambda brings these

IMPORT_HANDLER = """
import importlib, sys
artifact, runtime, handler = sys.argv[1:]
sys.path[:0] = [artifact, runtime]
module, _, name = handler.rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
"""

EACH_FUNCTION = pytest.mark.parametrize(("function", "folder"), FUNCTIONS.items())


@pytest.fixture(name="build", scope="session")
def _build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a real `sam build`, started somewhere else, filled."""
    work = tmp_path_factory.mktemp("sam")
    tools = Path(sys.executable).parent
    sam = tools / "sam"
    assert sam.is_file(), f"{sam} is missing: install requirements/dev.txt"
    finished = subprocess.run(
        [sam, "build", "--template", ROOT / "template.yaml", "--build-dir", work / "build"],
        cwd=work,
        env={
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-central-1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return work / "build"


@pytest.fixture(name="resources", scope="session")
def _resources(build: Path) -> dict[str, Any]:
    return dict(yaml_parse((build / "template.yaml").read_text())["Resources"])


@pytest.fixture(name="lambda_runtime", scope="session")
def _lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """boto3 and what it needs, apart from everything else this environment has."""
    runtime = tmp_path_factory.mktemp("runtime")
    for package in RUNTIME_PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (runtime / origin.name).symlink_to(origin)
    return runtime


@EACH_FUNCTION
def test_a_handler_imports_from_its_artifact_alone_and_without_an_environment(
    build: Path, resources: dict[str, Any], lambda_runtime: Path, function: str, folder: str
) -> None:
    properties = resources[function]["Properties"]
    arguments = [build / properties["CodeUri"], lambda_runtime, properties["Handler"]]

    imported = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", IMPORT_HANDLER, *arguments],
        env={},
        cwd=build,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert imported.returncode == 0, imported.stderr


@EACH_FUNCTION
def test_an_artifact_holds_its_folder_core_and_the_pinned_dependencies(
    build: Path, function: str, folder: str
) -> None:
    found = {path.name for path in (build / function).iterdir()}
    about_packages = {name for name in found if name.endswith(".dist-info")}

    assert found - about_packages == {folder, "core"} | DEPENDENCIES
    assert {name.removesuffix(".dist-info") for name in about_packages} == pinned()


def pinned() -> set[str]:
    """name-version of each pin of requirements/runtime.txt, spelt as in an artifact."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {f"{name.lower().replace('-', '_')}-{version}" for name, version in pins}


@EACH_FUNCTION
@pytest.mark.parametrize("part", ["core", "own"])
def test_an_artifact_holds_our_code_as_it_is_in_the_repository(
    build: Path, function: str, folder: str, part: str
) -> None:
    name = "core" if part == "core" else folder

    shipped, written = contents(build / function / name), contents(ROOT / name)

    assert written
    assert shipped == written


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@EACH_FUNCTION
def test_an_artifact_holds_no_bytecode_of_another_python(
    build: Path, function: str, folder: str
) -> None:
    leftovers = [path for path in (build / function).rglob("*") if path.suffix in {".pyc", ".pth"}]

    assert leftovers == []


@EACH_FUNCTION
def test_an_artifact_is_small_enough_to_start_quickly(
    build: Path, tmp_path: Path, function: str, folder: str
) -> None:
    archive = tmp_path / "artifact.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted((build / function).rglob("*")):
            zipped.write(path, path.relative_to(build / function))

    assert archive.stat().st_size < LARGEST_ZIP_BYTES


@EACH_FUNCTION
def test_an_artifact_is_pure_python(build: Path, function: str, folder: str) -> None:
    compiled = [path.name for path in (build / function).rglob("*.so")]

    assert compiled == []
