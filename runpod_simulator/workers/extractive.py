"""The default worker: a real summary without a model, made on this CPU, in worker-vllm's clothes.

It reads the request as a language model would have to: the last user message is the task, a block
`<transcript id="...">` … `</transcript id="...">` in it is the material, "about 4,000 words" is the length.
"""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from runpod_simulator.scenarios import context_length_body, worker_vllm_error
from runpod_simulator.workers import EXTRACTIVE_MODEL, WorkerResult, WorkItem, vllm

DEFAULT_WORDS = 400  # when nobody says how long
_DEFAULT_TEXT_TOKENS = 16  # vLLM's own default for /v1/completions: a trap worth keeping
_BAD_REQUEST, _NOT_FOUND = 400, 404
_HEADROOM = 0.97  # so that a text written to fit max_tokens is not cut

_OPENING = re.compile(r"<transcript\b[^<>]{0,300}>", re.IGNORECASE)
_CLOSING = re.compile(r"</transcript\b[^<>]{0,300}>", re.IGNORECASE)
_NUMBER_OF_WORDS = r"(\d{1,3}(?:[, \u00a0\u202f.]\d{3})+|\d{1,7})[\s-]+words?\b"
# "about 4,000 words" asks for a length; "the transcript has 10,000 words" may only state one.
_LENGTHS = (
    re.compile(rf"\babout\s+{_NUMBER_OF_WORDS}", re.IGNORECASE),
    re.compile(rf"(?<![\d.,]){_NUMBER_OF_WORDS}", re.IGNORECASE),
)


class ExtractiveWorker:
    def __init__(
        self, *, max_model_len: int, output_shape: str, model_name: str, max_workers: int
    ) -> None:
        self._max_model_len = max_model_len
        self._is_native = output_shape == "native"
        self._model_name = model_name
        self._threads = ThreadPoolExecutor(max(1, max_workers), thread_name_prefix="extractive")
        self._closing = threading.Event()

    async def run(self, item: WorkItem) -> WorkerResult:
        """Summarises in a thread; when the job is cancelled the thread stops at the next part."""
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

    def _answer(self, item: WorkItem, stopped: Any) -> WorkerResult:
        try:
            answer = self._completion(item, stopped)
        except vllm.BadInput as exc:
            return WorkerResult(error=worker_vllm_error(str(exc)))
        return WorkerResult(output=[vllm.to_native(answer) if self._is_native else answer])

    def _completion(self, item: WorkItem, stopped: Any) -> dict[str, Any]:
        request = vllm.parse_input(item.input)
        return complete(
            request,
            max_model_len=self._max_model_len,
            model_name=self._model_name,
            length_fraction=item.length_fraction,
            cut=item.cut,
            stopped=stopped,
        )


def complete(
    request: vllm.ModelRequest,
    *,
    max_model_len: int,
    model_name: str = "",
    length_fraction: float = 1.0,
    cut: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Write what was asked for, as vLLM's JSON. Once `stopped` says so, the rest is left out.

    Raises:
        BadInput: vLLM would refuse the request.
    """
    prompt = _Prompt(request)
    allowed = prompt.max_tokens
    if prompt.tokens + (allowed or 1) > max_model_len:
        body = context_length_body(max_model_len, prompt.tokens + (allowed or 0))
        raise vllm.ModelRefused(_BAD_REQUEST, body)
    text = _summary(prompt, allowed or max_model_len - prompt.tokens, length_fraction, stopped)
    finish_reason = "stop"
    if allowed and vllm.estimated_tokens(text) > allowed:
        text = vllm.first_words(text, int(allowed / vllm.TOKENS_PER_WORD))
        finish_reason = "length"
    if cut:
        text, finish_reason = vllm.cut_in_mid_sentence(text), "length"
    return vllm.completion(
        request,
        text,
        model=model_name or EXTRACTIVE_MODEL,
        finish_reason=finish_reason,
        prompt_tokens=prompt.tokens,
    )


class _Prompt:
    """The task in a request: what to summarise, how long, within how many tokens."""

    def __init__(self, request: vllm.ModelRequest) -> None:
        self._system, self._user = _texts(request)
        self.tokens = vllm.estimated_tokens(f"{self._system} {self._user}")
        self.max_tokens = _max_tokens(request)
        opening = _OPENING.search(self._user)
        closings = list(_CLOSING.finditer(self._user, opening.end())) if opening else []
        self._start, self._end = 0, 0
        if opening and closings:
            self._start, self._end = opening.start(), closings[-1].end()
            self.material = self._user[opening.end() : closings[-1].start()]
        else:
            self.material = self._user

    @property
    def words_wanted(self) -> int:
        """The last length asked for before the material, else after it, else by the system message."""
        places = (
            (self._user[: self._start], self._user[self._end :], self._system)
            if self._end
            else (self._system, self._user)
        )
        for place in places:
            for length in _LENGTHS:
                if found := length.findall(place):
                    return int(re.sub(r"\D", "", found[-1]))
        return DEFAULT_WORDS


def _summary(prompt: _Prompt, tokens: int, length_fraction: float, stopped: Any) -> str:
    from runpod_simulator.workers.summary import summarise  # noqa: PLC0415  (sumy brings NLTK: a second to import)

    fitting = int(tokens / vllm.TOKENS_PER_WORD * _HEADROOM)
    words = int(min(prompt.words_wanted, fitting) * length_fraction)
    return summarise(prompt.material, max(words, 1), stopped)


def _texts(request: vllm.ModelRequest) -> tuple[str, str]:
    """What the system messages say, and the last user message."""
    if not request.is_chat:
        prompt = request.body.get("prompt")
        if not isinstance(prompt, str):
            raise vllm.ModelRefused(_NOT_FOUND, '{"detail":"Not Found"}')
        return "", prompt
    messages = request.body.get("messages")
    said = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    system = " ".join(_content(one) for one in said if one.get("role") == "system")
    user = [_content(one) for one in said if one.get("role") == "user"]
    if not user:
        body = '{"error": {"message": "messages: a user message is required.", '
        body += '"type": "BadRequestError", "param": null, "code": 400}}'
        raise vllm.ModelRefused(_BAD_REQUEST, body)
    return system, user[-1]


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _max_tokens(request: vllm.ModelRequest) -> int | None:
    given = request.body.get("max_tokens", request.body.get("max_completion_tokens"))
    if given is None:
        return None if request.is_chat else _DEFAULT_TEXT_TOKENS
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        body = '{"error": {"message": "max_tokens must be at least 1.", '
        body += '"type": "BadRequestError", "param": "max_tokens", "code": 400}}'
        raise vllm.ModelRefused(_BAD_REQUEST, body)
    return given
