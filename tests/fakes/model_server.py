"""A model server in a thread of the test, which remembers its requests and can be made terse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from runpod_simulator.extractive_server import ExtractiveModel
from tests.fakes.served import served


@dataclass
class ModelServer:
    model: ExtractiveModel
    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)  # bodies, oldest first

    def prompts(self, marker: str) -> list[str]:
        """Return what the user's messages said, of the requests that hold a text."""
        said = [request["messages"][-1]["content"] for request in list(self.requests)]
        return [each for each in said if marker in each]


@contextmanager
def running_model(**settings: Any) -> Iterator[ModelServer]:
    """Start the extractive model, stop it afterwards; `settings` are those of ExtractiveModel."""
    requests: list[dict[str, Any]] = []
    model = ExtractiveModel(on_request=requests.append, **settings)
    with served(model.application()) as origin:
        yield ModelServer(model, f"{origin}/v1", requests)
