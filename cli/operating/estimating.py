"""What a summary would take, by the engine itself with a model that obeys.

The simulator's writer answers in the transcript's own sentences, as long as it is asked to. A real model
does worse: it is asked again where its answers are too short, within the budget of tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.endpoint.catalogue import catalogue
from cli.endpoint.gpu_time import gpu_seconds
from core.summaries.asks import Answer, Ask, answer_of
from core.summaries.engine import next_round
from core.summaries.glossary import Glossary
from core.summaries.goals import WritingLimits, goal_of
from core.summaries.messages import chat_request, prompt_tokens
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from core.summaries.rounds import GivenUp, PastRound, Round, in_words
from runpod_simulator.workers import vllm
from runpod_simulator.workers.extractive import by_chance
from runpod_simulator.workers.prompt import read_prompt

_BOUNDARY = "0" * 32  # in place of the job's id
_HEADROOM = 0.97  # so that a text written to fit max_tokens is not cut


@dataclass(frozen=True, kw_only=True)
class RoundTaken:
    asks: str  # "16 sections and 4 lists"
    calls: int
    prompt_tokens: int  # an upper estimate
    written_tokens: int


@dataclass(frozen=True, kw_only=True)
class Price:
    """What it would cost on one way to serve the model, alone on a worker that is up."""

    variant: str
    gpus: str
    seconds: float
    dollars: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    words: int
    rounds: tuple[RoundTaken, ...]
    prices: tuple[Price, ...]
    trouble: str = ""  # why no summary can be made of it

    @property
    def calls(self) -> int:
        return sum(each.calls for each in self.rounds)

    @property
    def prompt_tokens(self) -> int:
        return sum(each.prompt_tokens for each in self.rounds)

    @property
    def written_tokens(self) -> int:
        return sum(each.written_tokens for each in self.rounds)


def estimate(
    passages: Passages,
    options: SummaryOptions,
    limits: WritingLimits,
    *,
    profile: str,
    glossary: Glossary,
) -> Estimate:
    """Drive the engine to its end, and add up what that takes."""
    goal = goal_of(options, passages.words, boundary=_BOUNDARY, glossary=glossary)
    history: list[PastRound] = []
    while isinstance(step := next_round(passages, goal, limits, history), Round):
        answers = {ask.name: _obeyed(ask, passages, options) for ask in step.asks}
        history.append(PastRound(round=step, answers=answers))
    return Estimate(
        words=goal.words,
        rounds=tuple(map(_taken, history)),
        prices=tuple(_prices(history, passages, profile)),
        trouble=step.message if isinstance(step, GivenUp) else "",
    )


def _obeyed(ask: Ask, passages: Passages, options: SummaryOptions) -> Answer:
    # Imported late, as the simulator does: what finds sentences takes half a second to import.
    from runpod_simulator.workers.writer import write  # noqa: PLC0415

    chat = chat_request(ask, passages, options)
    prompt = read_prompt(
        vllm.parse_input({"openai_route": "/v1/chat/completions", "openai_input": chat})
    )
    most = int(ask.max_tokens / vllm.TOKENS_PER_WORD * _HEADROOM)
    text = write(prompt, max(1, min(prompt.words, most)), by_chance(prompt, seed=1))
    return answer_of(
        text,
        prompt_tokens=prompt_tokens(ask, passages),
        completion_tokens=vllm.estimated_tokens(text),
    )


def _taken(past: PastRound) -> RoundTaken:
    answers = past.answers.values()
    return RoundTaken(
        asks=in_words(past.answers),
        calls=len(past.answers),
        prompt_tokens=sum(each.prompt_tokens for each in answers),
        written_tokens=sum(each.completion_tokens for each in answers),
    )


def _prices(history: Sequence[PastRound], passages: Passages, profile: str) -> list[Price]:
    held = catalogue()
    prices = []
    for name, variant in held.variants[profile].items():
        if variant.pace is None:
            continue
        pool = held.pools[variant.pace.pool]
        seconds = gpu_seconds(history, passages, variant.pace)
        dollars = seconds * pool.dollars_per_second * variant.gpus_per_worker
        prices.append(Price(variant=name, gpus=pool.gpus, seconds=seconds, dollars=dollars))
    return prices
