"""The folder that `make up` uploads from."""

from pathlib import Path
from typing import Any, cast

import pytest

from local.up import Inbox


class Uploads:
    """A deployment that notes what is uploaded."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def upload(self, _content: Path, key: str) -> None:
        self.keys.append(key)


def taken(folder: Path) -> list[str]:
    """Return what a stack that is started now takes."""
    inbox, uploads = Inbox(folder), Uploads()
    for _ in range(3):  # a file is taken once it has stopped growing
        inbox.upload_new(cast("Any", uploads))
    return uploads.keys


def test_what_was_taken_is_not_taken_again_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "board.txt").write_text("A: Good morning.")

    assert taken(tmp_path) == ["board.txt"]
    assert taken(tmp_path) == []
    assert Inbox(tmp_path).taken_before == ["board.txt"]


def test_a_file_that_has_changed_is_taken_again(tmp_path: Path) -> None:
    board = tmp_path / "board.txt"
    board.write_text("A: Good morning.")
    taken(tmp_path)
    board.write_text("A: Good morning, everyone.")

    assert taken(tmp_path) == ["board.txt"]


def test_files_of_one_name_in_two_folders_are_two_uploads(tmp_path: Path) -> None:
    for folder in ("de", "hr", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "weekly.txt").write_text("A: Good morning.")

    assert taken(tmp_path) == ["de/weekly.txt", "hr/weekly.txt"]


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"board.txt": 3}', "null"])
def test_a_memory_that_can_not_be_read_is_begun_anew(tmp_path: Path, memory: str) -> None:
    (tmp_path / "board.txt").write_text("A: Good morning.")
    (tmp_path / ".taken.json").write_text(memory)

    assert taken(tmp_path) == ["board.txt"]
