"""A real worker: RunPod's SDK with handlers that do what a job's input says.

WORKER_PYTHON tests/simulator/sdk_worker.py plain|async|generator|refreshing
"""

import asyncio
import sys
import time
from pathlib import Path

import runpod

DO = {
    "echo": lambda job: {"heard": job["input"]},
    "text": lambda job: "Grüße 😀",
    "nothing": lambda job: None,
    "error text": lambda job: {"error": "the model refused", "detail": 42},
    "error object": lambda job: {"error": {"code": 7}},
    "no number": lambda job: {"score": float("nan")},
    "large": lambda job: "x" * job["input"]["bytes"],
    "refresh": lambda job: {"said": "again", "refresh_worker": True},
}


def plain(job):
    wish = job["input"]
    if wish["do"] == "raise":
        raise ValueError(wish["do"])
    if wish["do"] == "progress":
        runpod.serverless.progress_update(job, {"done": 1})
        released = Path(wish["until"])
        while not released.exists():
            time.sleep(0.02)
        return {"done": 2}
    return DO[wish["do"]](job)


async def waiting(job):
    if job["input"]["do"] == "sleep":
        await asyncio.sleep(600)
    return DO[job["input"]["do"]](job)


def generator(job):
    for number in range(job["input"]["chunks"]):
        yield {"chunk": number}
    if job["input"].get("fails"):
        raise ValueError("in mid-stream")


CONFIGS = {
    "plain": {"handler": plain},
    "async": {"handler": waiting, "concurrency_modifier": lambda _: 3},
    "generator": {"handler": generator, "return_aggregate_stream": True},
    "refreshing": {"handler": plain, "refresh_worker": True},
}

if __name__ == "__main__":
    runpod.serverless.start(CONFIGS[sys.argv.pop(1)])
