"""The simulator is a package of its own: it can be installed and run without the rest of the repository."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "runpod_simulator"
PYPROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))


def imported_packages() -> set[str]:
    """Return the top-level packages that the simulator imports, at the top of a module or later."""
    return {name.partition(".")[0] for path in PACKAGE.rglob("*.py") for name in imports(path)}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module or ""


def packages_of_the_project() -> set[str]:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    return folders - {PACKAGE.name}


def test_the_simulator_imports_nothing_of_the_project() -> None:
    assert imported_packages() & packages_of_the_project() == set()


def test_its_dependencies_are_exactly_the_third_party_packages_that_it_imports() -> None:
    declared = {re.split(r"[^\w-]", each)[0] for each in PYPROJECT["project"]["dependencies"]}

    assert declared == imported_packages() - sys.stdlib_module_names - {PACKAGE.name}


def test_every_module_can_be_imported_without_the_rest_of_the_repository(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    program = (
        "import importlib, pkgutil, runpod_simulator as package\n"
        "for module in pkgutil.walk_packages(package.__path__, 'runpod_simulator.'):\n"
        "    importlib.import_module(module.name)\n"
    )

    imported = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert imported.returncode == 0, imported.stderr


def test_its_console_script_names_a_function_that_exists() -> None:
    module, _, function = PYPROJECT["project"]["scripts"]["runpod-simulator"].partition(":")

    path = PACKAGE / f"{module.removeprefix('runpod_simulator.')}.py"
    defined = {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }

    assert function in defined
