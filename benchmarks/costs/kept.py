"""The tables that were computed last: paper.json, which docs/performance.md is made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

PAPER = Path(__file__).with_name("paper.json")

Table = tuple[Sequence[str], list[list[str]], Sequence[int]]  # head, rows, columns of numbers


def kept(path: Path = PAPER) -> dict[str, Table]:
    held = json.loads(path.read_text(encoding="utf-8"))
    return {name: (each["head"], each["rows"], each["numbers"]) for name, each in held.items()}


def keep(tables: Mapping[str, Table], path: Path = PAPER) -> None:
    told = {
        name: {"head": list(head), "rows": rows, "numbers": list(numbers)}
        for name, (head, rows, numbers) in tables.items()
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
