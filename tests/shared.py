"""What one of pytest-xdist's workers has made, the others read: made once, whoever comes first."""

import fcntl
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

folder_of_workers: Path | None = None  # of this run of tests; None without pytest-xdist


def made_once(name: str, recipes: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Return what each recipe makes. Workers that ask at the same time share the recipes out.

    Without workers, this process makes it all.
    """
    if not folder_of_workers:
        return {each: make() for each, make in recipes.items()}
    folder = folder_of_workers / name
    folder.mkdir(exist_ok=True)
    made: dict[str, T] = {}
    for is_patient in (False, True):  # first what nobody else is making, then what others have made
        for number, (each, make) in enumerate(recipes.items()):
            if each not in made:
                _make_or_read(folder / str(number), each, make, made, is_patient=is_patient)
    return {each: made[each] for each in recipes}


def _make_or_read(
    file: Path, name: str, make: Callable[[], T], made: dict[str, T], *, is_patient: bool
) -> None:
    with file.open("a+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if is_patient else fcntl.LOCK_NB))
        except BlockingIOError:
            return
        stream.seek(0)
        if kept := stream.read():
            made[name] = pickle.loads(kept)  # noqa: S301 - another worker's of this run
        else:
            made[name] = make()
            stream.write(pickle.dumps(made[name]))
