"""What a job's rounds have come to so far, as the parts of the engine look at it. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.summaries.asks import CONTEXT_LENGTH, Answer, Ask
from core.summaries.checks import is_refusal
from core.summaries.facts import Cost
from core.summaries.goals import Goal, WritingLimits
from core.summaries.languages import LanguageProfile, profile_of
from core.summaries.messages import prompt_tokens
from core.summaries.passages import Passages
from core.summaries.quotes import QuoteFinder
from core.summaries.rounds import PastRound, Plan
from core.summaries.tokens import estimate_tokens
from core.words import count_words

TOKENS_PER_WORD = 1.5  # of English, with its marks; of others what their transcript costs
_TOKENS_PER_WORD_UNKNOWN = 2.5  # where another language than the transcript's is asked for
_MOST_TOKENS_PER_WORD = 8.0
_REAL_SHARE_OF_ESTIMATE = 0.7  # the estimate is an upper one
_MOST_OVER_EXPECTED = 2.0
_SAMPLED_PASSAGES = 200
_LEAST_MEASURED_WORDS = 300
_SURPLUS = 1.6  # room that an answer has beyond what was asked for: models count words badly
_ANSWER_TOKENS = 80  # and for citations
# What is left of the context when an endpoint refused what should have fitted.
_SMALLER_CONTEXT = 0.6
# What a structured answer needs of the room that it is given.
_STRUCTURED_SHARE = 0.5
_YIELD = (0.2, 1.0)
_LEAST_FURTHER_TOKENS = 1_200  # a short summary's second try is more than half of its first
MOST_TRIES = 3  # for one slot


@dataclass(frozen=True)
class Try:
    ask: Ask
    answer: Answer

    @property
    def overflowed(self) -> bool:
        return self.answer.failure == CONTEXT_LENGTH

    @property
    def generated_tokens(self) -> int:
        """Return what was generated; estimated where the server did not say."""
        return self.answer.completion_tokens or estimate_tokens(self.answer.text)

    @property
    def is_refused(self) -> bool:
        return is_refusal(self.answer.text)


@dataclass(frozen=True)
class Progress:
    passages: Passages
    goal: Goal
    limits: WritingLimits
    history: Sequence[PastRound]

    @cached_property
    def plan(self) -> Plan:
        return self.history[-1].round.plan if self.history else Plan()

    @cached_property
    def all_tries(self) -> Sequence[Try]:
        return [
            Try(ask, past.answers[ask.name]) for past in self.history for ask in past.round.asks
        ]

    @cached_property
    def _by_slot(self) -> dict[str, list[Try]]:
        slots: dict[str, list[Try]] = {}
        for each in self.all_tries:
            slots.setdefault(each.ask.slot, []).append(each)
        return slots

    def tries(self, slot: str) -> Sequence[Try]:
        """Return what was answered for a slot, in order."""
        return self._by_slot.get(slot, ())

    @cached_property
    def finder(self) -> QuoteFinder:
        return QuoteFinder(self.passages)

    @cached_property
    def language(self) -> LanguageProfile | None:
        """Return what the summary's language looks like; None where that can't be known."""
        return None if self.goal.language else profile_of(self.passages)

    # --- room

    @cached_property
    def context_tokens(self) -> int:
        """Return what one request can hold: less than what the endpoint held for too much."""
        refused = (
            prompt_tokens(each.ask, self.passages) + each.ask.max_tokens
            for each in self.all_tries
            if each.overflowed
        )
        return min((self.limits.context_tokens, *(int(n * _SMALLER_CONTEXT) for n in refused)))

    def answer_tokens(self, words: int) -> int:
        """Return the room for an answer of so many words."""
        room = math.ceil(words * self.tokens_per_word * _SURPLUS) + _ANSWER_TOKENS
        return min(self.limits.max_tokens, room)

    @property
    def longest_words(self) -> int:
        """Return the most words that one answer is asked for: what its model and its tokens allow."""
        held = int(self.limits.max_tokens / self.tokens_per_word)
        return max(1, min(self.limits.reliable_words, held))

    @cached_property
    def tokens_per_word(self) -> float:
        """Return what a word of the summary takes: as measured, or as the transcript's words do."""
        expected = self._expected_tokens_per_word
        told = [each for each in self.all_tries if each.ask.words and each.answer.completion_tokens]
        words = sum(count_words(each.answer.text) for each in told)
        if words < _LEAST_MEASURED_WORDS:
            return expected
        measured = sum(each.answer.completion_tokens for each in told) / words
        # A model that writes much and says little shall not be given more for it.
        return min(max(measured, TOKENS_PER_WORD), expected * _MOST_OVER_EXPECTED)

    @cached_property
    def _expected_tokens_per_word(self) -> float:
        if self.goal.language:
            return _TOKENS_PER_WORD_UNKNOWN
        sample = self.passages.all[:_SAMPLED_PASSAGES]
        words = sum(passage.words for passage in sample)
        tokens = sum(estimate_tokens(passage.text) for passage in sample) * _REAL_SHARE_OF_ESTIMATE
        return min(max(tokens / max(words, 1), TOKENS_PER_WORD), _MOST_TOKENS_PER_WORD)

    # --- budget

    def can_afford(self, asks: Iterable[Ask], *, is_needed: bool = False) -> bool:
        """Return whether further tries stay within the budget of generated tokens.

        What is needed, because there is no summary without it, has a part of the budget for itself: a
        model that wrote too much at first shall not fail for one bad answer.
        """
        ideal = sum(self._expected_tokens(each.ask) for each in self._first_tries)
        wanted = sum(self._expected_tokens(ask) * self._made_of_ask for ask in asks)
        spent = self.cost.generated_tokens
        further = spent - sum(each.generated_tokens for each in self._first_tries)
        for_further = max(ideal * (self.limits.token_budget - 1), _LEAST_FURTHER_TOKENS)
        is_within = spent + wanted <= ideal + for_further
        return is_within or (is_needed and further + wanted <= for_further)

    @cached_property
    def _first_tries(self) -> Sequence[Try]:
        return [tries[0] for tries in self._by_slot.values()]

    @cached_property
    def _made_of_ask(self) -> float:
        """Return how many tokens came for each that was expected: an ask may allow for a short writer."""
        prose = [each for each in self.all_tries if each.ask.words and each.answer.text]
        asked = sum(self._expected_tokens(each.ask) for each in prose)
        made = sum(each.generated_tokens for each in prose)
        return min(max(made / asked, _YIELD[0]), _YIELD[1]) if asked else 1.0

    @cached_property
    def cost(self) -> Cost:
        return Cost(
            rounds=len(self.history),
            calls=len(self.all_tries),
            prompt_tokens=sum(each.answer.prompt_tokens for each in self.all_tries),
            generated_tokens=sum(each.generated_tokens for each in self.all_tries),
        )

    def _expected_tokens(self, ask: Ask) -> int:
        if ask.words:
            return math.ceil(ask.words * self.tokens_per_word)
        return math.ceil(ask.max_tokens * _STRUCTURED_SHARE)
