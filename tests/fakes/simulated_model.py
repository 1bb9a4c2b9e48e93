"""The simulator's models behind the engine's asks, without a server."""

from dataclasses import dataclass, field

from core.jobs.decide import CUT
from core.summaries.asks import CONTEXT_LENGTH, Answer, Ask, answer_of
from core.summaries.messages import chat_request
from core.summaries.options import SummaryOptions
from core.summaries.passages import Passages
from runpod_simulator.workers import AS_ASKED, Manner, vllm
from runpod_simulator.workers.model import WritingModel


@dataclass(frozen=True, kw_only=True)
class SimulatedModel:
    options: SummaryOptions
    model: WritingModel = field(default_factory=WritingModel)
    manner: Manner = AS_ASKED

    def answer(self, ask: Ask, passages: Passages) -> Answer:
        body = chat_request(ask, passages, self.options)
        request = vllm.ModelRequest(route="/v1/chat/completions", body=body)
        try:
            answered = self.model.complete(request, self.manner)
        except vllm.ModelRefused:
            return Answer(failure=CONTEXT_LENGTH)
        return answer_of(
            vllm.text_of(answered),
            was_cut=answered["choices"][0]["finish_reason"] == CUT,
            prompt_tokens=answered["usage"]["prompt_tokens"],
            completion_tokens=answered["usage"]["completion_tokens"],
        )
