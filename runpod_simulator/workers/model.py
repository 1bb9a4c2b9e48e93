"""The two models that the simulator has: they answer chat requests on this CPU, in worker-vllm's clothes.

`extractive` obeys: it writes what it is asked for in the transcript's own sentences. `llm-like` chooses its
sentences by chance, and like open models never writes much more than some 1,600 words at once. Both can be
given the habits of models: habits.py.
"""

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from runpod_simulator.scenarios import context_length_body, worker_vllm_error
from runpod_simulator.workers import AS_ASKED, MODELS, Manner, WorkerResult, WorkItem, vllm
from runpod_simulator.workers.extractive import by_centrality, by_chance
from runpod_simulator.workers.habits import with_habits
from runpod_simulator.workers.prompt import Prompt, read_prompt

_BAD_REQUEST = 400
_HEADROOM = 0.97  # so that a text written to fit max_tokens is not cut
_MOST_WORDS = {"llm-like": 1_600.0}  # that are written at once, more or less
_MORE_OR_LESS = (0.7, 1.3)


@dataclass(frozen=True, kw_only=True)
class WritingModel:
    kind: str = "extractive"  # or llm-like
    name: str = ""  # that its answers have; "": its own
    max_model_len: int = 32_768  # tokens of prompt and answer together
    seed: int = 0

    def complete(
        self,
        request: vllm.ModelRequest,
        manner: Manner = AS_ASKED,
        stopped: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Write what was asked for, as vLLM's JSON; anything, once `stopped` says that nobody waits.

        Raises:
            BadInput: vLLM would refuse the request.
        """
        prompt = read_prompt(request)
        allowed = prompt.max_tokens
        if prompt.tokens + (allowed or 1) > self.max_model_len:
            body = context_length_body(self.max_model_len, prompt.tokens + (allowed or 0))
            raise vllm.ModelRefused(_BAD_REQUEST, body)
        words = self._words(prompt, allowed or self.max_model_len - prompt.tokens, manner)
        text = with_habits(prompt, self._sound_text(prompt, words, stopped), manner.habits)
        finish_reason = "stop"
        if allowed and vllm.estimated_tokens(text) > allowed:
            text = vllm.first_words(text, int(allowed / vllm.TOKENS_PER_WORD))
            finish_reason = "length"
        if manner.cut:
            text, finish_reason = vllm.cut_in_mid_sentence(text), "length"
        return vllm.completion(
            request,
            text,
            model=self.name or MODELS[self.kind],
            finish_reason=finish_reason,
            prompt_tokens=prompt.tokens,
        )

    def _sound_text(self, prompt: Prompt, words: int, stopped: Callable[[], bool]) -> str:
        # Imported late: sentencex and sumy take a second, which a simulator without jobs need not wait for.
        from runpod_simulator.workers.writer import write  # noqa: PLC0415

        is_like_a_model = self.kind == "llm-like"
        ranking = by_chance(prompt, self.seed) if is_like_a_model else by_centrality(stopped)
        return write(prompt, words, ranking)

    def _words(self, prompt: Prompt, tokens: int, manner: Manner) -> int:
        words = prompt.words * manner.length_fraction
        if most := manner.most_words or _MOST_WORDS.get(self.kind, 0.0):
            rng = random.Random(f"{self.seed} {prompt.seed} {prompt.instructions}")  # noqa: S311 (alike each time)
            words = min(words, most * rng.uniform(*_MORE_OR_LESS))
        fitting = tokens / vllm.TOKENS_PER_WORD * _HEADROOM * max(1.0, manner.length_fraction)
        return max(1, int(min(words, fitting)))


class ModelWorker:
    """A worker with a model of the simulator's own."""

    def __init__(self, model: WritingModel, *, output_shape: str, max_workers: int) -> None:
        self._model = model
        self._is_native = output_shape == "native"
        self._threads = ThreadPoolExecutor(max(1, max_workers), thread_name_prefix="model")
        self._closing = threading.Event()

    async def run(self, item: WorkItem) -> WorkerResult:
        """Write in a thread: choosing sentences takes seconds, and other requests must not wait."""
        cancelled = threading.Event()

        def stopped() -> bool:
            return cancelled.is_set() or self._closing.is_set()

        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._answer, item, stopped
            )
        finally:
            cancelled.set()

    async def close(self) -> None:
        self._closing.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _answer(self, item: WorkItem, stopped: Callable[[], bool]) -> WorkerResult:
        try:
            request = vllm.parse_input(item.input)
            answer = self._model.complete(request, item.manner, stopped)
        except vllm.BadInput as exc:
            return WorkerResult(error=worker_vllm_error(str(exc)))
        return WorkerResult(output=[vllm.to_native(answer) if self._is_native else answer])
