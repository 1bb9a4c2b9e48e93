"""From bytes to text: which encoding a file without a name for it is in.

1. A byte order mark says it.
2. What is UTF-8 but for a few broken bytes is UTF-8; these become U+FFFD. No other encoding makes
   sequences that are valid UTF-8 by chance, save one in a while.
3. UTF-16 and ISO-2022 show in bytes that no other text has.
4. Otherwise chardet says what it looks like, among the encodings that people's files are in.
5. A Latin alphabet is held against its languages: a Swedish file is a Swedish file because all its
   letters are Swedish ones, and cp1252 is the first guess where two explain it equally well.

What nothing explains is refused: a wrong letter in a name is worse than a question. Pure.
"""

import codecs
import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import chardet

from core.errors import BadTranscript

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BROKEN = "\ufffd"
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ESCAPED = ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr")
_DOUBLE_BYTE = ("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949")
_OTHER_SCRIPTS = (
    "cp1251", "koi8-r", "koi8-u", "iso8859-5", "cp866", "mac-cyrillic", "cp1253", "iso8859-7", "cp737",
    "cp1255", "iso8859-8", "cp1256", "iso8859-6", "cp1258", "cp874",
)  # fmt: skip

_WESTERN = {
    "ca": "àèéíïòóúüç", "da": "æøåéü", "de": "äöüßéà", "es": "áéíóúüñ", "et": "äöõüšž", "eu": "ñçü",
    "fi": "äöåšž", "fo": "áíóúýðæø", "fr": "éèêëàâîïôûùüçœæÿ", "ga": "áéíóú", "is": "áéíóúýðþæö",
    "it": "àèéìòùîí", "nl": "éëïèöüáóêç", "no": "æøåéèêóòôü", "pt": "áâãàçéêíóôõúü", "sq": "ëç",
    "sv": "åäöéàü",
}  # fmt: skip
_CENTRAL = {
    "cs": "áčďéěíňóřšťúůýž", "de": "äöüß", "hr": "čćđšž", "hu": "áéíóöőúüű", "pl": "ąćęłńóśźż",
    "ro": "ăâîşţ", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšžćđ",
}  # fmt: skip
_TURKISH = {"tr": "çğıöşüâîûi̇"}
_BALTIC = {"et": "äöõüšž", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž"}
_LATIN = {
    "cp1252": _WESTERN, "iso8859-15": _WESTERN, "cp1250": _CENTRAL, "iso8859-2": _CENTRAL,
    "cp1254": _TURKISH, "cp1257": _BALTIC, "iso8859-13": _BALTIC, "mac-roman": _WESTERN,
    "cp437": _WESTERN, "cp850": _WESTERN, "cp852": _CENTRAL, "cp857": _TURKISH,
}  # fmt: skip
_ALL_WESTERN = frozenset("".join(_WESTERN.values()))
_SAME_ALPHABET = {"sr": "hr", "bs": "hr", "nb": "no", "nn": "no"}
_CANDIDATES = (*_LATIN, *_OTHER_SCRIPTS, *_DOUBLE_BYTE)

_PUNCTUATION = frozenset("’‘“”„–—…«»‹›¿¡€£§°·ºª½¼¾²³©®™´•‚\xa0×±µ\xad")
# A sign that stands between letters in no language: `f†r` is not Swedish.
_SIGN_IN_A_WORD = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘–—…·\xad\xa0´](?=[^\W\d_])")
_OPENING_IN_A_WORD = re.compile(r"(?<=[^\W\d_])[„‚¿¡](?![^\W\d_])")
_WORD_BEYOND_ASCII = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_ASCII_LETTER = re.compile(r"[A-Za-z]")
_DOUBTFUL = 0.11  # chardet's confidence; below it cp1252 is as likely
_FEWEST_OF_A_SCRIPT = 0.1  # of the letters, in lines that have any
_SPARSE = 0.03  # of the letters: names in an English file, and no other language
_MOST_UNEXPLAINED = 0.05  # of the characters beyond ASCII
_MOST_BROKEN = 0.002  # of all characters, in an encoding that was guessed
_SAMPLE_BYTES = 50_000  # of lines with bytes beyond ASCII
# C0 controls that text does not hold; tab, line feed, form feed and carriage return it may.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.001  # of all characters
_NO_MATCH = 0.1  # chardet's confidence in an encoding that it was told to answer when none fits
_LONGEST_WITHOUT_A_SPACE = 60  # characters of text in two or four bytes each
_FEWEST_NULS_OF_WIDE = 0.05  # of all bytes: a space or line end in twenty characters has one


def decoded(body: bytes) -> str:
    """Return the text. Raises BadTranscript, with `not-text` or `unknown-encoding`."""
    text = _by_mark(body) or _as_wide(body) or _as_utf8(body) or _as_it_looks(body)
    if len(_CONTROLS.findall(text)) > len(text) * _MOST_CONTROLS:
        raise _not_text("control characters as only binary files do")
    return text


def encoding_of(body: bytes) -> str:
    """Return the encoding that `decoded` finds a body to be in, for a person. Raises as it does.

    Of several that make the same text of it, the most usual.
    """
    text = decoded(body).rstrip(_BROKEN)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return encoding.removesuffix("-sig")
    for encoding in ("ascii", "utf-8", *_WIDE, *_ESCAPED, *_CANDIDATES):
        if body.decode(encoding, "replace").rstrip(_BROKEN) == text:
            return encoding
    return "utf-8"  # of an empty body `decoded` makes a space


def _by_mark(body: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            text = body.decode(encoding, "replace")
            if text.count(_BROKEN) > max(1, len(text) // 100):
                raise _not_text(f"a mark of {encoding.upper().removesuffix('-SIG')} and is not it")
            return text or " "
    return None


def _as_wide(body: bytes) -> str | None:
    """Decode UTF-16 or UTF-32 without a mark. Other text has no NUL."""
    if body.count(0) < max(1, len(body) * _FEWEST_NULS_OF_WIDE):
        return None
    sample = body[: _SAMPLE_BYTES // 4 * 4]
    found = chardet.detect(
        sample,
        max_bytes=len(sample) + 1,
        include_encodings=_WIDE,
        no_match_encoding=_WIDE[0],
        compat_names=False,
    )
    guess = found["encoding"]
    if guess is None or found["confidence"] <= _NO_MATCH:
        raise _not_text("control characters as only binary files do")
    text = body.decode(guess, "replace").rstrip(_BROKEN)
    if len(text) > _LONGEST_WITHOUT_A_SPACE and not any(map(str.isspace, text)):
        raise _not_text("bytes as only binary files do")  # text has NULs from its spaces
    return text


def _as_utf8(body: bytes) -> str | None:
    text = body.decode("utf-8", "replace")
    if b"\x1b" in body and text.isascii():
        return _as_escaped(body)
    if _BROKEN not in text:
        return text or " "
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    meant = body.count(_BROKEN.encode())  # somebody else replaced these before
    broken = text.count(_BROKEN) - meant
    return text if broken < beyond_ascii - broken - meant else None


def _as_escaped(body: bytes) -> str | None:
    """Decode ISO-2022, which says in escape sequences of ASCII what the ASCII behind them means."""
    for encoding in _ESCAPED:
        text = body.decode(encoding, "replace")
        if "\x1b" not in text and not text.isascii() and _is_sound(text):
            return text
    return body.decode("ascii")


def _as_it_looks(body: bytes) -> str:
    sample = _sample(body)
    guess = _guess(sample)
    encoding: str | None = guess.encoding
    if encoding in _OTHER_SCRIPTS and _is_latin_after_all(sample, guess):
        guess = _Guess("cp1252", "", 0.0)
        encoding = guess.encoding
    if encoding in _LATIN:
        encoding = _best_latin(sample, guess)
    if encoding:
        text = body.decode(encoding, "replace")
        if _is_sound(text):
            return text
    if len(_CONTROLS.findall(body.decode("latin-1"))) > len(body) * _MOST_CONTROLS:
        raise _not_text("bytes as only binary files do")
    raise BadTranscript(
        "unknown-encoding",
        "the file is not UTF-8, and which older encoding its letters are in is uncertain;"
        " save it as UTF-8 and upload it again",
    )


def _sample(body: bytes) -> bytes:
    """Return the lines that say something about the encoding. No encoding asked about has a line feed
    inside a character, so none is cut."""
    lines: list[bytes] = []
    length = 0
    for line in re.finditer(rb"[^\n]*\n?", body):
        if line[0].isascii():
            continue
        lines.append(line[0])
        length += len(line[0])
        if length >= _SAMPLE_BYTES:
            break
    return b"".join(lines)


class _Guess(NamedTuple):
    encoding: str
    language: str
    confidence: float


def _guess(sample: bytes) -> _Guess:
    found = chardet.detect(
        sample, max_bytes=len(sample) + 1, include_encodings=_CANDIDATES, compat_names=False
    )
    return _Guess(found["encoding"] or "", found["language"] or "", found["confidence"])


def _is_latin_after_all(sample: bytes, guess: _Guess) -> bool:
    """Say that the other script is not one: hardly a letter is, or words are half in ASCII."""
    if guess.confidence < _DOUBTFUL:
        return True
    if guess.encoding == "cp1258":  # Vietnamese is Latin
        return False
    text = sample.decode(guess.encoding, "replace")
    words = _WORD_BEYOND_ASCII.findall(text)
    mixed = sum(bool(_ASCII_LETTER.search(word)) for word in words)
    return mixed * 2 > len(words) or _share_beyond_ascii(text) < _FEWEST_OF_A_SCRIPT


def _share_beyond_ascii(text: str) -> float:
    """Return the share of the letters that are not ASCII's."""
    letters = sum(character.isalpha() for character in text)
    return 1 - len(_ASCII_LETTER.findall(text)) / letters if letters else 1.0


def _best_latin(sample: bytes, guess: _Guess) -> str | None:
    """Return the encoding in which the sample's letters are those of one language."""
    best, least, beyond_ascii = "", float("inf"), 0
    for encoding, languages in _LATIN.items():
        text = sample.decode(encoding, "replace")
        language = _SAME_ALPHABET.get(guess.language, guess.language)
        alphabets = list(languages.values())
        if encoding == guess.encoding and language in languages:
            alphabets = [languages[language]]
        unexplained = _unexplained(text, alphabets, is_western=languages is _WESTERN)
        unexplained += _doubt(encoding, guess)
        if unexplained < least:
            best, least = encoding, unexplained
            beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return best if least < 2 + beyond_ascii * _MOST_UNEXPLAINED else None


def _doubt(encoding: str, guess: _Guess) -> float:
    """Return less than one character's worth, to decide between encodings that explain all."""
    first, second = guess.encoding, "cp1252"
    if guess.confidence < _DOUBTFUL:
        first, second = second, first
    return {second: 0.4, first: 0.0}.get(encoding, 0.8)


def _unexplained(text: str, alphabets: list[str], *, is_western: bool) -> float:
    """Count what no one of these languages writes."""
    beyond_ascii = Counter(character for character in text if character > "\x7f")
    letters = {
        character: count
        for character, count in beyond_ascii.items()
        if character.isalpha() and character not in "ªº"
    }
    signs = sum(
        count
        for character, count in beyond_ascii.items()
        if not character.isalpha() and character not in _PUNCTUATION
    )
    foreign = float(min(_foreign(letters, alphabet) for alphabet in alphabets))
    if is_western:  # an English file has everybody's names; one language alone explains more
        price = 0.5 if _share_beyond_ascii(text) < _SPARSE else 1.5
        foreign = min(foreign, _foreign(letters, _ALL_WESTERN) + price)
    misplaced = len(_SIGN_IN_A_WORD.findall(text)) + len(_OPENING_IN_A_WORD.findall(text))
    capitals = sum(
        character > "\x7f" and character.isupper() and before.islower()
        for before, character in pairwise(text)
    )
    return foreign + signs + misplaced + capitals


def _foreign(letters: dict[str, int], alphabet: str | frozenset[str]) -> int:
    return sum(count for letter, count in letters.items() if letter.lower() not in alphabet)


def _is_sound(text: str) -> bool:
    return text.count(_BROKEN) <= max(1, len(text) * _MOST_BROKEN)


def _not_text(what: str) -> BadTranscript:
    return BadTranscript(
        "not-text", f"the file holds {what}; export the transcript as plain text in UTF-8"
    )
