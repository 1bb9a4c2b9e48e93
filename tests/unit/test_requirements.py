"""What is installed: pinned by hash, all of it needed, and in Lambda nothing else than what is imported."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import metadata, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+]+)(?: ; [^\\-][^\\]*?)?"
    r"(?: +--hash=sha256:[0-9a-f]{64})+ *"
)
DEPLOYED = ("core", "submitter", "webhook_receiver", "sweeper", "notifier", "webhook_sender")
OF_LAMBDA = {"boto3", "botocore"}  # its Python runtime has them
LAMBDA = {
    "extra": "",
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "platform_machine": "aarch64",
    "sys_platform": "linux",
}
PERMISSIVE = {
    "Apache-2.0",
    "0BSD",
    "BSD-3-Clause",
    "MIT",
    "MPL-2.0",  # certifi: asks for changes of its own files only, and they are shipped as they come
    "PSF-2.0",
}


def logical_lines(path: Path) -> list[str]:
    joined = path.read_text().replace("\\\n", " ")
    lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in joined.splitlines()]
    return [line for line in lines if line.strip()]


def pins(name: str) -> dict[str, str]:
    found = [PINNED.fullmatch(line) for line in logical_lines(REQUIREMENTS / f"{name}.txt")]
    return {canonicalize_name(match["name"]): match["version"] for match in found if match}


def named(name: str) -> set[str]:
    lines = logical_lines(REQUIREMENTS / f"{name}.in")
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_line_is_a_version_with_its_hashes_and_no_address(path: Path) -> None:
    lines = logical_lines(path)

    assert lines
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


def test_make_requirements_pins_every_list_anew() -> None:
    (names,) = re.findall(r"for name in ([a-z ]+); do", (ROOT / "Makefile").read_text())

    lists = {path.stem for path in REQUIREMENTS.glob("*.in")} - {"excluded"}
    assert set(names.split()) == lists == {path.stem for path in REQUIREMENTS.glob("*.txt")}


@pytest.mark.parametrize("makefile", ["Makefile", "build.mk"])
def test_whatever_is_installed_is_checked_by_hash_and_runs_no_code_of_its_own(
    makefile: str,
) -> None:
    """A source distribution is built by its own code, with tools that no hash holds."""
    lines = (ROOT / makefile).read_text().replace("\\\n", " ").splitlines()
    installing = [line for line in lines if re.search(r"pip (install|sync) ", line)]

    assert installing
    for line in installing:
        assert "--require-hashes" in line
        assert "--only-binary :all:" in line


def test_the_tests_run_with_the_versions_that_are_deployed() -> None:
    runtime = pins("runtime")

    assert runtime
    assert runtime.items() <= pins("dev").items()


def test_what_the_worker_shares_with_lambda_is_of_one_version() -> None:
    worker, runtime = pins("worker"), pins("runtime")
    shared = worker.keys() & runtime.keys()

    assert shared >= {"requests", "charset-normalizer"}
    assert {name: worker[name] for name in shared} == {name: runtime[name] for name in shared}


def test_what_the_worker_imports_is_named_for_its_container() -> None:
    modules = imported("worker") - sys.stdlib_module_names - {"core", "worker", "runpod"}
    names = {name for module in modules for name in packages_distributions()[module]}

    assert {canonicalize_name(name) for name in names} <= named("worker")
    assert "runpod" in named("worker") & pins("worker").keys()


def test_lambda_gets_what_is_named_with_what_that_needs_and_nothing_else() -> None:
    wanted = named("runtime")
    looked_at: set[str] = set()
    while new := wanted - looked_at:
        looked_at |= new
        needs = [Requirement(each) for name in new for each in requires(name) or ()]
        wanted |= {
            canonicalize_name(need.name)
            for need in needs
            if need.marker is None or need.marker.evaluate(LAMBDA)
        }

    assert pins("runtime").keys() == wanted


@pytest.mark.parametrize("name", pins("runtime"))
def test_every_package_in_lambda_has_a_permissive_licence(name: str) -> None:
    about = metadata(name)

    licence = about.get("License-Expression") or about.get("License")  # [] warns from 3.12 on
    assert licence in PERMISSIVE


@pytest.mark.parametrize("folder", DEPLOYED)
def test_deployed_code_imports_what_is_beside_it_in_lambda(folder: str) -> None:
    pinned = named("runtime")
    for module in imported(folder) - sys.stdlib_module_names - OF_LAMBDA - {"core", folder}:
        distributions = packages_distributions().get(module, [])
        assert {canonicalize_name(each) for each in distributions} <= pinned, module
        assert distributions, module


def test_whatever_is_named_for_lambda_is_imported_there() -> None:
    modules = set[str]().union(*(imported(folder) for folder in DEPLOYED))
    distributions = packages_distributions()  # which reads all that is installed
    names = {name for module in modules for name in distributions.get(module, [])}

    assert named("runtime") <= {canonicalize_name(name) for name in names}


def imported(folder: str) -> set[str]:
    """Top-level names of what a folder's modules import when they run."""
    modules = (ROOT / folder).rglob("*.py")
    trees = [ast.parse(module.read_text(encoding="utf-8")) for module in modules]
    return {name.partition(".")[0] for tree in trees for name in names_imported(tree)}


def names_imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module
    for child in ast.iter_child_nodes(node):
        yield from names_imported(child)
