"""The Makefile takes what people give it: paths as they come, a clone anywhere, a home that is closed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 120.0
_SHOW = '#!/bin/sh\nprintf "%s\\n" "$LOCAL_FILE" "$LOCAL_PORT" "$UV_CACHE_DIR"\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a space in its path that is set up, and whose python prints its arguments."""
    folder = tmp_path / "a clone"
    for name in ("Makefile", "build.mk", "requirements", "cli", "core", "submitter"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, _made(folder) / name)
    for name in (".venv/local", ".venv-emulator/ready", ".lambda-packages/ready"):
        _made((folder / name).parent)
        (folder / name).touch()
    _program(folder / ".venv/bin/python", _SHOW)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _program(path: Path, text: str) -> None:
    _made(path.parent)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def make(
    clone: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *arguments],  # noqa: S607 - as a person finds it
        cwd=clone,
        env={**_as_in_a_persons_shell(), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )


def _as_in_a_persons_shell() -> dict[str, str]:
    """Return the environment without what `make test` adds: a make within a make prints its folder."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_", "MAKE", "MFLAGS"))
    }


@pytest.mark.parametrize(
    "file",
    ["board.txt", "two words.txt", 'said "so".txt', "cost $5 $HOME.txt", "~/it's.txt", "a\\b.txt"],
)
def test_a_file_reaches_the_demo_under_the_name_it_has(clone: Path, file: str) -> None:
    ended = make(clone, "demo", f"FILE={file}")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == file


def test_the_port_of_make_up_can_be_chosen(clone: Path) -> None:
    assert make(clone, "up", "PORT=4711").stdout.splitlines()[1] == "4711"


def test_a_home_that_cannot_be_written_to_is_left_alone(clone: Path) -> None:
    ended = make(clone, "demo", environment={"HOME": "/nowhere"})

    assert ended.stdout.splitlines()[2] == f"{clone}/.cache/uv"


def test_a_home_that_can_be_written_to_keeps_the_cache(clone: Path, tmp_path: Path) -> None:
    ended = make(clone, "demo", environment={"HOME": str(tmp_path)})

    assert ended.stdout.splitlines()[2] == ""


def test_a_function_is_built_in_a_clone_with_a_space_in_its_path_and_without_a_network(
    clone: Path, tmp_path: Path
) -> None:
    """What goes into it is fetched at set-up: `uv` is only asked again where its list has changed."""
    _program(clone / ".venv/bin/uv", "#!/bin/sh\necho no network >&2\nexit 1\n")
    packages = clone / ".lambda-packages/python"
    for name in ("requests", "aws_lambda_powertools/utilities"):
        (_made(packages / name) / "__init__.py").touch()
    artifacts = _made(tmp_path / "an artifact")

    ended = make(
        clone,
        "build-SubmitterFunction",
        environment={"ARTIFACTS_DIR": str(artifacts), "PATH": "/usr/bin:/bin"},
    )

    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in artifacts.iterdir()) == [
        "aws_lambda_powertools",
        "core",
        "requests",
        "submitter",
    ]
