"""The languages in which a summary has headings, and how each is recognised: by its commonest words."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from sumy.utils import get_stop_words

_SAMPLE_CHARACTERS = 40_000
_LEAST_SHARE = 0.15  # of a text's words; in its own language they are a third to a half
_NEIGHBOURS_LETTERS = {
    "sv": "æø",  # Danish, Norwegian
    "cs": "ľĺŕôä",  # Slovak
    "it": "çíúáóï",  # Catalan, Spanish
    "es": "çãõàè",  # Catalan, Portuguese
}
_FOREIGN_SHARE = 0.004  # of a text: more than a name now and then
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# sumy has none for Dutch.
_DUTCH = """de het een en van ik je dat die is niet te in op zijn was we ze er maar met voor als dan aan ook
naar bij nog wel om heeft hebben had wat dit deze kan moet worden wordt door over uit geen meer al zo"""


@dataclass(frozen=True)
class Language:
    code: str  # for sentencex
    name: str  # as sumy has it; "" where nobody knows the language
    overview: str
    in_order: str
    chosen: str  # the opening of the one sentence that is the simulator's own, with {words}

    @property
    def is_spaced(self) -> bool:
        return self.code not in {"zh", "ja"}

    @property
    def stop_words(self) -> frozenset[str]:
        return _stop_words(self.name)


ENGLISH = Language("en", "english", "Overview", "Topics in order",
                   "Made of the speakers' own sentences, chosen from about {words} words")  # fmt: skip
# Where the language is not known the frame is English, and says so.
UNKNOWN = Language("en", "", ENGLISH.overview, ENGLISH.in_order,
                   "Made of the speakers' own sentences, under English headings because this simulator"
                   " doesn't know their language, chosen from about {words} words")  # fmt: skip
LANGUAGES = (
    ENGLISH,
    Language("de", "german", "Überblick", "Der Reihe nach",
             "Aus Sätzen der Sprechenden, ausgewählt aus etwa {words} Wörtern"),
    Language("fr", "french", "Aperçu", "Dans l'ordre",
             "Fait de phrases des intervenants, choisies parmi environ {words} mots"),
    Language("es", "spanish", "Resumen", "Por orden",
             "Hecho con frases de quienes hablan, elegidas entre unas {words} palabras"),
    Language("it", "italian", "Panoramica", "In ordine",
             "Fatto di frasi di chi parla, scelte tra circa {words} parole"),
    Language("pt", "portuguese", "Visão geral", "Por ordem",
             "Feito de frases de quem fala, escolhidas entre cerca de {words} palavras"),
    Language("nl", "dutch", "Overzicht", "Op volgorde",
             "Gemaakt van zinnen van de sprekers, gekozen uit ongeveer {words} woorden"),
    Language("sv", "swedish", "Översikt", "I tur och ordning",
             "Gjord av talarnas egna meningar, valda ur ungefär {words} ord"),
    Language("pl", "polish", "Przegląd", "Po kolei",
             "Złożone ze zdań rozmówców, wybranych z około {words} słów"),
    Language("cs", "czech", "Přehled", "Popořadě",
             "Složeno z vět mluvčích, vybraných z asi {words} slov"),
    Language("uk", "ukrainian", "Огляд", "По порядку",
             "Складено з речень учасників, вибраних приблизно з {words} слів"),
    Language("zh", "chinese", "概述", "依次内容", "由发言者的原句组成，选自约{words}字"),
    Language("ja", "japanese", "概要", "順を追って", "発言者の文から成り、約{words}字から選ばれた"),
)  # fmt: skip


def language_of(text: str) -> Language:
    """Return the language whose commonest words a text has most of, or UNKNOWN."""
    sample = text[:_SAMPLE_CHARACTERS]
    by_code = {language.code: language for language in LANGUAGES}
    scripts = {
        code: len(re.findall(letters, sample))
        for code, letters in (("ja", "[\u3041-\u30ff]"), ("zh", "[\u4e00-\u9fff]"))
    }
    if sum(scripts.values()) * 4 > len(sample):
        return by_code["ja" if scripts["ja"] * 10 > scripts["zh"] else "zh"]
    words = Counter(word for word in words_of(sample) if len(word) > 1)  # "a" is in half of them
    shares = {
        language: sum(count for word, count in words.items() if word in language.stop_words)
        for language in LANGUAGES
        if language.is_spaced
    }
    best = max(shares, key=lambda language: shares[language])
    if shares[best] <= _LEAST_SHARE * words.total() or _is_of_a_neighbour(sample, best.code):
        return UNKNOWN
    return best


def _is_of_a_neighbour(text: str, code: str) -> bool:
    """Does a text hold many letters that a language doesn't have and one much like it does?"""
    foreign = sum(map(text.lower().count, _NEIGHBOURS_LETTERS.get(code, "")))
    return foreign > _FOREIGN_SHARE * len(text)


def words_of(text: str) -> list[str]:
    return [word.lower().replace("\u2019", "'") for word in _WORD.findall(text)]


@cache
def _stop_words(name: str) -> frozenset[str]:
    if name == "dutch":
        return frozenset(_DUTCH.split())
    return frozenset(word.lower() for word in get_stop_words(name)) if name else frozenset()
