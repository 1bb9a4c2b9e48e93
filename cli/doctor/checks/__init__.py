"""The checks, each a small judgement over what was read; importing this fills the registry.

access      the key, the callback secret, and whether RunPod takes the key
deployment  the stack, its functions and their settings, concurrency, clocks
uploads     from a bucket to the submitter, and away from it again
callbacks   the webhook URL, as RunPod finds it
notices     whether jobs are told of, and whether somebody hears it
upkeep      the sweep, dead letters, the table's TTL, alarms
workers     RunPod's endpoint: whether a worker can ever run, and how many
model       RunPod's endpoint: the model, its context, the worker image, times
"""

from cli.doctor.checks import (
    access,
    callbacks,
    deployment,
    model,
    notices,
    upkeep,
    uploads,
    workers,
)

__all__ = ["access", "callbacks", "deployment", "model", "notices", "upkeep", "uploads", "workers"]
