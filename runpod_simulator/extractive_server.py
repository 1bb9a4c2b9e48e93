"""The simulator's own models as an OpenAI-compatible server, in the place of vLLM.

    python -m runpod_simulator.extractive_server --port 8080

For workers of your own that call a model server beside them. Its errors have vLLM's texts.
"""

import asyncio
import json
import signal
from collections.abc import Callable
from typing import Any

import click
from aiohttp import web

from runpod_simulator.rules import ScenarioRules
from runpod_simulator.scenarios import UnknownScenario
from runpod_simulator.workers import MODELS, Manner, vllm
from runpod_simulator.workers.model import WritingModel

_CHAT_ROUTE = "/v1/chat/completions"
_LONGEST_BODY_BYTES = 64 * 1024 * 1024


class ExtractiveModel:
    """The server's routes; its settings may be changed while it runs."""

    def __init__(
        self,
        *,
        max_model_len: int = 32_768,
        kind: str = "extractive",
        rules: ScenarioRules | None = None,
        on_request: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self.model = WritingModel(kind=kind, max_model_len=max_model_len)
        self.rules = rules or ScenarioRules()  # of the group "model"; the others do nothing here
        self._on_request = on_request  # called with each body

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_LONGEST_BODY_BYTES)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.post(_CHAT_ROUTE, self._chat),
            ]
        )
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, _request: web.Request) -> web.Response:
        served = {
            "id": MODELS[self.model.kind],
            "object": "model",
            "max_model_len": self.model.max_model_len,
        }
        return web.json_response({"object": "list", "data": [served]})

    async def _chat(self, request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            return _refused(400, '{"error": {"message": "the body is not JSON", "code": 400}}')
        if not isinstance(body, dict):
            return _refused(400, '{"error": {"message": "the body is not an object", "code": 400}}')
        self._on_request(body)
        try:
            # In a thread: choosing sentences takes seconds, and other requests must not wait.
            answer = await asyncio.to_thread(
                self.model.complete,
                vllm.ModelRequest(route=_CHAT_ROUTE, body=body),
                self._manner(raw),
            )
        except vllm.ModelRefused as exc:
            return _refused(exc.status, exc.body)
        return web.json_response(answer)

    def _manner(self, body: bytes) -> Manner:
        return self.rules.choose(body, ())[1].manner


def _refused(status: int, body: str) -> web.Response:
    return web.Response(status=status, text=body, content_type="application/json")


@click.command()
@click.option("--port", default=0, help="Of 127.0.0.1; by default a free one.")
@click.option("--max-model-len", default=32_768, help="Tokens of prompt and answer together.")
@click.option("--model", "kind", default="extractive", type=click.Choice(list(MODELS)))
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    help="NAME, NAME=VALUE or NAME@SHARE, of the group model. Repeatable.",
)
@click.option("--seed", type=int, help="Decides which requests a share falls on.")
def main(
    port: int, max_model_len: int, kind: str, scenarios: tuple[str, ...], seed: int | None
) -> None:
    """Serve until a signal comes."""
    try:
        rules = ScenarioRules(scenarios, seed=seed)
    except UnknownScenario as exc:
        raise click.UsageError(str(exc)) from exc
    asyncio.run(_serve(ExtractiveModel(kind=kind, max_model_len=max_model_len, rules=rules), port))


async def _serve(model: ExtractiveModel, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(model.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    print(json.dumps({"url": url, "model": MODELS[model.model.kind]}), flush=True)
    await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    main()
