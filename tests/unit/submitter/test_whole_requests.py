"""The whole body of POST /run, push mode's and pull mode's, against a file that can be read and reviewed.

    pytest tests/unit/submitter/test_whole_requests.py --write-golden      # writes them anew

What the model is told in each kind of call is tests/unit/summaries/test_whole_asks.py's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.jobs.callback import is_token_of
from core.summaries.options import Mode, Strategy
from tests.builders import SECRET, a_request, submitter_settings
from tests.fakes.model import ref_of
from tests.functions.pipeline import Pipeline

GOLDEN = Path(__file__).parent / "golden"
TEXT = "[00:00:04] Mara: The pump holds.\n[00:00:09] Ilse: Then we buy a second one.\n"
OPTIONS: dict[str, dict[str, Any]] = {
    "call-of-push-mode": {"with_times": True, "language": "German"},
    "order-of-pull-mode": {"mode": Mode.PULL, "with_times": True, "strategy": Strategy.OUTLINE},
}


def sent(**options: Any) -> Mapping[str, Any]:
    """Return the body of the one request that a transcript leads to."""
    pipeline = Pipeline(settings=submitter_settings(options=a_request(**options)))
    pipeline.upload(TEXT)
    (body,) = pipeline.runpod.requests
    return body


def shown(body: Mapping[str, Any]) -> str:
    """Return a body as JSON, without what is secret and with the prompts' text left out."""
    assert is_token_of(ref_of(body), body["webhook"].rsplit("/", 1)[1], [SECRET])
    body = json.loads(json.dumps(body))
    body["webhook"] = body["webhook"].rsplit("/", 1)[0] + "/TOKEN"
    for message in body["input"].get("openai_input", {}).get("messages", []):
        message["content"] = "..."
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_request_sends_exactly_what_its_golden_file_says(
    kind: str, request: pytest.FixtureRequest
) -> None:
    body = shown(sent(**OPTIONS[kind]))
    file = GOLDEN / f"{kind}.json"

    if request.config.getoption("--write-golden"):
        file.write_text(body, encoding="utf-8")

    assert body == file.read_text(encoding="utf-8")


def test_every_golden_file_is_one_that_is_compared() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(OPTIONS)
