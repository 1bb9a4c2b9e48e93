"""What docs/operating.md says puts each situation right: its commands are typed as they stand there.

A stack of its own: it is stopped, its secrets are replaced, and its functions broken. With ON_CALL_PRINTED,
what is printed is written into that folder, for whoever writes the page.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from cli import deploy
from local.stack import needs
from local.stack.setup import Setup
from local.stack.simulator import RunPodEndpoint
from local.stack.stack import local_stack
from runpod_simulator import Config, running_simulator
from tests.local.on_call.operator import API_KEY, MANAGEMENT_KEY, Operator, printed
from tests.local.on_call.situations import SITUATIONS
from tests.pages import steps

SIMULATOR = Config(
    api_key=API_KEY, management_key=MANAGEMENT_KEY, time_scale=0.1, management_per_minute=10_000
)
PARAMETERS = {"SweepScheduleMinutes": "5", "CallbackOverdueSeconds": "5", "MaxAttempts": "1"}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    missing = needs.missing(needs.emulator_python())
    if missing:
        pytest.fail("\n".join(["the local stack's tests need:", *missing]), pytrace=False)
    with running_simulator(SIMULATOR) as simulator, pytest.MonkeyPatch.context() as monkeypatch:
        runpod = RunPodEndpoint(simulator.url, API_KEY)
        with local_stack(Setup(runpod=runpod, parameters=PARAMETERS)) as stack:
            folder = tmp_path_factory.mktemp("desk")
            operator = Operator(stack, simulator, monkeypatch, folder, stack.folder / "build")
            monkeypatch.setattr(deploy, "_sam", partial(built_before, operator, deploy._sam))
            yield operator


def built_before(operator: Operator, sam: Callable[..., None], command: str, *options: str) -> None:
    """Deploy what was built before of the release that is checked out: a build takes most of the time."""
    if command == "deploy":
        built = operator.build / "template.yaml"
        config = needs.ROOT / "samconfig.toml"
        sam(command, "--template-file", str(built), "--config-file", str(config), *options)


@pytest.mark.parametrize("section", SITUATIONS)
def test_the_page_puts_it_right(
    operator: Operator, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(operator.folder)
    operator.simulator.clear()
    operator.end_what_moves()
    operator.typed.clear()

    try:
        with SITUATIONS[section](operator):
            for words in steps(section):
                if words[0] == "summaries":
                    operator.type(words)
    finally:
        folder = os.environ.get("ON_CALL_PRINTED")
        if folder:
            (Path(folder) / f"{section}.txt").write_text(printed(operator))
