"""The RunPod key that is given to a command: by the environment, for a command line is for all to see."""

import os

VARIABLE = "RUNPOD_API_KEY"


def given_key() -> str:
    """Return the key, or "" if there is none."""
    return os.environ.get(VARIABLE, "").strip()
