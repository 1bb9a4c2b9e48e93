"""What the worker of pull mode takes beside the model: CPU and memory, beside the GPU's time for it.

The worker is a process of its own, on this interpreter; its model is a server that answers at once. It
reads the transcript from a file: fetching and putting are the network's.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.push_and_pull import instant_model
from cli.operating.estimating import estimate
from core.summaries.glossary import Glossary
from core.summaries.goals import WritingLimits
from core.summaries.passages import numbered
from core.transcripts.reader import read_transcript
from tests.builders import a_request
from tests.fakes.model import a_transcript
from tests.fakes.served import served

SIZES_WORDS = (10_000, 1_000_000)
_ROOT = Path(__file__).parents[2]
_PROFILE, _VARIANT = "mistral-small-3.1-24b", "fp8"
_MOST_OF_GPU_TIME = 0.02
_MB = 1e6


def figures() -> list[Figure]:
    """Return what the worker takes, for each size."""
    found = []
    with served(instant_model()) as model_url, tempfile.TemporaryDirectory() as folder:
        for words in SIZES_WORDS:
            file = Path(folder) / f"{words}.txt"
            file.write_text(a_transcript(words), encoding="utf-8")
            taken = _worked(file, model_url)
            found.append(_cpu(words, taken["cpu_seconds"], _gpu_seconds(file)))
            found.append(_memory(words, taken["peak_bytes"], file.stat().st_size))
    return found


def _worked(file: Path, model_url: str) -> dict[str, float]:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.pull_worker", str(file), model_url],
        cwd=_ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(ended.stdout))


def _gpu_seconds(file: Path) -> float:
    transcript = read_transcript(file.read_bytes(), max_bytes=10**9)
    passages = numbered(transcript.turns)
    taken = estimate(
        passages,
        a_request(),
        WritingLimits(context_tokens=32_768),
        profile=_PROFILE,
        glossary=Glossary(),
    )
    return next(each.seconds for each in taken.prices if each.variant == _VARIANT)


def _cpu(words: int, seconds: float, gpu_seconds: float) -> Figure:
    return Figure(
        group="Pull mode",
        name=f"the worker's own CPU for {words:,} words",
        value=seconds,
        unit="s",
        beside="the GPU for the same job, FP8, alone on it",
        beside_value=gpu_seconds,
        most=_MOST_OF_GPU_TIME,
        note="reading, planning, requests, checks; its start is left out",
    )


def _memory(words: int, peak_bytes: float, file_bytes: int) -> Figure:
    return Figure(
        group="Pull mode",
        name=f"the worker's peak memory for {words:,} words",
        value=peak_bytes / _MB,
        unit="MB",
        note=f"the file has {file_bytes / _MB:.2f} MB; without RunPod's SDK",
    )
