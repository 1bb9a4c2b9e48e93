"""The worker's way from a transcript to a summary, in a process of its own: prints what it took as JSON.

python -m benchmarks.pull_worker FILE MODEL_URL
"""

import json
import re
import sys
import time
from contextlib import closing
from pathlib import Path

from core.summaries.goals import WritingLimits, goal_of
from core.summaries.passages import numbered
from core.transcripts.reader import read_transcript
from tests.builders import JOB_ID, a_request
from worker.model import ModelServer
from worker.settings import WorkerSettings
from worker.summarize import Material, Summarizer


def _peak_bytes() -> int:
    """Return this program's own peak; getrusage's is that of whoever started it, where that was larger."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def main(file: Path, model_url: str) -> None:
    """Summarise a file as an order is carried out."""
    settings = WorkerSettings(model_url=model_url)
    options = a_request()
    started = time.process_time()
    body = file.read_bytes()
    passages = numbered(read_transcript(body, max_bytes=settings.most_transcript_bytes).turns)
    goal = goal_of(options, passages.words, boundary=JOB_ID)
    material = Material(passages=passages, goal=goal, options=options)
    with closing(ModelServer(settings)) as model:
        summarizer = Summarizer(model=model, parallel_calls=settings.parallel_calls)
        result = summarizer.summarize(material, WritingLimits(context_tokens=32_768))
    taken = {
        "cpu_seconds": time.process_time() - started,
        "peak_bytes": _peak_bytes(),
        "words": len(result.text.split()),
    }
    print(json.dumps(taken))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
