"""What `sam build` makes: each artifact runs alone and holds only what it runs."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from benchmarks.functions.artifacts import has_runtimes_python, zipped
from tests.template.cloudformation import FUNCTIONS, ROOT

LARGEST_ZIP_BYTES = {  # of code and packages, and of these with their bytecode
    "submitter": (2_100_000, 3_700_000),
    "webhook_receiver": (1_000_000, 2_200_000),
    "sweeper": (1_000_000, 2_200_000),
    "notifier": (500_000, 1_200_000),
    "webhook_sender": (800_000, 1_800_000),
}
OF_EACH = {"aws_lambda_powertools", "jmespath", "typing_extensions.py"}
FOR_REQUESTS = {"requests", "urllib3", "certifi", "idna"}
DEPENDENCIES = {  # what requirements/runtime.txt puts at the top of an artifact
    "submitter": OF_EACH | FOR_REQUESTS | {"chardet", "pypdf"},
    "webhook_receiver": OF_EACH | FOR_REQUESTS | {"charset_normalizer"},
    "sweeper": OF_EACH | FOR_REQUESTS | {"charset_normalizer"},
    "notifier": OF_EACH,
    "webhook_sender": OF_EACH | {"urllib3", "certifi", "standardwebhooks"},
}
FOR_THE_SUBMITTER = ("transcripts/formats/", "transcripts/reader.py", "transcripts/encodings.py")
RUNTIME_PACKAGES = [  # Lambda brings these
    "boto3", "botocore", "s3transfer", "dateutil", "six", "jmespath", "urllib3"
]  # fmt: skip

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

    assert found - about_packages - {"__pycache__"} == {folder, "core"} | DEPENDENCIES[folder]
    assert {name.removesuffix(".dist-info") for name in about_packages} == {
        f"{name.removesuffix('.py')}-{pinned()[name.removesuffix('.py')]}"
        for name in DEPENDENCIES[folder]
    }


def test_every_pinned_dependency_is_in_an_artifact() -> None:
    carried = {name.removesuffix(".py") for names in DEPENDENCIES.values() for name in names}

    assert carried == set(pinned())


def pinned() -> dict[str, str]:
    """The version of each pin of requirements/runtime.txt, by its name as in an artifact."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {name.lower().replace("-", "_"): version for name, version in pins}


@EACH_FUNCTION
def test_an_artifact_holds_whatever_its_own_code_imports(
    build: Path, function: str, folder: str
) -> None:
    artifact = build / function
    asks_runpod = "requests" in DEPENDENCIES[folder]
    packages = {name.removesuffix(".py") for name in DEPENDENCIES[folder]} | {*RUNTIME_PACKAGES}

    missing = [
        f"{path.relative_to(artifact)} imports {name}"
        for path in reached(artifact, folder)
        if path != artifact / "core" / "runpod" / "client.py"
        or asks_runpod  # what makes it is there, and never called
        for name in imports_of(path)
        if not is_there(artifact, name, packages | sys.stdlib_module_names)
    ]

    assert missing == []


def reached(artifact: Path, folder: str) -> set[Path]:
    """Our own modules that the handler leads to, also by imports within functions."""
    found: set[Path] = set()
    waiting = [f"{folder}.app"]
    while waiting:
        name = waiting.pop()
        path = file_of(artifact, name) if name.startswith(("core", folder)) else None
        if path is not None and path not in found:
            found.add(path)
            waiting += imports_of(path)
    return found


def imports_of(path: Path) -> list[str]:
    """The absolute names that a module imports; what stands under TYPE_CHECKING is none."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [each.name for each in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{each.name}" for each in node.names]
    return names


def is_there(artifact: Path, name: str, packages: set[str]) -> bool:
    top = name.partition(".")[0]
    if top in packages:
        return True
    # What `from a.b import c` names may be no module but something in one.
    return any(file_of(artifact, each) for each in (name, name.rpartition(".")[0]))


def file_of(artifact: Path, name: str) -> Path | None:
    path = artifact.joinpath(*name.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((each for each in candidates if each.is_file()), None)


@EACH_FUNCTION
@pytest.mark.parametrize("part", ["core", "own"])
def test_an_artifact_holds_our_code_as_it_is_in_the_repository(
    build: Path, function: str, folder: str, part: str
) -> None:
    name = "core" if part == "core" else folder

    shipped, written = contents(build / function / name), contents(ROOT / name)
    left_out = {path for path in written if path.startswith(FOR_THE_SUBMITTER)}

    assert written
    assert (shipped.keys() & left_out == set()) == (folder != "submitter" or part == "own")
    assert {**shipped, **{path: written[path] for path in left_out}} == written


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@EACH_FUNCTION
def test_an_artifact_holds_no_bytecode_but_the_runtimes_which_asks_for_no_times(
    build: Path, function: str, folder: str
) -> None:
    files = [path for path in (build / function).rglob("*") if path.suffix in {".pyc", ".pth"}]

    assert [path.name for path in files if not path.name.endswith(".cpython-313.pyc")] == []
    # An archive does not keep the times that bytecode is usually checked against: PEP 552's flags, "by
    # its hash" and not "to be checked".
    assert {path.read_bytes()[4:8] for path in files} <= {b"\x01\0\0\0"}


@pytest.mark.skipif(not has_runtimes_python(), reason="no Python of the runtime's version is here")
@EACH_FUNCTION
def test_an_artifact_holds_the_bytecode_of_our_code(
    build: Path, function: str, folder: str
) -> None:
    sources = [path for path in (build / function).rglob("*.py") if "pypdf" not in path.parts]

    compiled = {path.parents[1] / path.name for path in (build / function).rglob("*.pyc")}

    assert compiled == {path.with_suffix(".cpython-313.pyc") for path in sources}


@EACH_FUNCTION
def test_an_artifact_is_small(build: Path, tmp_path: Path, function: str, folder: str) -> None:
    code, all_of_it = LARGEST_ZIP_BYTES[folder]

    assert zipped(build / function, tmp_path / "code.zip", leaving_out=".pyc") < code
    assert zipped(build / function, tmp_path / "all.zip") < all_of_it


@EACH_FUNCTION
def test_an_artifact_is_pure_python(build: Path, function: str, folder: str) -> None:
    compiled = [path.name for path in (build / function).rglob("*.so")]

    assert compiled == []
