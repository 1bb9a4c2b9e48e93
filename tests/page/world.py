"""The page over moto's AWS: its application, its server, and an operator whose functions can be let run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from rich.console import Console
from werkzeug.test import Client

from cli.operating import desk as desks
from cli.operating.desk import Desk
from cli.page.app import PageApp
from cli.page.guard import TOKEN_HEADER, Guard
from cli.page.server import Page, serving
from core.jobs.job import Job
from tests.fakes.cloud import RUNPOD
from tests.fakes.operated import Operated, operated

TOKEN = "a-token"
HOST = "127.0.0.1:4711"
_SPEAKERS = ("Mara", "Ilse", "Tom")


@dataclass
class World:
    operator: Operated
    client: Client

    @property
    def deployment(self) -> Any:
        return desks._deployment("", "")

    def ask(self, method: str, path: str, **given: Any) -> Any:
        """Ask as the page itself does: from this machine, with the token of this run."""
        headers = {"Host": HOST, TOKEN_HEADER: TOKEN, **given.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **given)

    def got(self, path: str, **parameters: Any) -> Any:
        answer = self.ask("GET", path, query_string=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json

    def posted(self, path: str, **parameters: Any) -> Any:
        answer = self.ask("POST", path, query_string=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json

    def runpod_cancels(self) -> None:
        self.operator.cloud.runpod.post(
            re.compile(rf"{re.escape(RUNPOD)}/cancel/.*"), json={"status": "CANCELLED"}
        )

    def summarised(self, key: str = "calls/board.txt", *, turns: int = 150) -> Job:
        return self.operator.summarised(key, a_meeting(turns))

    def uploaded(self, key: str = "calls/board.txt", *, turns: int = 150) -> Job:
        return self.operator.uploaded(key, a_meeting(turns))

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Serve the page for real, as `summaries ui` does."""
        with serving(self.deployment) as page:
            yield page


@contextmanager
def page_world(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[World]:
    with operated(monkeypatch, **environment) as operator:
        for bucket in ("transcripts", "out"):
            boto3.client("s3").put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        operator.is_healthy()
        world = World(operator, Client(lambda *_: []))
        desk = Desk(deployment=world.deployment, as_json=True, console=Console(quiet=True))
        world.client = Client(PageApp(desk, Guard(TOKEN)))
        yield world


def a_meeting(turns: int) -> str:
    """A transcript whose turns are told apart, long enough for several rounds from a hundred turns on."""
    return "\n".join(
        f"[00:{number // 60:02}:{number % 60:02}] {_SPEAKERS[number % 3]}: {_sentences(number)}"
        for number in range(turns)
    )


def _sentences(number: int) -> str:
    return (
        f"In case {number} the pump at harbour {number} was looked at by the surveyors before the tide"
        f" came in. We decided to replace valve {number} and to ask the county for a grant of {number}"
        " thousand euros."
    )
