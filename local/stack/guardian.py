"""Ends what a killed parent leaves behind: process groups, then their working folder.

Run as a script, with the folder as its argument. Its standard input is a pipe. Each line is `+PGID`, by
which a process group tells that it has started, or `-PGID`, by which the parent tells that one has ended.
The pipe closes when the parent ends, also by SIGKILL; then the guardian cleans up.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

_CLEANUP_SECONDS = 5.0
_POLL_SECONDS = 0.05


def main(folder: str, lines: Iterable[str]) -> None:
    groups = set()
    for line in lines:
        change, group = line[0], int(line[1:])
        if change == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    ends_at = time.monotonic() + _CLEANUP_SECONDS
    while os.path.exists(folder) and time.monotonic() < ends_at:  # noqa: PTH110 - starts faster without pathlib
        shutil.rmtree(folder, ignore_errors=True)  # a process that is just ending may still write
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin)
