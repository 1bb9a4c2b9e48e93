"""Prints which calls are made to fail, in how many ways, and what each failure costs.

python -m tests.faults          the calls, and how many cases they make
python -m tests.faults --run    runs the cases: what they cost, and what was lost
"""

import argparse
from collections import Counter

import tests.conftest  # noqa: F401 - sets what Powertools reads when it is imported
from tests.faults.invariants import check
from tests.faults.scenario_runner import scenario_runner
from tests.faults.scenarios import Case, cases, recorded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--run", action="store_true", help="run every case")
    found = cases()
    return _run(found) if parser.parse_args().run else _print(found)


def _print(found: list[Case]) -> int:
    faults = Counter((case.scenario.name, case.plan.site) for case in found)
    for (scenario, site), count in faults.items():
        print(f"{count:4} {scenario}: {site}")
    print(f"\n{len({site for _, site in faults})} call sites, {len(found)} cases:")
    for name, counted in (
        ("scenario", Counter(case.scenario.name for case in found)),
        ("function", Counter(case.plan.site.function for case in found)),
        ("operation", Counter(case.plan.site.operation for case in found)),
        ("fault", Counter(case.plan.fault.value for case in found)),
    ):
        counts = ", ".join(f"{key} {count}" for key, count in counted.most_common())
        print(f"  by {name}: {counts}")
    return 0


def _run(found: list[Case]) -> int:
    lost = costly = 0
    with scenario_runner() as runner:
        for case in found:
            expected = recorded()[case.scenario.name]
            ended = runner.run(case.scenario, case.plan)
            try:
                check(ended, ends=case.scenario.ends, runs_without_fault=len(expected.runs))
            except AssertionError as exc:
                lost += 1
                print(f"lost               {case}: {str(exc).splitlines()[0]}")
            if len(ended.runs) > len(expected.runs):
                costly += 1
                print(f"one more GPU run   {case}")
    print(f"\n{len(found)} cases: {lost} lost something, {costly} cost one more GPU run")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
