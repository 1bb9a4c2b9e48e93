"""Reading takes time in proportion: a million words within seconds, on one slow core."""

import random
import time

import pytest

from core.transcripts import read_transcript
from tests.unit.formats.test_properties import VOCABULARY
from tests.unit.formats.writers import NAMED, NUMBERED, Said

WORDS = 40_000
WORDS_OF_A_REMARK = 20


def long_conversation() -> list[Said]:
    chance = random.Random(1)  # noqa: S311  # no secret
    vocabulary = VOCABULARY.split()
    return [
        Said(
            chance.randrange(4),
            tuple(chance.choices(vocabulary, k=WORDS_OF_A_REMARK)),
            at,
            at + 4.0,
        )
        for at in (index * 5.0 for index in range(WORDS // WORDS_OF_A_REMARK))
    ]


@pytest.mark.parametrize("form", NAMED | NUMBERED)
def test_a_long_conversation_is_read_in_a_moment(form: str) -> None:
    body = (NAMED | NUMBERED)[form](long_conversation()).encode()

    started = time.process_time()
    transcript = read_transcript(body, max_bytes=len(body))

    assert time.process_time() - started < 5
    assert transcript.words > WORDS
