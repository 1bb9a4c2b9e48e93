"""The asks themselves: what each kind of call reads, and is told to write. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from core.summaries import instructions
from core.summaries.asks import WRITTEN, Ask, AskKind, Block
from core.summaries.messages import frame_tokens, prompt_tokens
from core.summaries.outline import Outline
from core.summaries.passages import Range
from core.summaries.progress import Progress
from core.summaries.rounds import Plan, Slot
from core.summaries.schemas import OUTLINE, ledger_format
from core.summaries.tokens import estimate_tokens

_BEFORE_PASSAGES = 3
_BEFORE_TOKENS = 250
_OUTLINE_TOKENS = (400, 110)  # room of its answer: and so many more for each topic
_LEDGER_TOKENS = (150, 130)  # and so many more for each entry
_LEAST_ANSWER_SHARE = 0.6  # an answer whose room is smaller is not worth its prompt
# As core/summaries/schemas.py has them, for endpoints that don't constrain decoding.
_SHAPES = {
    "decisions": '[{"what": "...", "who": "...", "why": "...", "turn": 1, "reverses_turn": null}]',
    "actions": '[{"owner": "...", "what": "...", "due": "...", "turn": 1}]',
    "questions": '[{"what": "...", "who": "...", "turn": 1, "answered_at_turn": null}]',
    "quotes": '[{"turn": 1, "words": "..."}]',
}


@dataclass(frozen=True)
class Asker:
    """Writes asks. Whatever is the same for all asks of a job, stands first in each."""

    progress: Progress
    plan: Plan

    def outline(self, topics: int, notes: Sequence[Block], fault: str = "") -> Ask:
        passages = self.progress.passages
        whole: tuple[Range, ...] = ((1, passages.last),)
        base, per_topic = _OUTLINE_TOKENS
        return self._ask(
            AskKind.OUTLINE,
            "outline",
            "outline",
            {
                "transcript_words": f"{passages.words:,}",
                "material": "as notes taken of it" if notes else "as a transcript",
                "topics": str(topics),
                "heading_keys": ", ".join(f'"{name}": "..."' for name in self._headings),
                "headings_rule": self._headings_rule,
                "language_rule": self._language_rule(None),
            },
            fault=fault,
            passages=() if notes else whole,
            about=whole,
            blocks=notes,
            max_tokens=min(base + per_topic * topics, self.progress.limits.max_tokens),
            response_format=OUTLINE,
        )

    def section(
        self,
        slot: Slot,
        outline: Outline,
        *,
        words: int,
        parts: int = 1,
        part: int = 1,
        notes: Sequence[Block] = (),
        so_far: str = "",
        fault: str = "",
    ) -> Ask:
        before = () if notes else self._before(slot.about)
        further = [Block(tag=WRITTEN, text=so_far)] if so_far else []
        rules = [*([_BEFORE_RULE] if before else ()), *([_SO_FAR_RULE] if so_far else ())]
        ask = self._ask(
            AskKind.SECTION,
            slot.name,
            "section",
            {
                "topic": str(slot.topic),
                "part_rule": f" (part {part} of {parts} of it)" if parts > 1 else "",
                "source": "these notes" if notes else "these turns",
                "words": f"{words:,}",
                "further_rules": "\n".join(rules),
                "language_rule": self._language_rule(outline),
            },
            fault=fault,
            passages=() if notes else slot.about,
            before=before,
            about=slot.about,
            blocks=[Block(tag="outline", text=outline_text(outline)), *notes, *further],
            words=words,
            max_tokens=self.progress.answer_tokens(words),
        )
        return replace(ask, adds_to=bool(so_far))

    def ledger(
        self, slot: Slot, *, entries: int, notes: Sequence[Block] = (), fault: str = ""
    ) -> Ask:
        is_whole = slot.about == ((1, self.progress.passages.last),)
        rules = instructions.register_rules(self.progress.goal.prompts)
        base, per_entry = _LEDGER_TOKENS
        room = base + per_entry * entries * len(slot.registers)
        return self._ask(
            AskKind.LEDGER,
            slot.name,
            "ledger",
            {
                "stretch": "all" if is_whole else "a part",
                "shape": ", ".join(f'"{name}": {_SHAPES[name]}' for name in slot.registers),
                "registers": "\n".join(f"- {name}: {rules[name]}" for name in slot.registers),
                "entries": str(entries),
                "language_rule": self._language_rule(self.plan.outline),
            },
            fault=fault,
            passages=() if notes else slot.about,
            about=slot.about,
            blocks=notes,
            max_tokens=min(room, self.progress.limits.max_tokens),
            response_format=ledger_format(slot.registers),
        )

    def overview(self, outline: Outline, text: str, *, words: int, fault: str = "") -> Ask:
        passages = self.progress.passages
        speakers = "\n".join(passages.speakers[:40]) or "not named in the transcript"
        blocks = [Block(tag="speakers", text=speakers), Block(tag="sections", text=text)]
        return self._ask(
            AskKind.OVERVIEW,
            "overview",
            "overview",
            {
                "transcript_words": f"{passages.words:,}",
                "words": f"{words:,}",
                "language_rule": self._language_rule(outline),
            },
            fault=fault,
            about=((1, passages.last),),
            blocks=blocks,
            words=words,
            max_tokens=self.progress.answer_tokens(words),
        )

    def notes(
        self, slot: Slot, *, part: int, parts: int, of: Sequence[Block] = (), fault: str = ""
    ) -> Ask:
        return self._ask(
            AskKind.NOTES,
            slot.name,
            "notes",
            {
                "part": str(part),
                "parts": str(parts),
                "material": "as notes taken of it" if of else "as a transcript",
                "words": f"{slot.words:,}",
                "language_rule": self._language_rule(None),
            },
            fault=fault,
            passages=() if of else slot.about,
            about=slot.about,
            blocks=of,
            words=slot.words,
            max_tokens=self.progress.answer_tokens(slot.words),
        )

    def single(self, *, words: int, fault: str = "") -> Ask:
        passages = self.progress.passages
        whole: tuple[Range, ...] = ((1, passages.last),)
        return self._ask(
            AskKind.SINGLE,
            "single",
            "single",
            {
                "transcript_words": f"{passages.words:,}",
                "words": f"{words:,}",
                "language_rule": self._language_rule(None),
            },
            fault=fault,
            passages=whole,
            about=whole,
            words=words,
            max_tokens=self.progress.answer_tokens(words),
        )

    def overhead(self, ask: Ask) -> int:
        """Return what an ask's prompt costs beside the material of its passages."""
        return frame_tokens(ask) + sum(estimate_tokens(block.text) for block in ask.blocks)

    def fits(self, ask: Ask) -> bool:
        needed = prompt_tokens(ask, self.progress.passages) + ask.max_tokens
        return needed <= self.progress.context_tokens

    def _ask(
        self,
        kind: AskKind,
        slot: str,
        prompt: str,
        values: Mapping[str, str],
        *,
        fault: str,
        blocks: Sequence[Block] = (),
        **fields: Any,
    ) -> Ask:
        prompts = self.progress.goal.prompts
        told = instructions.filled(prompts, prompt, values)
        if fault:
            told = f"{told}\n\n{instructions.mend_note(prompts, fault)}"
        tries = self.progress.tries(slot)
        if tries and tries[-1].answer.failure and not tries[-1].overflowed:
            fields["response_format"] = ""  # what made it fail, perhaps
        attempt = len(tries) + 1
        ask = Ask(
            name=slot if attempt == 1 else f"{slot}-try{attempt}",
            slot=slot,
            kind=kind,
            blocks=(*self._names, *blocks),
            system=self._system,
            instructions=told,
            seed=attempt,
            boundary=self.progress.goal.boundary,
            **fields,
        )
        return self._within_context(ask)

    def _within_context(self, ask: Ask) -> Ask:
        """Take from what can be spared where a prompt has become longer than was planned for."""
        if self.fits(ask):
            return ask
        ask = replace(ask, before=())
        room = self.progress.context_tokens - prompt_tokens(ask, self.progress.passages)
        least = int(ask.max_tokens * _LEAST_ANSWER_SHARE)
        return replace(ask, max_tokens=max(least, min(room, ask.max_tokens)))

    @cached_property
    def _system(self) -> str:
        goal = self.progress.goal
        return instructions.filled(goal.prompts, "system", {"boundary": goal.boundary})

    @cached_property
    def _headings(self) -> Mapping[str, str]:
        return instructions.headings(self.progress.goal.prompts)

    @property
    def _headings_rule(self) -> str:
        named = ", ".join(f"{name}: {heading}" for name, heading in self._headings.items())
        return f"these, translated into that language ({named}); {{}} if it is the language they are in."

    @cached_property
    def _names(self) -> tuple[Block, ...]:
        glossary = self.progress.goal.glossary
        if glossary.is_empty:
            return ()
        names = dict.fromkeys((*glossary.names, *(name for _, name in glossary.speakers)))
        return (Block(tag="names", text="\n".join(names)),)

    def _language_rule(self, outline: Outline | None) -> str:
        if self.progress.goal.language:
            return (
                f"Write in {self.progress.goal.language}, whatever language the transcript is in."
            )
        if outline and outline.language:
            return f"Write in {outline.language}."
        return "Write in the language that most of the transcript is in."

    def _before(self, about: Sequence[Range]) -> tuple[Range, ...]:
        """Return the few passages before the first, for the model to understand how it begins."""
        first = about[0][0] if about else 1
        begin, tokens = first, 0
        while begin > max(1, first - _BEFORE_PASSAGES):
            tokens += self.progress.passages[begin - 1].tokens
            if tokens > _BEFORE_TOKENS:
                break
            begin -= 1
        return ((begin, first - 1),) if begin < first else ()


_BEFORE_RULE = (
    "The block called before holds the turns just before these, so that you understand how they begin;\n"
    "they are told elsewhere."
)
_SO_FAR_RULE = (
    "The block called written holds what the section has already. It stands as it is: write only further\n"
    "paragraphs, of what these turns hold and it leaves out, as long as was said above."
)


def outline_text(outline: Outline) -> str:
    """Return an outline as other calls are shown it."""
    topics = (
        f"{number}. {topic.title} (turns {_shown(topic.passages)})"
        for number, topic in enumerate(outline.topics, 1)
    )
    return "\n".join((outline.title, *topics))


def _shown(ranges: Iterable[Range]) -> str:
    shown = [f"{first}-{last}" if first < last else str(first) for first, last in ranges]
    return ", ".join([*shown[:6], "…"] if len(shown) > 6 else shown)  # noqa: PLR2004
