"""What people and their devices are called, and what only looks like it. Pure.

Looks alone decide little: `ann`, `iPhone` and `+1 555 0100` speak in meetings, and `Note` does not.
core/transcripts/formats/labels.py weighs them with how often and where a file uses them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

LONGEST_NAME = 150
_MOST_WORDS_OF_A_NAME = 6  # outside brackets, for a name that is believed though it comes once
_MOST_WORDS = 20
_MOST_WORDS_OF_A_DOUBTFUL_NAME = 4  # unless they are written large
_FEWEST_WORDS_OF_A_SENTENCE = 3
_MOST_DIGITS_OF_A_NUMBER = 4  # five are an extension or a part of a telephone number

_PARTICLES_IN_WORDS = (
    "a af al ap av bar ben bin bint d da das de degli del della dem den der des di do dos du e el"
    " en ibn il in l la las le les lo los mac of op san st t ten ter the till und upon van ver vom"
    " von y z zu zum zur and et i"
)
_PARTICLES = frozenset(_PARTICLES_IN_WORDS.split())
_NO_NAMES_IN_WORDS = (
    "act action actions address agenda also answer attachment attachments attendees background"
    " bcc but cc caution chapter conclusion date day deadline decision decisions disclaimer due"
    " duration e.g. email e-mail example fact figure finally first footnote from fyi goal goals"
    " hint http https i.e. idea important item language lesson link links location minutes next"
    " note notes ok okay online option organiser organizer owner p.s. part participants phase"
    " phone place plan present problem ps purpose question re recorded reminder remember result"
    " results rule scene section sent slide solution source start status step subject summary"
    " table task thank thanks tip time title tl;dr to today todo tomorrow topic topics total"
    " transcript update url verse version warning week well where yes achtung anmerkung beispiel"
    " betreff danke datum fazit frage hinweis ort quelle thema antwort attention exemple merci"
    " objet remarque sujet asunto ejemplo fecha gracias nota tema nb obs observação оговорка"
    " примечание тема дата 注 注意 备注 例 日期 主题"
)
_NO_NAMES = frozenset(_NO_NAMES_IN_WORDS.split())
_SENTENCE_STARTS_IN_WORDS = (
    "he she i we they it you this that these those there here what when how if because then so as"
)
_SENTENCE_STARTS = frozenset(_SENTENCE_STARTS_IN_WORDS.split())
_NUMBERED = re.compile(r"(?P<stem>[^\d]{1,40}?)[\s#№_-]{0,3}(?P<number>\d{1,4})")
_SPEAKER_WORDS = re.compile(
    r"speaker|spk|sprecher|спикер|говорящий|locuteur|hablante|orador|falante|locutor|interlocut|parlante"
    r"|spreker|talare|taler|puhuja|mówca|konuşmacı|vorbitor|mluvčí|participant|teilnehmer|guest|unknown"
    r"|発言者|話者|发言人|说话人|講者|发言者|화자|참석자|متحدث",
    re.IGNORECASE,
)
_E_MAIL = re.compile(r"[^\s@]{1,80}@[^\s@]{1,80}\.[^\s@.]{2,20}")
_PHONE = re.compile(r"\+?[\d(][\d\s().*x/-]{5,30}")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BRACKETS = {"[": "]", "(": ")", "<": ">", '"': '"', "“": "”", "«": "»", "„": "“", "【": "】"}
_ABBREVIATED_END = re.compile(r"(?:.*[\s.])?(?:Jr|Sr|Esq|[^\W\d_])\.", re.IGNORECASE)


def is_name(text: str) -> bool:
    """Say whether this looks like what somebody is called: `Ann Lee (Host)`, `SPEAKER_00`, `李`."""
    if not can_be_name(text):
        return False
    if _E_MAIL.fullmatch(text) or _PHONE.fullmatch(text):
        return True
    words = _BRACKETED.sub(" ", text).split()
    if not 0 < len(words) <= _MOST_WORDS_OF_A_NAME:
        return False
    if text[-1] in ".!?,;-*#|>" and not _ABBREVIATED_END.fullmatch(text):
        return False
    return words[-1] not in _PARTICLES - {"e", "i", "a", "y", "d", "l", "t", "z"} and all(
        word.lower() in _PARTICLES or not word.lstrip("(\"'“").islower() for word in words
    )


def can_be_name(text: str) -> bool:
    """Say whether somebody may be called so, if the rest of the file says the same."""
    if not 0 < len(text) <= LONGEST_NAME or text[0] in "#|/" or "://" in text:
        return False
    words = text.split()
    first = words[0].lower().strip("(\"'“")
    if first in _NO_NAMES or len(words) > _MOST_WORDS:
        return False
    if len(words) > 1 and first in _SENTENCE_STARTS:
        return False
    if not any(character.isalnum() for character in text) or _DATE.fullmatch(text):
        return False
    return not (text.isdecimal() and len(text) <= _MOST_DIGITS_OF_A_NUMBER)


def is_like_a_sentence(text: str) -> bool:
    """Say whether this is rather the beginning of a sentence: `the one thing we need`."""
    if _E_MAIL.fullmatch(text):
        return False
    words = _BRACKETED.sub(" ", text).split()
    lower = sum(word.islower() and word not in _PARTICLES for word in words)
    return lower > 1 and len(words) >= _FEWEST_WORDS_OF_A_SENTENCE


def bare(label: str) -> str:
    """Return a label without the brackets and quotation marks around the whole of it."""
    name = label.strip()
    closing = _BRACKETS.get(name[:1])
    if closing and name.endswith(closing) and _is_balanced(name[1:-1], name[0], closing):
        return name[1:-1].strip() or name
    return name


def _is_balanced(text: str, opening: str, closing: str) -> bool:
    if opening == closing:
        return opening not in text
    depth = 0
    for character in text:
        depth += (character == opening) - (character == closing)
        if depth < 0:
            return False
    return depth == 0


def is_surely_a_sentence(text: str) -> bool:
    """Say whether nobody is called so: `And the one thing we all need`, but not `Some hon. members`."""
    words = _BRACKETED.sub(" ", text).split()
    return len(words) > _MOST_WORDS_OF_A_DOUBTFUL_NAME and is_like_a_sentence(text)


def is_like_a_phrase(text: str) -> bool:
    """Say whether only the first word is written large: `Quick question`, but `Meeting room` too."""
    words = _BRACKETED.sub(" ", text).split()
    lower = sum(word.islower() and word not in _PARTICLES for word in words)
    return bool(words) and words[0][:1].isupper() and lower == len(words) - 1 > 0


def numbered_family(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are one word with several numbers: `Спикер №1`, `Спикер №2`."""
    families: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        numbered = _NUMBERED.fullmatch(name)
        if numbered and _SPEAKER_WORDS.search(numbered["stem"]):
            families[numbered["stem"].strip().casefold()].add(name)
    return frozenset(name for family in families.values() if len(family) > 1 for name in family)
