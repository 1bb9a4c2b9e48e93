"""What was measured last, for docs/performance.md: results.json, by measure."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

RESULTS = Path(__file__).with_name("results.json")


def kept(path: Path = RESULTS) -> dict[str, list[Figure]]:
    """Return the figures of each measure."""
    return {name: [Figure(**each) for each in one["figures"]] for name, one in _held(path).items()}


def keep(measured: dict[str, Sequence[Figure]], path: Path = RESULTS) -> None:
    """Put what was measured in the place of what stands there of the same measures."""
    on = datetime.now(UTC).date().isoformat()
    new = {
        name: {"on": on, "figures": [_told(each) for each in figures]}
        for name, figures in measured.items()
    }
    text = json.dumps(dict(sorted({**_held(path), **new}.items())), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _held(path: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return held


def _told(figure: Figure) -> dict[str, Any]:
    """Return a figure's fields without those that are empty, and without digits that mean nothing."""
    fields = {name: value for name, value in asdict(figure).items() if value not in (None, "")}
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in fields.items()
    }
