"""The estimate against two real tokenizers: tekken itself, and counts taken with Llama 3's."""

from pathlib import Path

import mistral_common
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

from core.summaries.tokens import estimate_tokens

TEXTS = {
    path.stem: path.read_text("utf-8")
    for path in sorted((Path(__file__).parent / "texts").glob("*.txt"))
}
SAMPLES = {
    path.stem: path.read_text("utf-8")
    for path in sorted((Path(__file__).parents[3] / "samples").glob("*.txt"))
}

# Tokens of TEXTS by Llama 3's published tokenizer.model, which no package of a fitting size ships.
LLAMA_TOKENS = {
    "amharic": 302,
    "arabic": 173,
    "armenian": 325,
    "bengali": 398,
    "chinese": 150,
    "czech": 123,
    "dutch": 145,
    "english": 169,
    "finnish": 230,
    "french": 210,
    "georgian": 472,
    "german": 214,
    "greek": 196,
    "hebrew": 350,
    "hindi": 225,
    "hungarian": 173,
    "indonesian": 157,
    "italian": 150,
    "japanese": 169,
    "khmer": 162,
    "korean": 149,
    "persian": 131,
    "polish": 215,
    "portuguese": 131,
    "russian": 194,
    "spanish": 162,
    "swahili": 134,
    "swedish": 146,
    "tamil": 417,
    "thai": 186,
    "traditional-chinese": 135,
    "turkish": 153,
    "ukrainian": 151,
    "vietnamese": 139,
}

ODDITIES = {
    "digits": "7041523 88 190 3 2026 " * 40,
    "times": "".join(f"[00:{i // 60:02}:{i % 60:02}] Ann: yes\n" for i in range(0, 900, 7)),
    "urls": "https://example.org/boats/survey_2?id=40417&x=Qx7aB9== http://a.example/~b#top\n" * 20,
    "hashes": "9f86d081884c7d659a2feaa0c55ad015 a3bf4f1b2b0b822cd15d6c15b0f00a08\n" * 20,
    "base64": "TWFyYTogVGhlIHB1bXAgaG9sZHMgd2F0ZXIgd2VsbC4gSWxzZTogUmVhbGx5Pw==\n" * 20,
    "code": "for (let i = 0; i < queue.length; i++) { await sendBatch(queue[i]); }\n" * 20,
    "json": '{"at": "00:01:02.5", "who": "Ann", "said": ["yes", null, 12.75]}\n' * 20,
    "emoji": "😀🚤👍🏽❤️🔥👨‍👩‍👧🇩🇪✅🎉⛵️ " * 20,
    "spaces": "a  b   c    d     e      " * 20,
    "line breaks": "a\n\nb\n\n\nc\n" * 40,
    "tabs": "a\t\tb\t" * 40,
    "only spaces": " " * 999,
    "only line breaks": "\n" * 999,
    "signs": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" * 20,
    "ellipses": "Well… no — “yes”, ‘maybe’… it’s… I don’t… " * 20,
    "stutter": "I, I, I, I mean, um, uh, a, a, it's, it's, no. No. No! Yes? Ok. " * 20,
    "letters": "A B C D E F G x y z " * 40,
    "capitals": "THE PUMP HOLDS WATER AND THE ENGINEER COMES ON THURSDAY. " * 20,
    "one long word": "Donaudampfschifffahrtsgesellschaftskapitän" * 20,
    "lone surrogates": "\ud83d a \udc00" * 20,
    "controls": "\x00\x07\x7f" * 40,
}


@pytest.fixture(scope="module")
def tekken() -> Tekkenizer:
    folder = Path(mistral_common.__file__).parent / "data"
    return Tekkenizer.from_file(folder / "tekken_240911.json")


def tokens_of(text: str, tekken: Tekkenizer) -> int:
    whole = text.encode("utf-8", "replace").decode()  # as it would be sent
    return len(tekken.encode(whole, bos=False, eos=False))


@pytest.mark.parametrize("language", TEXTS)
def test_no_language_costs_more_than_estimated(language: str, tekken: Tekkenizer) -> None:
    estimate = estimate_tokens(TEXTS[language])

    assert estimate >= tokens_of(TEXTS[language], tekken)
    assert estimate >= LLAMA_TOKENS[language]


@pytest.mark.parametrize("language", TEXTS)
def test_the_estimate_is_less_than_twice_what_the_dearer_tokenizer_counts(
    language: str, tekken: Tekkenizer
) -> None:
    dearer = max(tokens_of(TEXTS[language], tekken), LLAMA_TOKENS[language])

    assert estimate_tokens(TEXTS[language]) < 2 * dearer


@pytest.mark.parametrize("name", SAMPLES)
def test_an_english_transcript_is_estimated_closely(name: str, tekken: Tekkenizer) -> None:
    with_times = SAMPLES[name]
    without_times = "\n".join(line.partition("] ")[2] for line in with_times.splitlines())

    for text in (with_times, without_times):
        assert 1.05 < estimate_tokens(text) / tokens_of(text, tekken) < 1.3


def test_the_figures_of_real_podcasts_are_covered() -> None:
    """Measured on 20 of them: up to 1.48 tokens a word at 5.57 characters a word."""
    text = "So, Mara, the pump holds water well. " * 1000

    assert 1.48 < estimate_tokens(text) / len(text.split()) < 1.48 * 1.6


@pytest.mark.parametrize("name", ODDITIES)
def test_what_is_no_prose_does_not_cost_more_than_estimated(name: str, tekken: Tekkenizer) -> None:
    assert estimate_tokens(ODDITIES[name]) >= tokens_of(ODDITIES[name], tekken)


LINES = [line for text in TEXTS.values() for line in text.splitlines()]
ENGLISH = [line for text in SAMPLES.values() for line in text.splitlines()]


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from(LINES)
        | st.sampled_from(ENGLISH)
        | st.sampled_from(list(ODDITIES.values())),
        min_size=12,
        max_size=60,
    )
)
def test_mixed_text_does_not_cost_more_than_estimated(tekken: Tekkenizer, lines: list[str]) -> None:
    text = "\n".join(lines)

    assert estimate_tokens(text) >= tokens_of(text, tekken)


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_estimated(text: str) -> None:
    assert estimate_tokens(text) >= 0
