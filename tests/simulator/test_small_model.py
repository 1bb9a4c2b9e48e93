"""The openai worker and a real model on this CPU: real tokens, real ends, a real refusal."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.runpod.reports import RunPodReport, parse_report
from local.stack.model import Model, start_small_model
from local.stack.needs import MODEL_PYTHON
from local.stack.processes import Processes
from tests.simulator.conftest import Caller

pytestmark = pytest.mark.skipif(
    not os.environ.get(MODEL_PYTHON),
    reason=f"needs {MODEL_PYTHON}=.venv-emulator/bin/python (make demo MODEL=smollm2 sets that up)",
)
_PATIENCE_SECONDS = 600.0


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Processes() as processes:
        python = Path(os.environ[MODEL_PYTHON]).absolute()
        yield start_small_model(processes, python=python).wait_until_ready()


@pytest.fixture
def caller(start: Callable[..., Caller], model: Model) -> Caller:
    return start(worker="openai", model_url=model.url, model_name=model.name)


def ask(caller: Caller, text: str, **sampling: Any) -> RunPodReport:
    """Return what the pipeline makes of the answer."""
    message = {"role": "user", "content": text}
    openai_input = {"messages": [message], "max_tokens": 12, "temperature": 0.3, **sampling}
    job_input = {"openai_route": "/v1/chat/completions", "openai_input": openai_input}
    run = caller.run(job_input=job_input)
    return parse_report(caller.when_over(run, timeout_seconds=_PATIENCE_SECONDS))


def test_an_answer_that_reaches_its_token_limit_is_reported_as_cut_off(caller: Caller) -> None:
    report = ask(caller, "Tell the story of the harbour of Bergen.", max_tokens=12)

    assert report.finish_reason == "length"
    assert report.completion_tokens == 12
    assert report.prompt_tokens > 12
    assert report.text


def test_an_answer_that_reaches_its_end_is_reported_as_complete(caller: Caller) -> None:
    report = ask(caller, "What is 2 + 2? Answer with one number.", max_tokens=400)

    assert report.finish_reason == "stop"
    assert 0 < report.completion_tokens < 400


def test_a_prompt_that_is_too_long_is_a_matter_of_context_length(
    caller: Caller, model: Model
) -> None:
    report = ask(caller, "harbour " * model.context_tokens)

    assert report.failure is not None
    assert report.failure.code == "context-length"


def test_the_same_request_gets_the_same_answer(caller: Caller) -> None:
    first, second = (ask(caller, "Name a town by the sea.", temperature=0.8) for _ in range(2))

    assert first.text == second.text
    assert first.model == "smollm2-135m-instruct"
