"""`Ann Lee: words`: who says a line, as far as the whole file makes it likely.

Prose has colons too ("Note: bring a coat", "https://...", "at 10:30"). So a label must look like a name,
and the file must have enough of them. What is not taken for a label stays in the text.
"""

import re
from collections import Counter
from collections.abc import Iterable

_LABEL = re.compile(
    r"\s*(?:>>\s*)?(?P<open>\[)?(?P<name>[^\s:：\[\](][^:：\[\]]{0,59}?)(?(open)\])\s?(?::(?=\s|$)|：)\s*"
)
_PARTICLE_WORDS = "de da do dos van von der den di du la le el al bin ibn y of the and und"
_OTHER_WORDS = (
    "action actions address agenda answer attendees bcc cc conclusion date decision duration e.g. email"
    " example fact from http https i.e. idea language location note notes organiser organizer"
    " participants phone place plan ps purpose question re recorded reminder remember result rule start"
    " subject summary tip time title to todo topic topics transcript update version warning where"
)
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_NO_NAMES = frozenset(_OTHER_WORDS.split())
_MOST_WORDS_OF_A_NAME = 6
# How many of the lines have to be labelled before labels are believed: if they come again and again,
# and if some come only once.
_FEWEST_LABELLED_OF_REPEATED = 0.2
_FEWEST_LABELLED = 0.5


def split_label(line: str, names: frozenset[str]) -> tuple[str, str]:
    """Return a line's speaker, or "", and the words."""
    label = _LABEL.match(line)
    if label and label["name"] in names:
        return label["name"], line[label.end() :]
    return "", line


def names_in(lines: Iterable[str]) -> frozenset[str]:
    """Return the labels of these lines that are to be believed."""
    labels: Counter[str] = Counter()
    total = 0
    for line in lines:
        if not line.strip():
            continue
        total += 1
        label = _LABEL.match(line)
        if label and is_name(label["name"]):
            labels[label["name"]] += 1
    if labels.total() >= total * _FEWEST_LABELLED:
        return frozenset(labels)
    repeated = {
        name: count for name, count in labels.items() if count > 1 and name.upper() != name.lower()
    }
    if sum(repeated.values()) >= total * _FEWEST_LABELLED_OF_REPEATED:
        return frozenset(repeated)
    return frozenset()


def is_name(text: str) -> bool:
    """Say whether this could be what somebody is called: `Ann Lee (Host)`, `SPEAKER_00`, `李`."""
    words = text.split()
    if not 0 < len(words) <= _MOST_WORDS_OF_A_NAME or words[0].lower() in _NO_NAMES:
        return False
    if text[-1] in ".!?,;-*#|>" and not re.fullmatch(r".*\b(?:Jr|Sr|[A-Z])\.", text):
        return False
    if not any(character.isalnum() for character in text):
        return False
    return (
        all(word in _PARTICLES or not word.lstrip("(\"'“").strip()[:1].islower() for word in words)
        and words[0][0] not in "-*#|>/["
    )
