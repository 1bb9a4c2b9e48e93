"""How often a file without a mark is read in the encoding it was saved in: language by encoding by length.

    python -m benchmarks.encodings

The text is what people wrote: Django's messages, in each language as its translators put them. A sample is
right if every character is; refused if the job would fail with `unknown-encoding`; otherwise wrong.
"""

import gettext
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from core.errors import BadTranscript
from core.transcripts.encodings import decoded

LENGTHS = (200, 2_000)  # characters
SAMPLES = 20  # of each
FEWEST_CHARACTERS_OF_A_MESSAGE = 13
WESTERN = "cp1252 iso8859-15 cp850 mac-roman"
CENTRAL = "cp1250 iso8859-2 cp852"
CYRILLIC = "cp1251 iso8859-5"
ENCODINGS = {
    "ca": "cp1252", "da": WESTERN, "de": WESTERN, "es": WESTERN, "eu": "cp1252", "fi": WESTERN,
    "fr": WESTERN, "ga": "cp1252", "gl": "cp1252", "is": "cp1252 cp850", "it": WESTERN,
    "nb": WESTERN, "nl": WESTERN, "pt": WESTERN, "sq": "cp1252", "sv": WESTERN,
    "cs": CENTRAL, "hr": CENTRAL, "hu": CENTRAL, "pl": CENTRAL, "ro": "cp1250 iso8859-2", "sk": CENTRAL,
    "sl": CENTRAL, "tr": "cp1254 iso8859-9", "et": "cp1257 cp1252", "lt": "cp1257 iso8859-13",
    "lv": "cp1257 iso8859-13", "be": CYRILLIC, "bg": CYRILLIC, "mk": CYRILLIC, "sr": CYRILLIC,
    "ru": f"{CYRILLIC} koi8-r cp866", "uk": f"{CYRILLIC} koi8-u", "el": "cp1253 iso8859-7",
    "he": "cp1255", "ar": "cp1256", "fa": "cp1256", "vi": "cp1258", "th": "cp874",
    "ja": "cp932 euc-jp iso2022_jp", "ko": "cp949", "zh_Hans": "gb18030", "zh_Hant": "big5",
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{[^}]*\}|<[^>]*>")
OLD_LETTERS = {"ro": str.maketrans("șțȘȚ", "şţŞŢ"), "fa": str.maketrans("ی", "ي")}


def text_in(language: str) -> str:
    """Return Django's messages in a language, one a line."""
    spec = find_spec("django")
    assert spec is not None
    assert spec.origin is not None
    lines = []
    for path in sorted(Path(spec.origin).parent.rglob(f"locale/{language}/LC_MESSAGES/django.mo")):
        with path.open("rb") as file:
            messages = gettext.GNUTranslations(file)
        catalog: dict[object, str] = messages.__dict__["_catalog"]
        plain = (
            " ".join(PLACEHOLDER.sub("", said).split()) for key, said in catalog.items() if key
        )
        lines += [line for line in plain if len(line) >= FEWEST_CHARACTERS_OF_A_MESSAGE]
    return "\n".join(lines)


def written(language: str, encoding: str) -> str:
    """Return the text as far as the encoding can write it."""
    text = text_in(language).translate(OLD_LETTERS.get(language, {}))
    if encoding == "cp1258":  # tones are characters of their own there
        text = "".join(_with_tone_apart(character) for character in text)
    return text.encode(encoding, "ignore").decode(encoding)


def _with_tone_apart(character: str) -> str:
    try:
        character.encode("cp1258")
    except UnicodeEncodeError:
        base, *marks = unicodedata.normalize("NFD", character)
        tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        shape = [mark for mark in marks if mark not in tones]
        return unicodedata.normalize("NFC", base + "".join(shape)) + "".join(tones)
    return character


def samples(text: str, length: int, number: int) -> Iterator[str]:
    chance = random.Random(length)  # noqa: S311 - no secret
    for _ in range(number):
        start = chance.randrange(max(1, len(text) - length))
        yield text[start : start + length]


def outcome(sample: str, encoding: str) -> str:
    try:
        return "right" if decoded(sample.encode(encoding)) == sample else "wrong"
    except BadTranscript:
        return "refused"


@click.command()
@click.option("--samples", "number", default=SAMPLES, show_default=True, help="Of each length.")
def main(number: int) -> None:
    """Say how often files without a mark are read as they were saved."""
    total: dict[int, Counter[str]] = {length: Counter() for length in LENGTHS}
    heads = " | ".join(f"{length:,} characters: right / refused / wrong" for length in LENGTHS)
    print(
        f"| Language | Encoding | {heads} |\n| --- | --- | {' | '.join('---:' for _ in LENGTHS)} |"
    )
    for language, encodings in ENCODINGS.items():
        for encoding in encodings.split():
            text = written(language, encoding)
            cells = []
            for length in LENGTHS:
                found = Counter(
                    outcome(sample, encoding)
                    for sample in samples(text, length, number)
                    if not sample.isascii()
                )
                total[length] += found
                cells.append(f"{found['right']} / {found['refused']} / {found['wrong']}")
            print(f"| {language} | {encoding} | {' | '.join(cells)} |", flush=True)
    sums = (
        f"{found['right'] / found.total():.1%} / {found['refused'] / found.total():.1%}"
        f" / {found['wrong'] / found.total():.1%}"
        for found in total.values()
    )
    print(f"| **all** | | {' | '.join(sums)} |")


if __name__ == "__main__":
    main()
