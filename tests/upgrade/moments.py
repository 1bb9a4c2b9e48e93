"""What a release had stored, sent and been promised at one moment of a job, as a file of JSON.

A recording is one job from its upload to its end. Texts and RunPod's requests stand in it once and are
named by its moments, as they are written once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RELEASES = Path(__file__).parent / "releases"
JOBS = "jobs"  # the folder of a release's recordings


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a new release finds when it is deployed just then."""

    name: str  # the states that job and calls were in
    at: str
    items: Sequence[Mapping[str, Any]]  # of the table, as DynamoDB writes them
    objects: Sequence[str]  # the keys in the output bucket
    messages: Sequence[Mapping[str, Any]]  # in the queue: body, and how often it was received
    runs: Sequence[int]  # of the recording: the requests that RunPod had taken
    unanswered: Mapping[str, int]  # by RunPod's id: how often it would still have called back


@dataclass(frozen=True, kw_only=True)
class Recording:
    scenario: str
    key: str
    transcript: str
    environment: Mapping[str, str]  # what the functions were set to beside the defaults
    mended: Mapping[str, str]  # what of it is put right when the job goes on
    ends: str  # the job's state in the end
    requests: int  # what RunPod had been asked for by then, in the release that was recorded
    objects: Mapping[str, Mapping[str, Any]]  # by key: text and metadata
    runs: Sequence[Mapping[str, Any]]
    moments: Sequence[Moment]


def write(recording: Recording, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{recording.scenario.replace(',', '').replace(' ', '-')}.json"
    text = json.dumps(asdict(recording), indent=None, ensure_ascii=False, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def read(file: Path) -> Recording:
    held = json.loads(file.read_text(encoding="utf-8"))
    moments = [Moment(**each) for each in held.pop("moments")]
    return Recording(**held, moments=moments)


def recordings(folder: Path) -> list[Recording]:
    return [read(file) for file in sorted(folder.glob("*.json"))]
