"""The bad habits of models, for the engine's asks: they are those of the simulator's models.

A habit is given an ask and the sound answer, and returns what the model writes instead, or None where it
writes the sound one.
"""

from collections.abc import Callable, Mapping

from core.summaries.asks import Ask
from runpod_simulator.workers import habits
from runpod_simulator.workers.habits import GERMAN, INVENTED, LOOP, REFUSAL

__all__ = ["GERMAN", "HABITS", "INVENTED", "LOOP", "REFUSAL", "Habit"]

Habit = Callable[[Ask, str], str | None]

refusing: Habit = habits.HABITS["refusal"]
looping: Habit = habits.HABITS["loop"]
repeating_the_prompt: Habit = habits.HABITS["prompt-repeated"]
speaking_german: Habit = habits.HABITS["other-language"]
thinking_only: Habit = habits.HABITS["endless-reasoning"]
thinking_first: Habit = habits.HABITS["reasoning"]
headings_only: Habit = habits.HABITS["headings-only"]
silent: Habit = habits.HABITS["no-text"]
fencing: Habit = habits.HABITS["fence"]
chatting: Habit = habits.HABITS["preface"]
own_headings: Habit = habits.HABITS["wrong-headings"]
breaking_json: Habit = habits.HABITS["malformed-json"]
cutting_json: Habit = habits.HABITS["unfinished-json"]
altering_quotes: Habit = habits.HABITS["altered-quotes"]
altering_figures: Habit = habits.HABITS["altered-figures"]
inventing_turns: Habit = habits.HABITS["wrong-turns"]
citing_nothing: Habit = habits.HABITS["no-citations"]
_skipping_half: Habit = habits.HABITS["skipped-half"]


def skipping_half(ask: Ask, text: str) -> str | None:
    """Write only the first half of what was to be told, but all of what goes on with it."""
    return None if ask.adds_to else _skipping_half(ask, text)


HABITS: Mapping[str, Habit] = {
    "declines": refusing,
    "says one sentence again and again": looping,
    "gives our prompt back": repeating_the_prompt,
    "writes in another language": speaking_german,
    "thinks aloud and never answers": thinking_only,
    "thinks aloud first": thinking_first,
    "writes headings and nothing beneath": headings_only,
    "answers nothing": silent,
    "puts all of it into a fence": fencing,
    "adds a preface and a closing remark": chatting,
    "adds headings of its own": own_headings,
    "breaks off its JSON at once": breaking_json,
    "breaks off its JSON late": cutting_json,
    "alters and invents quotes": altering_quotes,
    "alters figures": altering_figures,
    "cites turns that there are not": inventing_turns,
    "cites nothing": citing_nothing,
    "skips half": skipping_half,
}
