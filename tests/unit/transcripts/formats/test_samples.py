"""Every file in samples/ reads as the file of the same name with `.expected` says."""

import gzip
from pathlib import Path

import pytest

from core.transcripts.reader import read_transcript

FOLDER = Path(__file__).parent / "samples"
SAMPLES = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".expected")
MAX_BYTES = 1_000_000


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_as_expected(name: str) -> None:
    transcript = read_transcript((FOLDER / name).read_bytes(), max_bytes=MAX_BYTES)

    expected = (FOLDER / f"{name}.expected").read_text("utf-8")
    assert f"{transcript.format}\n{transcript.text_with_times}\n" == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_the_same_when_gzipped(name: str) -> None:
    body = (FOLDER / name).read_bytes()

    packed = read_transcript(gzip.compress(body), max_bytes=MAX_BYTES)

    assert packed == read_transcript(body, max_bytes=MAX_BYTES)


@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.endswith(".json")])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_sample_reads_the_same_with_other_line_ends_and_encodings(
    name: str, encoding: str
) -> None:
    text = (FOLDER / name).read_text("utf-8-sig")

    other = text.replace("\n", "\r\n").encode(encoding)

    assert read_transcript(other, max_bytes=MAX_BYTES) == read_transcript(
        text.encode(), max_bytes=MAX_BYTES
    )
