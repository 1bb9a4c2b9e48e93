"""An operator before the simulated management API."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.answers import read
from runpod_simulator import Simulator

KEY = "rpa_" + "A1b2C3d4" * 5
WRITING = {"createEndpoint", "updateEndpoint", "createTemplate", "updateTemplate"}


@dataclass
class Desk:
    """An operator with a key, an answers file and nobody to ask."""

    simulator: Simulator
    file: Path
    key: str = KEY

    def run(self, command: str, *options: str, **environment: str) -> Result:
        return CliRunner().invoke(
            main,
            ["endpoint", command, "--answers", str(self.file), *options],
            env={
                "RUNPOD_API_KEY": self.key,
                "RUNPOD_MANAGEMENT_URL": self.simulator.origin,
                **environment,
            },
        )

    def done(self, command: str, *options: str, **environment: str) -> str:
        result = self.run(command, *options, **environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    def told(self, command: str, *options: str, **environment: str) -> dict[str, Any]:
        return dict(json.loads(self.run(command, "--json", *options, **environment).stdout))

    def written(self) -> int:
        counts = self.simulator.requests()
        return sum(counts.get(operation, 0) for operation in WRITING)

    def send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = requests.request(
            method,
            f"{self.simulator.origin}/v2/{path}",
            json=body,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return dict(answer.json())

    def change(self, **body: Any) -> None:
        """What somebody does in RunPod's console."""
        self.send("PATCH", f"serverless/{self.endpoint_id}", body)

    @property
    def endpoint_id(self) -> str:
        return read(self.file).parameters["RunpodApiEndpoint"].rsplit("/", 1)[-1]
