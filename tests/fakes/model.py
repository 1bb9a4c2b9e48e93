"""A model that is only its habits: how many words it writes of those requested, and where it is cut off."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.jobs.callback import CallRef
from tests.builders import completed_body, failed_body

REQUESTED_WORDS = re.compile(r"about ([\d,]+) words")
MARKER = re.compile(r"MARK\d+")
BLOCK = re.compile(r'<transcript id="(\w+)">\n(.*)\n</transcript id="\1">', re.S)


class PromptTooLong(Exception):
    """The prompt does not fit the model's context."""


@dataclass
class FakeModel:
    """Writes so many words as are requested, more or less, and names the markers it has read."""

    share_written: float = 1.0  # of the words that are requested
    tokens_per_word: float = 1.4
    context_tokens: int = 10**9
    requested_words: list[int] = field(default_factory=list)

    def write(self, chat: Mapping[str, Any]) -> tuple[str, str]:
        """Return the text that answers a chat request, and its finish reason."""
        prompt = chat["messages"][1]["content"]
        words = int(REQUESTED_WORDS.findall(prompt)[-1].replace(",", ""))
        self.requested_words.append(words)
        read = BLOCK.search(prompt)
        assert read is not None
        if len(prompt.split()) * 1.3 > self.context_tokens:
            raise PromptTooLong(
                f"This model's maximum context length is {self.context_tokens} tokens."
            )
        markers = list(dict.fromkeys(MARKER.findall(read[2])))
        wanted = max(round(words * self.share_written), 1)
        fits = int(chat["max_tokens"] / self.tokens_per_word)
        text = " ".join([*markers, *["word"] * max(min(wanted, fits) - len(markers), 0)])
        return text, "length" if wanted > fits else "stop"

    def answer(self, request: Mapping[str, Any], runpod_id: str) -> dict[str, Any]:
        """Return what RunPod posts when the model has answered a request."""
        try:
            text, reason = self.write(request["input"]["openai_input"])
        except PromptTooLong as exc:
            return failed_body(f"vLLM returned HTTP 400: {exc}", id=runpod_id)
        return completed_body(text, finish_reason=reason, id=runpod_id)


def ref_of(body: Mapping[str, Any]) -> CallRef:
    *_, job_id, call_id, attempt, _token = body["webhook"].split("/")
    return CallRef(job_id, call_id, int(attempt))


def a_transcript(words: int, *, markers: int = 50) -> str:
    """Return turns of about forty words, with marker facts spread over them."""
    turns = []
    count = max(words // 40, 1)
    every = max(count // markers, 1)
    for turn in range(count):
        mark = f"MARK{turn // every}" if turn % every == 0 else "then"
        turns.append(
            f"{('Mara', 'Ilse', 'Joris')[turn % 3]}: {mark} " + "we spoke of pumps. " * 9 + "Yes."
        )
    return "\n".join(turns)
