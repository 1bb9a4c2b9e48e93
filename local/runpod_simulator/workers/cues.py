"""Which sentences sound like a decision, an action item, an open question or a good quotation.

Cue phrases only, in English. They find what people say outright, not what they imply.
"""

import re
from collections.abc import Sequence

from .transcript import Sentence

Cues = list[tuple[float, re.Pattern[str]]]


def _cues(by_weight: dict[float, tuple[str, ...]]) -> Cues:
    return [
        (weight, re.compile("|".join(rf"\b(?:{one})" for one in phrases), re.IGNORECASE))
        for weight, phrases in by_weight.items()
    ]


_DECISIONS = _cues(
    {
        3: (
            r"we(?:'ve| have|'re)? (?:all |both |just |now |already )?(?:decided|agreed|chosen|settled)\b",
            r"(?:it (?:was|is|has been)|it's been|that's|that (?:was|is)) (?:decided|agreed|approved)\b",
            r"(?:the|our|my|final) decision (?:is|was|to)\b",
            r"motion (?:is |was )?(?:carried|agreed|adopted)\b",
            r"(?:we'll|we will|let's|we're going to) (?:go|stick|settle) (?:with|for|on)\b",
        ),
        2: (
            r"(?:taken|made) (?:a|the|that) decision\b",
            r"decided (?:to|that|on|not|against)\b",
            r"we(?:'re| are) (?:not )?going to (?:use|keep|drop|introduce|roll out|launch|stop|start)\b",
        ),
        1: (r"approved\b", r"rejected\b", r"ruled out\b", r"signed off\b", r"resolved to\b"),
    }
)
_WILL = r"(?:I'll|I will|we'll|we will|I can|I'm going to) (?:\w+ )?"
_ASKS = r"(?:can|could|will|would) you (?:please )?(?:\w+ )?"
_PERIOD = r"(?:week|month|year|summer|autumn|winter|spring|term|day|meeting)"
_ACTIONS = _cues(
    {
        4: (r"action (?:item|point)s?\b", r"next steps? (?:is|are|will)\b", r"to-?do list\b"),
        3: (
            _WILL
            + r"(?:send|write to|provide|prepare|circulate|check|find out|follow up|get back)\b",
            _WILL
            + r"(?:come back to (?:you|the)|share|draft|arrange|look into|raise|report back)\b",
            _WILL + r"(?:set up|talk to|finish|bring)\b",
            _ASKS + r"(?:send|write|provide|prepare|check|find|share|draft|update)\b",
        ),
        2: (
            rf"by (?:next|this|the end of (?:the|this|next)) {_PERIOD}\b",
            r"by (?:(?:next )?(?:mon|tues|wednes|thurs|fri)day|tomorrow|tonight)\b",
            r"(?:we|you|I|they) (?:need|have|ought) to (?:make sure|ensure|look at|find|work on)\b",
            r"(?:we|you|I|they) (?:need|have|ought) to (?:decide|test|send|get)\b",
        ),
        1.5: (r"(?:we|you) (?:should|must) (?:now |also |really )?\w+",),
        1: (
            r"please (?:send|check|make|let|bring|prepare|read|look|fill)\b",
            r"make sure (?:that )?(?:we|you|they)\b",
        ),
    }
)
_WHAT = r"(?:if|whether|what|how|why|when|where|who)"
_UNKNOWNS = _cues(
    {
        3: (
            r"(?:open question|unresolved|remains? to be seen|yet to be)\b",
            r"still (?:unclear|open|to be decided)\b",
            rf"(?:we|they|nobody|no one) (?:still )?(?:don't|do not|doesn't) (?:yet )?know {_WHAT}\b",
            rf"I (?:still )?(?:don't|do not) (?:yet )?know (?!if (?:you|any)){_WHAT}\b",
        ),
        2.5: (rf"not (?:yet )?(?:sure|clear|certain) (?:{_WHAT}|about)\b",),
        2: (
            r"(?:to be (?:confirmed|determined)|up in the air|it depends on)\b",
            r"question (?:is|remains|of) (?:whether|how|if)\b",
        ),
        1.5: (r"(?:I|we) wonder (?:if|whether|how|what)\b",),
    }
)
_QUOTES = _cues(
    {
        2: (
            r"(?:most important|crucial|critical|vital|fundamental|the key|huge|enormous)\b",
            r"(?:never|extraordinary|the truth is|to be honest|frankly)\b",
            r"I (?:really |firmly |truly |do )?(?:believe|love|hate|hope|worry|fear)\b",
        ),
        1.5: (
            r"(?:proud|disappoint\w+|frustrat\w+|concern(?:ed|ing)|worr(?:ied|ying))\b",
            r"(?:excit\w+|unacceptable|brilliant|afraid)\b",
        ),
        1: (r"\d[\d,.]*\s?(?:%|per ?cent|million|billion|thousand)",),
        0.5: (r"(?:always|absolutely|everyone|nobody|every single)\b",),
    }
)
_EVASIONS = re.compile(
    r"\b(?:don't know|do not know|not sure|can't (?:say|tell|answer)|cannot say|no idea|depends"
    r"|come back to you|have to (?:check|look|find out|see)|good question|hard to say|too early)\b",
    re.IGNORECASE,
)
_CLEAR = 2
_QUESTION_MIN_WORDS, _QUOTE_WORDS = 7, range(10, 38)


def decision_score(sentence: Sentence) -> float:
    score = _score(_DECISIONS, sentence)
    return score if score >= _CLEAR and not sentence.is_question else 0.0


def action_score(sentence: Sentence) -> float:
    score = _score(_ACTIONS, sentence)
    return score if score >= _CLEAR else 0.0  # "we should" alone is an opinion


def open_question_score(sentence: Sentence, following: Sequence[Sentence]) -> float:
    """High when the speaker says it is not known, or asks and the reply is evasive or missing."""
    score = _score(_UNKNOWNS, sentence)
    if sentence.is_question and sentence.word_count >= _QUESTION_MIN_WORDS:
        reply = [other for other in following if other.turn > sentence.turn][:3]
        if not reply or any(_EVASIONS.search(other.text) for other in reply):
            score += _CLEAR
    return score


def quote_score(sentence: Sentence) -> float:
    if sentence.is_question or sentence.word_count not in _QUOTE_WORDS:
        return 0.0
    return _score(_QUOTES, sentence)


def _score(cues: Cues, sentence: Sentence) -> float:
    text = sentence.text.replace("\u2019", "'")
    return sum(weight for weight, cue in cues if cue.search(text))
