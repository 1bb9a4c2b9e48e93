"""The pictures of the page are those that `make screenshots` takes: all are there, small, and shown."""

from pathlib import Path

import pytest

from tests.page.screenshots import MOST_BYTES, PICTURES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [picture.name for picture in PICTURES])
def test_a_picture_is_there_small_and_shown(name: str) -> None:
    picture = ROOT / "docs" / name
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    assert 0 < picture.stat().st_size <= MOST_BYTES
    assert any(name in page.read_text(encoding="utf-8") for page in pages)


def test_no_picture_is_left_of_another_time() -> None:
    there = {path.name for path in (ROOT / "docs").glob("page-*.png")}

    assert there == {picture.name for picture in PICTURES}
