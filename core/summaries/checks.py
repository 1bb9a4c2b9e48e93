"""What is wrong with an answer, by what code can see. Pure.

A hard fault keeps a text from being published: it is asked for again, or the job fails and says why.
What is soft stands in the facts of the summary.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from core.summaries.languages import LanguageProfile
from core.words import count_words


class Fault(StrEnum):
    """What keeps an answer from being used as it is."""

    EMPTY = "empty"  # nothing, or nothing but reasoning or headings
    REFUSED = "refusal"  # the model says that it won't, or can't
    LOOPED = "loop"  # it says the same again and again
    PROMPT = "prompt-repeated"  # it gives our own instructions back
    COPIED = "transcript-repeated"  # it gives the transcript back
    LANGUAGE = "other-language"
    UNREADABLE = "unreadable"  # no JSON where JSON was asked for
    FAILED = "no-answer"  # the call itself failed
    CUT = "cut-off"  # it ended at the token limit; soft where enough was written
    SHORT = "short"  # soft
    LONG = "long"  # soft

    @property
    def is_hard(self) -> bool:
        return self not in (Fault.CUT, Fault.SHORT, Fault.LONG)


_SORRY = (
    r"i(?:['’]m| am) (?:sorry|unable|afraid|not able)"
    r"|i (?:can(?:no|['’])t|cannot|won['’]t|must decline|apologi[sz]e)|sorry, (?:but )?i"
    r"|as an ai\b|unfortunately,? i (?:can|am)|i do(?:n['’]t| not) have (?:access|the ability)"
    r"|(?:no|the) transcript (?:was|is) (?:not |missing|provided)"
    r"|es tut mir leid|ich kann (?:leider )?nicht|leider kann ich"
    r"|je suis désolé|je ne peux pas|désolé|lo siento|no puedo|mi dispiace|non posso"
    r"|desculpe|não posso|het spijt me|ik kan (?:helaas )?niet|beklager|jag kan (?:tyvärr )?inte"
    r"|nie mogę|przykro mi|извините|к сожалению|я не могу|抱歉|无法|申し訳|죄송"
)
_REFUSAL = re.compile(rf"(?<!\w)(?:{_SORRY})", re.IGNORECASE)
_REFUSAL_WITHIN_CHARACTERS = 200
_LONGEST_REFUSAL_WORDS = 120
_CITES = re.compile(r"\[\d{1,7}[\d,;\s–-]*\]")

_GRAM_WORDS = 8
_MOST_REPEATED = 0.25  # of the 8-word stretches; 0.03 at most in sound texts, 0.6 and more in loops
_MOST_OF_PROMPT = 0.3
_MOST_COPIED = 0.6
_LEAST_WORDS_TO_COMPARE = 40
_LEAST_TO_BE_COPIED = 80  # stretches: of a few remarks, a summary may well be their words
_WORDS = re.compile(r"\w+")
_CHARACTERS_OF_A_WORD = (
    4  # of a run without spaces, so that a script without them has stretches, too
)


def text_faults(
    text: str,
    *,
    prompt: frozenset[int] = frozenset(),
    material: frozenset[int] = frozenset(),
    language: LanguageProfile | None = None,
) -> list[Fault]:
    """Return what is wrong with a text of paragraphs, the plainest only.

    `prompt` and `material` are what `grams_of` makes of our instructions and of what was shown.
    """
    if not text.strip() or is_empty_structure(text):
        return [Fault.EMPTY]
    if is_refusal(text):
        return [Fault.REFUSED]
    grams = _grams(text)
    if count_words(text) >= _LEAST_WORDS_TO_COMPARE and repeated_share(grams) > _MOST_REPEATED:
        return [Fault.LOOPED]
    if shared_share(grams, prompt) > _MOST_OF_PROMPT:
        return [Fault.PROMPT]
    if len(grams) >= _LEAST_TO_BE_COPIED and shared_share(grams, material) > _MOST_COPIED:
        return [Fault.COPIED]
    if language and not language.is_of(text):
        return [Fault.LANGUAGE]
    return []


def is_refusal(text: str) -> bool:
    """Return whether a model declines. A text that cites turns reports somebody else's words."""
    found = _REFUSAL.search(text[:_REFUSAL_WITHIN_CHARACTERS])
    return (
        found is not None
        and count_words(text) <= _LONGEST_REFUSAL_WORDS
        and not _CITES.search(text)
    )


def is_empty_structure(text: str) -> bool:
    """Return whether there are headings and marks, and hardly a word beneath them."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("#") and any(map(str.isalnum, line))]
    headings = len(lines) - len(told)
    return count_words(" ".join(told)) < max(1, headings)


def repeated_share(grams: Sequence[int]) -> float:
    """Return the share of 8-word stretches that were there before."""
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def shared_share(grams: Sequence[int], source: frozenset[int]) -> float:
    """Return the share of a text's 8-word stretches that a source has."""
    return sum(gram in source for gram in grams) / len(grams) if grams and source else 0.0


def grams_of(texts: Iterable[str]) -> frozenset[int]:
    return frozenset(gram for text in texts for gram in _grams(text))


def _grams(text: str) -> list[int]:
    words = [part for word in _WORDS.findall(text.casefold()) for part in _short(word)]
    return [hash(tuple(words[at : at + _GRAM_WORDS])) for at in range(len(words) - _GRAM_WORDS + 1)]


def _short(word: str) -> Sequence[str]:
    if word.isascii():
        return (word,)
    width = _CHARACTERS_OF_A_WORD
    return [word[at : at + width] for at in range(0, len(word), width)]


_NUMBER = re.compile(
    r"(?<![\w.,])\d{1,3}(?:[,.\u00a0 ]\d{3})+(?:[.,]\d{1,2})?(?!\w)|(?<![\w.,])\d+(?:[.,]\d+)?(?!\w)"
)
_THOUSANDS = re.compile(r"(?<=\d)[,.\u00a0 ](?=\d{3}(?!\d))")


def numbers_in(text: str) -> set[str]:
    """Return a text's numbers by value: `9,000`, `9 000` and `9000` are one, `0.50` is `0.5`."""
    return {_value(found) for found in _NUMBER.findall(text)}


def _value(number: str) -> str:
    whole = _THOUSANDS.sub("", number).replace(",", ".")
    return whole.rstrip("0").rstrip(".") if "." in whole else whole
