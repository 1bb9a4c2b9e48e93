"""What `sam build` makes of each function, and the packages that Lambda's runtime has beside it."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TARGETS = {
    "submitter": "SubmitterFunction",
    "webhook_receiver": "WebhookReceiverFunction",
    "sweeper": "SweeperFunction",
    "notifier": "NotifierFunction",
    "webhook_sender": "WebhookSenderFunction",
}
# boto3 and what it needs; the runtime's own, with their bytecode.
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "dateutil", "six", "jmespath", "urllib3")


@dataclass(frozen=True)
class Built:
    python: Path  # of the runtime's version, where this machine has one
    runtime: Path
    artifacts: dict[str, Path]


@cache
def built() -> Built:
    """Build every artifact, and the runtime's packages, once; they go when this process ends."""
    folder = Path(_folder().name)
    python = lambda_python()
    runtime = _runtime(folder / "runtime", python)
    artifacts = {
        function: _artifact(target, folder / function) for function, target in TARGETS.items()
    }
    return Built(python, runtime, artifacts)


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()


@cache
def memory_sizes_mb() -> dict[str, int]:
    """Return the MemorySize that each function is deployed with."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    usual = template["Globals"]["Function"]["MemorySize"]
    return {
        function: template["Resources"][target]["Properties"].get("MemorySize", usual)
        for function, target in TARGETS.items()
    }


def zipped(artifact: Path, archive: Path, *, leaving_out: str = "") -> int:
    """Return the size of an artifact as it is uploaded, in bytes; without the files of one suffix."""
    files = [path for path in sorted(artifact.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in (each for each in files if each.suffix != leaving_out):
            packed.write(path, path.relative_to(artifact))
    return archive.stat().st_size


def lambda_python() -> Path:
    """Return a Python of the runtime's version, or else the one that runs this."""
    found = shutil.which("python3.13")
    candidates = [found] if found else []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(str(path) for path in pyenv.glob("versions/3.13.*/bin/python"))
    return next((Path(each) for each in candidates if _is_lambdas(each)), Path(sys.executable))


def has_runtimes_python() -> bool:
    """Say whether builds on this machine have bytecode."""
    return _is_lambdas(str(lambda_python()))


def _is_lambdas(python: str) -> bool:
    asked = [python, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 13))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _artifact(target: str, folder: Path) -> Path:
    folder.mkdir()
    command = ["make", "--silent", f"build-{target}", f"ARTIFACTS_DIR={folder}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def _runtime(folder: Path, python: Path) -> Path:
    folder.mkdir()
    for package in _RUNTIME_PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin.parent, folder / package, ignore=ignored)
        else:
            shutil.copy(origin, folder)
    subprocess.run([python, "-m", "compileall", "-q", folder], check=True, capture_output=True)
    return folder
