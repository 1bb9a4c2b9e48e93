"""A line of any length is read to its end: nothing is lost where it is cut."""

import pytest

from core.transcripts.reader import read_transcript

SENTENCES = {
    "sentences": "{}. ",
    "one sentence": "{} ",
    "no spaces": "{}",
    "long sentences": "{} and so on and so on and so on. ",
}


def words_of(text: str) -> str:
    """Return what was said; a turn that was cut says again who speaks."""
    return "".join(text.replace("Mara:", "").replace("Ilse:", "").split())


@pytest.mark.parametrize("numbers", [1, 7, 90, 91, 500, 1_203, 4_999])
@pytest.mark.parametrize("form", SENTENCES)
def test_every_word_of_a_line_is_read_in_order(form: str, numbers: int) -> None:
    line = "".join(SENTENCES[form].format(f"word{n:05}") for n in range(numbers))

    text = read_transcript(f"Mara: {line}\nIlse: Good.".encode(), max_bytes=10**6).text

    assert words_of(text) == words_of(f"Mara: {line}\nIlse: Good.")


@pytest.mark.parametrize("form", SENTENCES)
@pytest.mark.parametrize("numbers", [300, 1_203])
def test_every_word_of_a_caption_is_read_in_order(form: str, numbers: int) -> None:
    line = "".join(SENTENCES[form].format(f"word{n:05}") for n in range(numbers))
    captions = f"WEBVTT\n\n00:00:01.000 --> 00:09:02.000\n<v Mara>{line}\n"

    text = read_transcript(captions.encode(), max_bytes=10**6).text

    assert words_of(text) == words_of(f"Mara: {line}")
