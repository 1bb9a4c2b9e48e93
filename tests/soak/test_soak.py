"""`make soak`, short: a dozen files, on a stack of its own behind the fault proxy."""

import re
import subprocess

from local.stack.needs import ROOT

_LONGEST_SECONDS = 600.0


def test_a_soak_loses_nothing_and_says_what_it_saw() -> None:
    ended = subprocess.run(
        ["make", "soak", "JOBS=12", "SEED=1"],  # noqa: S607 - as a person runs it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Nothing was lost" in ended.stdout
    assert figure("jobs", ended.stdout) == 12
    assert "too-large 1" in ended.stdout  # from the size in S3's answer to HEAD, through the proxy
    assert figure("AWS calls throttled", ended.stdout) > 0  # they pass the proxy
    assert figure("callbacks lost", ended.stdout) > 0
    assert figure("the model's bad habits", ended.stdout) > 0
    assert figure("GPU calls a call", ended.stdout) <= 3


def figure(row: str, table: str) -> int:
    [found] = re.findall(rf"^{row} +([\d,]+)(?= |$)", table, re.M)
    return int(found.replace(",", ""))
