"""How long `make demo` takes in a fresh clone: the first time with an empty cache, and the second time.

It takes minutes and downloads what the demo needs, so `make bench` makes it only when it is named.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure

ONLY_WHEN_NAMED = True
_ROOT = Path(__file__).parents[2]
_MOST_SECONDS = {"cold": 30.0, "warm": 12.0}
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_KEPT_PREFIXES = ("PIP_", "UV_", "SSL_")  # where packages come from


def figures() -> list[Figure]:
    """Return the seconds of both runs; the clone has what is committed."""
    with tempfile.TemporaryDirectory(prefix="fresh-clone-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", _ROOT, clone], check=True)  # noqa: S607
        return [
            Figure(
                group="Set-up",
                name=f"make demo in a fresh clone, {name}",
                value=_seconds(clone, Path(folder) / "cache"),
                unit="s",
                most=most,
                note="on the clock: what else this machine does is in it",
            )
            for name, most in _MOST_SECONDS.items()
        ]


def _seconds(clone: Path, cache: Path) -> float:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    started = time.monotonic()
    subprocess.run(
        ["make", "demo"],  # noqa: S607 - as a person types it
        cwd=clone,
        env={**environment, "UV_CACHE_DIR": str(cache)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - started
