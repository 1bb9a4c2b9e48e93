"""A meeting summary of a wanted length, made of the transcript's own best sentences. Deterministic.

Overview, topics in order, decisions, action items, open questions and notable quotes. A section without
material is left out. No sentence is used twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from . import cues
from .ranking import STOP_WORDS, ranked, stem
from .topics import Part, Vocabulary, divided
from .transcript import Sentence, count_words, read_sentences, read_turns, short_name

BOILERPLATE = "Made of the speakers' own sentences"

_WORDS_PER_PART = 1150  # of the transcript
_MIN_WORDS_PER_TOPIC = 140  # of the summary; fewer topics rather than scraps
_MAX_PARTS = 16
_LARGEST_SHARE = 0.75  # of the transcript; beyond it the result is no summary
_TOO_SHORT_WORDS = 60
_SCRAP_WORDS = 5
_ALIKE = 0.6
_ITEM_MAX_WORDS = 60
_TOLERANCE = 0.01
_SECTION_SHARES = {"decisions": 0.07, "actions": 0.07, "questions": 0.06, "quotes": 0.05}
_OVERVIEW_SHARE = 0.08
_SECTION_MIN_WORDS = 30
_INTRODUCTION_MIN_WORDS = 250
_NAMES_LISTED = 8


class StoppedError(Exception):
    """The caller asked to stop; nothing was made."""


@dataclass
class _Draft:
    overview: list[Sentence] = field(default_factory=list)
    topics: dict[int, list[Sentence]] = field(default_factory=dict)  # by number of the part
    sections: dict[str, list[Sentence]] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    texts: list[frozenset[str]] = field(default_factory=list)

    def takes(self, sentence: Sentence) -> bool:
        """Reserves a sentence, unless it or one much like it is in already."""
        words = frozenset(sentence.text.lower().split())
        if sentence.position in self.used or any(
            _likeness(words, other) > _ALIKE for other in self.texts
        ):
            return False
        self.used.add(sentence.position)
        self.texts.append(words)
        return True


def summarise(
    transcript: str, target_words: int, stopped: Callable[[], bool] = lambda: False
) -> str:
    """Markdown of about `target_words` words, fewer if the transcript is too short for that.

    A text of a few words is given back as it is.

    Raises:
        StoppedError: `stopped` became true; it is asked once per part.
    """
    sentences = read_sentences(read_turns(transcript))
    sentences = [sentence for sentence in sentences if not sentence.text.startswith(BOILERPLATE)]
    total = sum(sentence.word_count for sentence in sentences)
    target = max(1, min(target_words, int(total * _LARGEST_SHARE)))
    parts_wanted = max(
        1, min(round(total / _WORDS_PER_PART), target // _MIN_WORDS_PER_TOPIC, _MAX_PARTS)
    )
    vocabulary = Vocabulary(STOP_WORDS, stem, {sentence.speaker for sentence in sentences})
    parts = divided(sentences, vocabulary, parts_wanted)
    ratings: dict[int, float] = {}
    for part in parts:
        if stopped():
            raise StoppedError
        ratings |= _ratings(part)
    if total < _TOO_SHORT_WORDS or not ratings:
        return transcript.strip()
    return _Writer(sentences, parts, ratings, target, count_words(transcript)).text()


def _ratings(part: Part) -> dict[int, float]:
    """LexRank in pieces of bounded size: its cost is quadratic."""
    worth = [sentence for sentence in part.sentences if sentence.word_count >= _SCRAP_WORDS]
    pieces = -(-len(worth) // 150) or 1
    size = -(-len(worth) // pieces) or 1
    rated: dict[int, float] = {}
    for start in range(0, len(worth), size):
        rated |= ranked(worth[start : start + size])
    return rated


class _Writer:
    def __init__(
        self,
        sentences: Sequence[Sentence],
        parts: Sequence[Part],
        ratings: dict[int, float],
        target: int,
        transcript_words: int,
    ) -> None:
        self._transcript_words = transcript_words
        self._sentences = sentences
        self._parts = parts
        self._ratings = ratings
        self._target = target
        self._draft = _Draft()
        self._by_position = {sentence.position: index for index, sentence in enumerate(sentences)}

    def text(self) -> str:
        self._fill_sections()
        self._fill_overview()
        self._fill_topics()
        if not self._draft.used:  # a target of a few words: the best sentence must do
            return max(self._rated(), key=self._rating).text
        return self._render()

    def _fill_sections(self) -> None:
        scores: dict[str, Callable[[Sentence], float]] = {
            "decisions": cues.decision_score,
            "actions": cues.action_score,
            "questions": lambda one: cues.open_question_score(one, self._following(one)),
            "quotes": cues.quote_score,
        }
        brief = [one for one in self._rated() if one.word_count <= _ITEM_MAX_WORDS]
        for name, share in _SECTION_SHARES.items():
            budget = share * self._target
            if budget < _SECTION_MIN_WORDS:
                continue
            self._draft.sections[name] = self._best(brief, scores[name], budget)

    def _fill_overview(self) -> None:
        """The best sentences of the whole, at most a few from any one part."""
        budget = _OVERVIEW_SHARE * self._target
        leaders = [
            sentence
            for part in self._parts
            for sentence in sorted(self._rated(part.sentences), key=self._rating, reverse=True)[:5]
            if not sentence.is_question and _names_subject(sentence, part)
        ]
        self._draft.overview = self._best(leaders, lambda _: 1.0, budget)

    def _fill_topics(self) -> None:
        left = self._target - count_words(self._render())
        total = sum(part.word_count for part in self._parts) or 1
        for number, part in enumerate(self._parts):
            share = left * part.word_count / total
            self._draft.topics[number] = self._best(
                self._rated(part.sentences), lambda _: 1.0, share
            )
        for _ in range(8):
            if not self._adjust():
                break

    def _adjust(self) -> bool:
        """Brings the length nearer to the target; False when it is there or nothing fits."""
        missing = self._target - count_words(self._render())
        if missing < 0:
            return self._drop(-missing)
        if missing <= _TOLERANCE * self._target:
            return False
        added = 0
        for number, sentence in self._leftovers():
            if added + sentence.word_count <= missing and self._draft.takes(sentence):
                self._draft.topics[number].append(sentence)
                added += sentence.word_count + 1
        return added > 0

    def _leftovers(self) -> Iterator[tuple[int, Sentence]]:
        every = [
            (number, sentence)
            for number, part in enumerate(self._parts)
            for sentence in self._rated(part.sentences)
            if sentence.position not in self._draft.used
        ]
        return iter(sorted(every, key=lambda one: (-self._rating(one[1]), one[1].position)))

    def _drop(self, words: int) -> bool:
        for sentences in self._draft.topics.values():
            for sentence in sorted(sentences, key=self._rating):
                if words <= 0 or len(sentences) == 1:
                    break
                sentences.remove(sentence)
                words -= sentence.word_count
        return False

    def _best(
        self, candidates: Iterable[Sentence], score: Callable[[Sentence], float], budget: float
    ) -> list[Sentence]:
        """The best-scored candidates that fit the budget."""
        weights = {one.position: score(one) * (0.3 + self._rating(one)) for one in candidates}
        chosen: list[Sentence] = []
        room = budget
        for position in sorted(weights, key=lambda position: (-weights[position], position)):
            sentence = self._sentences[self._by_position[position]]
            if (
                weights[position] > 0
                and sentence.word_count <= room
                and self._draft.takes(sentence)
            ):
                chosen.append(sentence)
                room -= sentence.word_count + 1
        return chosen

    def _rated(self, sentences: Sequence[Sentence] | None = None) -> list[Sentence]:
        every = self._sentences if sentences is None else sentences
        return [sentence for sentence in every if sentence.position in self._ratings]

    def _rating(self, sentence: Sentence) -> float:
        return self._ratings[sentence.position]

    def _following(self, sentence: Sentence) -> Sequence[Sentence]:
        index = self._by_position[sentence.position]
        return self._sentences[index + 1 : index + 12]

    def _render(self) -> str:
        draft = self._draft
        overview = [*self._introduction(), *_paragraphs(draft.overview)]
        blocks = ["## Overview", *overview] if overview else []
        if any(draft.topics.values()):
            blocks.append("## Topics in order")
        for number, part in enumerate(self._parts):
            if chosen := draft.topics.get(number):
                blocks += [_heading(number, part), *_paragraphs(chosen)]
        for name, title in _SECTION_TITLES.items():
            if chosen := draft.sections.get(name, []):
                line = _quotation if name == "quotes" else _item
                blocks += [f"## {title}", "\n".join(line(one) for one in _in_order(chosen))]
        return "\n\n".join(blocks) + "\n"

    def _introduction(self) -> list[str]:
        if self._target < _INTRODUCTION_MIN_WORDS:
            return []
        subjects = [part.subjects[0] for part in self._parts if part.subjects]
        said: Counter[str] = Counter()
        for sentence in self._sentences:
            said[short_name(sentence.speaker)] += sentence.word_count
        rounded = round(self._transcript_words, -2)
        names = [name for name, _ in said.most_common() if name]
        between = f", between {_enumerated(names)}" if names else ""
        return [
            f"{BOILERPLATE}, chosen from about {rounded:,} words{between}.",
            f"The subjects, in order: {'; '.join(subjects)}.",
        ]


_SECTION_TITLES = {
    "decisions": "Decisions",
    "actions": "Action items",
    "questions": "Open questions",
    "quotes": "Notable quotes",
}


def _paragraphs(sentences: Iterable[Sentence]) -> list[str]:
    """One paragraph for each run of sentences of one speaker, in the order they were said."""
    runs: list[list[Sentence]] = []
    for sentence in _in_order(sentences):
        if runs and short_name(runs[-1][-1].speaker) == short_name(sentence.speaker):
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return [_attributed(run[0].speaker, " ".join(one.text for one in run)) for run in runs]


def _heading(number: int, part: Part) -> str:
    stamp = next((sentence.stamp for sentence in part.sentences if sentence.stamp), "")
    return f"### {number + 1}. {part.title}" + (f" [{stamp}]" if stamp else "")


def _names_subject(sentence: Sentence, part: Part) -> bool:
    text = sentence.text.lower()
    return any(subject.lower() in text for subject in part.subjects)


def _item(sentence: Sentence) -> str:
    return "- " + _attributed(sentence.speaker, sentence.text)


def _quotation(sentence: Sentence) -> str:
    by = f" \u2014 {short_name(sentence.speaker)}" if sentence.speaker else ""
    return f"- \u201c{sentence.text}\u201d{by}"


def _attributed(speaker: str, text: str) -> str:
    return f"{short_name(speaker)}: {text}" if speaker else text


def _in_order(sentences: Iterable[Sentence]) -> list[Sentence]:
    return sorted(sentences, key=lambda sentence: sentence.position)


def _enumerated(names: list[str]) -> str:
    if len(names) > _NAMES_LISTED:
        return f"{', '.join(names[:_NAMES_LISTED])} and others ({len(names)} in all)"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)
