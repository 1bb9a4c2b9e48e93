"""Makes the functions' artifacts as `sam build` does: each by its target of build.mk, into one folder.

SAM itself would take seconds to start and copy what was built once more. What it leaves behind is what this
leaves: a folder for each function and a template beside them, so `sam deploy` can take them from here.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.template_text import read_template
from local.stack.needs import ROOT
from local.stack.processes import Child, Processes

_AT_ONCE = 4


def build_folder(processes: Processes, source: Path = ROOT) -> Path:
    return processes.folder / ("build" if source == ROOT else f"build-of-{source.name}")


def start_build(processes: Processes, *, source: Path = ROOT) -> Child:
    """Start building a checkout; it needs neither the emulator nor AWS."""
    folder = build_folder(processes, source)
    template = read_template((source / "template.yaml").read_text(encoding="utf-8"))
    names = functions_of(template)
    for name in names:
        (folder / name).mkdir(parents=True)
        template["Resources"][name]["Properties"]["CodeUri"] = name
    (folder / "template.yaml").write_text(
        json.dumps(template), encoding="utf-8"
    )  # which YAML may be
    return processes.start(
        "build",
        [
            *("make", f"--jobs={_AT_ONCE}", "--no-print-directory"),
            f"ARTIFACTS_DIR={folder}/$(@:build-%=%)",
            *(f"build-{name}" for name in names),
        ],
        environment=_environment(),
        working_folder=source,
    )


def functions_of(template: Mapping[str, Any]) -> list[str]:
    """Return the logical ids of what build.mk makes."""
    resources: Mapping[str, Any] = template["Resources"]
    return [
        name
        for name, each in resources.items()
        if each.get("Metadata", {}).get("BuildMethod") == "makefile"
    ]


def _environment() -> dict[str, str]:
    """Return the user's environment, for uv's cache and settings; nothing of a make that runs this."""
    of_make = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    kept = {name: value for name, value in os.environ.items() if name not in of_make}
    beside = Path(sys.executable).parent  # where uv is
    path = f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        **kept,
        "PATH": path,
        "BYTECODE": "no",
    }  # the runtime's; the emulator has another Python
