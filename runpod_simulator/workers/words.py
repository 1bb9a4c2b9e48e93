"""Count words, also in scripts that put no spaces between them. Pure.

Chinese and Japanese are counted by the character, as word processors do; Thai, Lao, Khmer and Burmese by
four characters, the length of an average word.
"""

import math
import re

_HAN_AND_KANA = re.compile(
    r"[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
)
_SOUTH_EAST_ASIAN = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_CHARACTERS_PER_WORD = 4


def count_words(text: str) -> int:
    rest, characters = _HAN_AND_KANA.subn(" ", text)
    rest, letters = _SOUTH_EAST_ASIAN.subn(" ", rest)
    words = rest.split()
    if characters:  # their punctuation now stands alone, and is no word
        words = [word for word in words if any(map(str.isalnum, word))]
    return len(words) + characters + math.ceil(letters / _CHARACTERS_PER_WORD)
