"""A worker that calls a real model: any server with OpenAI's API (Ollama, llama.cpp, vLLM)."""

from typing import Any

import aiohttp

from runpod_simulator.scenarios import worker_vllm_error
from runpod_simulator.workers import WorkerResult, WorkItem, vllm


class OpenAIWorker:
    def __init__(
        self, *, base_url: str, key: str, model_name: str, timeout_seconds: float, output_shape: str
    ) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model_name = model_name
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._is_native = output_shape == "native"
        self._session: aiohttp.ClientSession | None = None

    async def run(self, item: WorkItem) -> WorkerResult:
        try:
            request = vllm.parse_input(item.input)
            answer = await self._complete(request)
        except vllm.BadInput as exc:
            return WorkerResult(error=worker_vllm_error(str(exc)))
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            return WorkerResult(
                error=worker_vllm_error(f"Request to vLLM failed: {exc or type(exc).__name__}")
            )
        return WorkerResult(output=[self._shaped(answer, item)])

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _complete(self, request: vllm.ModelRequest) -> dict[str, Any]:
        """
        Raises:
            BadInput: the server refused; worker-vllm quotes its status and body.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        body = request.body | {"stream": False}
        if self._model_name:
            body["model"] = self._model_name
        async with self._session.post(
            self._base_url + request.route, json=body, headers=self._headers
        ) as response:
            if response.status >= 400:  # noqa: PLR2004
                raise vllm.BadInput(
                    f"vLLM returned HTTP {response.status}: {await response.text()}"
                )
            answer = await response.json(content_type=None)
        if not isinstance(answer, dict):
            raise ValueError("the model server's answer is not a JSON object")  # noqa: TRY004  (it is about what was received)
        return answer

    def _shaped(self, answer: dict[str, Any], item: WorkItem) -> dict[str, Any]:
        answer = vllm.with_faults(answer, item.manner)
        return vllm.to_native(answer) if self._is_native and answer.get("choices") else answer
