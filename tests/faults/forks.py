"""Plays a scenario once for many faults: where a call is to fail, a fork of the process goes on with it.

What comes before a fault is the same with it and without, and is a good third of what a case costs alone.
"""

import gc
import os
import pickle
import traceback
import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.scenario_runner import Ended, Scenario, ScenarioRunner
from tests.faults.sites import Site
from tests.faults.wire import Plan


def run_each(
    runner: ScenarioRunner, scenario: Scenario, plans: Iterable[Plan]
) -> dict[Plan, Ended | str]:
    """Return for each fault what there is at the end; or why there is none, as the traceback has it."""
    with TemporaryDirectory() as folder:
        forks = _Forks(plans, Path(folder))
        try:
            ended: Ended | str = runner.run(scenario, fork=forks)
        except BaseException:
            if not forks.is_child:
                raise
            ended = traceback.format_exc()
        finally:
            if forks.is_child:
                forks.end_with(ended)
        return forks.results()


class _Forks:
    """Forks at each planned call, once for each of its faults, and waits for the fork's end."""

    def __init__(self, plans: Iterable[Plan], folder: Path) -> None:
        self._plans: defaultdict[tuple[Site, int], list[Plan]] = defaultdict(list)
        for plan in plans:
            self._plans[plan.site, plan.occurrence].append(plan)
        self._files: dict[Plan, Path] = {}
        self._folder = folder
        self._own: Path | None = None  # where a child leaves its result

    @property
    def is_child(self) -> bool:
        return self._own is not None

    def __call__(self, site: Site, occurrence: int) -> Plan | None:
        """Return in each fork the fault to go on with, and none in the process that was there before."""
        if self.is_child:
            return None
        for plan in self._plans[site, occurrence]:
            file = self._folder / str(len(self._files))
            self._files[plan] = file
            pid = _fork()
            if not pid:
                gc.disable()  # it would touch, and so copy, all memory; a fork lives for a second
                self._own = file
                return plan
            os.waitpid(pid, 0)
        return None

    def end_with(self, ended: Ended | str) -> None:
        """Leave the result and end the process, past all that tests clean up when they end."""
        try:
            assert self._own
            self._own.write_bytes(pickle.dumps(ended))
        finally:
            os._exit(0)

    def results(self) -> dict[Plan, Ended | str]:
        return {plan: _read(file) for plan, file in self._files.items()}


def _fork() -> int:
    """Fork although pytest-xdist's worker has a thread, which only hands over tests and results."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _read(file: Path) -> Ended | str:
    if not file.exists():
        return "the fork ended without a result"
    ended: Ended | str = pickle.loads(file.read_bytes())  # noqa: S301 - our own fork's
    return ended
