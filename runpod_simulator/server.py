"""Starts and stops the simulator inside a running event loop."""

from aiohttp import web

from runpod_simulator.api import application
from runpod_simulator.config import Config
from runpod_simulator.endpoint import Endpoint
from runpod_simulator.worker_api import worker_environment


class Server:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.endpoint = Endpoint(config)
        # A caller still waiting in /runsync must not delay the shutdown.
        self._runner = web.AppRunner(
            application(self.endpoint), access_log=None, shutdown_timeout=1.0
        )
        self.port = 0

    @property
    def origin(self) -> str:
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint's base, as in https://api.runpod.ai/v2/<endpoint id>."""
        return f"{self.origin}/v2/{self.config.endpoint}"

    def worker_environment(self) -> dict[str, str]:
        """What a process with RunPod's SDK needs to become a worker of this endpoint."""
        return worker_environment(self.config, self.url)

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.config.host, self.config.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.endpoint.start()

    async def stop(self) -> None:
        await self.endpoint.close()
        await self._runner.cleanup()
