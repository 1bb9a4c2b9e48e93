"""The soak, short: the same code with a dozen files, on a stack of its own behind the fault proxy."""

import io

from rich.console import Console

from local.soak.run import Soak
from local.stack.needs import emulator_python


def test_a_soak_loses_nothing_and_says_what_it_saw() -> None:
    console = Console(file=io.StringIO(), width=200)

    seen = Soak(jobs=12).run(console, emulator_python=emulator_python())

    assert len(seen.histories) == 12
    codes = {history.job.reason_code for history in seen.histories.values()}
    assert "too-large" in codes  # which S3's answer to HEAD tells, through the proxy
    assert sum(each.throttled for each in seen.traffic.values()) > 0  # they pass the proxy
    assert any(each.is_callback_lost for each in seen.requests)
    assert isinstance(console.file, io.StringIO)
    table = console.file.getvalue()
    assert "Nothing was lost" in table
    for row in ("uploads", "callbacks lost", "AWS calls throttled", "GPU calls a job"):
        assert row in table
