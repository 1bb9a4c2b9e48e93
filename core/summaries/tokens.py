"""How many tokens a text may cost.

Counting with the model's own tokenizer would put megabytes into the function, so this is an upper
estimate for both models' tokenizers: Mistral's tekken and Llama 3's. What they charge differs more by
language than by anything else, so the estimate goes by script, and for Latin letters by the length of
the words and by how English the text is. tests/unit/summaries/test_tokens.py compares it with tekken
itself and with counts taken with Llama 3's.
"""

import math
import string
from bisect import bisect
from collections import Counter

_WINDOW = 1 << 14  # characters looked at together: the language may change within a file

# A word of Latin letters costs one token up to this length, and a part of one for each letter more.
# English has the most words with a token of their own; Swahili, at the other end, next to none.
_LETTERS_OF_ONE_TOKEN = 4
_PER_LETTER_ENGLISH = 0.33
_PER_LETTER_OTHER = 0.9
_PER_CAPITAL = 0.4  # more for every letter of a word in capitals
# Words hardly any other language has, and the share of all words that they make up in spoken English.
_ENGLISH_WORDS = "the and that you it I of this have for with but they what are"
_ENGLISH = tuple(f" {word} " for word in _ENGLISH_WORDS.split())
_SHARE_IN_NO_ENGLISH, _SHARE_IN_ENGLISH = 0.05, 0.15

_PER_DIGIT = 1.0  # tekken makes a token of each, and one more of the space before the first
_PER_SIGN = 1.0
_PER_LINE_BREAK_OR_TAB = 1.0
_PER_DOUBLE_SPACE = 1.0
_PER_SEAM = 0.5  # inside a word, before a capital or after a digit: codes, hashes, camelCase
_PER_WINDOW = 1.0  # what stands cut off or alone at its ends

# From which character on, how many tokens each costs. No character costs more than its UTF-8 bytes,
# and that is what the scripts get that were not measured.
_PER_CHARACTER = (
    (0x80, 2.0),  # signs of Latin-1
    (0xC0, 0.6),  # accented Latin: on top of being a letter of its word
    (0x250, 2.0),
    (0x370, 0.65),  # Greek
    (0x400, 0.6),  # Cyrillic
    (0x460, 2.0),
    (0x530, 2.0),  # Armenian
    (0x590, 1.4),  # Hebrew
    (0x600, 0.65),  # Arabic
    (0x700, 2.0),
    (0x800, 3.0),
    (0x900, 0.85),  # Devanagari
    (0x980, 1.7),  # Bengali
    (0xA00, 3.0),
    (0xB80, 1.8),  # Tamil
    (0xC00, 3.0),
    (0xE00, 0.8),  # Thai
    (0xE80, 3.0),
    (0x10A0, 2.5),  # Georgian
    (0x1100, 3.0),
    (0x1E00, 0.9),  # accented Latin of Vietnamese
    (0x1F00, 3.0),
    (0x2010, 1.3),  # dashes, quotation marks, ellipsis
    (0x2028, 3.0),
    (0x3000, 1.0),  # kana and the punctuation of Chinese and Japanese
    (0x3100, 3.0),
    (0x4E00, 1.3),  # Han
    (0xA000, 3.0),
    (0xAC00, 0.95),  # Hangul
    (0xD7B0, 3.0),
    (0xFF00, 1.2),  # wide forms of ASCII
    (0xFF61, 3.0),
    (0x10000, 4.0),  # emoji
)
_FIRSTS = [first for first, _ in _PER_CHARACTER]


def _classes() -> bytes:
    """Return a table that makes every byte the letter of its class: one byte for each character."""
    table = bytearray(b"x" * 256)
    table[:0x80] = b"." * 0x80
    for members, name in (
        (string.ascii_lowercase.encode() + bytes(range(0xC3, 0xCA)), b"a"),
        (string.ascii_uppercase.encode(), b"A"),
        (string.digits.encode(), b"0"),
        (b" ", b" "),
        (b"\t\n\v\f\r", b"n"),
    ):
        for member in members:
            table[member] = name[0]
    return bytes(table)


_CLASSES = _classes()
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))
_ASCII = bytes(range(0x80))
_WORDS = bytes(97 if chr(byte) in "aA" else 32 for byte in range(256))
_CAPITALS = bytes(97 if chr(byte) == "A" else 32 for byte in range(256))


def estimate_tokens(text: str) -> int:
    """Return an upper estimate of the tokens of a text, in time linear in its length."""
    windows = (text[start : start + _WINDOW] for start in range(0, len(text), _WINDOW))
    return math.ceil(sum(_tokens_of_ascii(window) for window in windows) + _tokens_of_others(text))


def _tokens_of_ascii(window: str) -> float:
    classes = window.encode("utf-8", "surrogatepass").translate(_CLASSES, _CONTINUATION_BYTES)
    lengths = [*map(len, classes.translate(_WORDS).split())]
    words = len(lengths)
    long = [length for length in lengths if length > _LETTERS_OF_ONE_TOKEN]
    further = sum(long) - _LETTERS_OF_ONE_TOKEN * len(long)
    capitals = sum(len(run) - 1 for run in classes.translate(_CAPITALS).split())
    return (
        words
        + further * _per_letter(window, words)
        + capitals * _PER_CAPITAL
        + (classes.count(b"0") + classes.count(b" 0")) * _PER_DIGIT
        + classes.count(b".") * _PER_SIGN
        + classes.count(b"n") * _PER_LINE_BREAK_OR_TAB
        + classes.count(b"  ") * _PER_DOUBLE_SPACE
        + (classes.count(b"aA") + classes.count(b"0a")) * _PER_SEAM
        + _PER_WINDOW
    )


def _per_letter(window: str, words: int) -> float:
    share = sum(map(window.count, _ENGLISH)) / max(words, 1)
    english = (share - _SHARE_IN_NO_ENGLISH) / (_SHARE_IN_ENGLISH - _SHARE_IN_NO_ENGLISH)
    english = min(max(english, 0.0), 1.0)
    return english * _PER_LETTER_ENGLISH + (1 - english) * _PER_LETTER_OTHER


def _tokens_of_others(text: str) -> float:
    if text.isascii():
        return 0.0
    others = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
    characters = Counter(others.decode("utf-8", "surrogatepass"))
    return sum(
        _PER_CHARACTER[bisect(_FIRSTS, ord(character)) - 1][1] * count
        for character, count in characters.items()
    )
