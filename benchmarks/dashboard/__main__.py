"""`python -m benchmarks.dashboard`: draws docs/dashboard.png from a run of the local stack.

--figures FILE   draws what an earlier run left, without a stack
"""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.dashboard.figures import Figures
from benchmarks.dashboard.pictures import draw
from benchmarks.dashboard.run import run

ROOT = Path(__file__).parents[2]
_FIGURES = ROOT / "out" / "dashboard.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "dashboard.png")
    parser.add_argument("--figures", type=Path, help="what an earlier run left")
    parser.add_argument("--seconds", type=float, default=80)
    parser.add_argument("--seed", type=int, default=12)
    asked = parser.parse_args()
    console = Console()
    if asked.figures:
        figures = Figures.load(asked.figures)
    else:
        run(console, seconds=asked.seconds, seed=asked.seed).save(_FIGURES)
        figures = Figures.load(_FIGURES)
    draw(figures, asked.out)
    console.print(f"{asked.out}: drawn", highlight=False)


if __name__ == "__main__":
    main()
