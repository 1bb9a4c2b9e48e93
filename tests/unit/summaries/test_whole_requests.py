"""The whole body of POST /run for each kind of call, against a file that can be read and reviewed.

    pytest tests/unit/summaries/test_whole_requests.py --write-golden  # writes them anew

golden/ holds what the model gets, word for word, and every setting around it. Of a long
material only its ends are shown, with its length.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.jobs.callback import is_token_of
from core.summaries.options import Mode
from tests.builders import SECRET, a_request, submitter_settings, user_prompt
from tests.fakes.model import BLOCK, FakeModel, a_transcript, ref_of
from tests.functions.pipeline import Pipeline

GOLDEN = Path(__file__).parent / "golden"
SHORT = "[00:00:04] Mara: The pump holds.\n[00:00:09] Ilse: Then we buy a second one.\n" * 3
SHOWN_LINES = 2  # of a long material, at each end

Run = tuple[Mapping[str, Any], ...]


@cache
def run(
    text: str, *, context: int = 32_768, share_written: float = 1.0, **request: Any
) -> tuple[Mapping[str, Any], ...]:
    """Return the body of every request that a transcript leads to, in the order of the calls."""
    settings = submitter_settings(context_tokens=context, options=a_request(**request))
    pipeline = Pipeline(settings=settings, model=FakeModel(share_written=share_written))
    pipeline.upload(text)
    if request.get("mode") is not Mode.PULL:
        pipeline.run()
    return tuple(sorted(pipeline.runpod.requests, key=_stage_and_number))


def _stage_and_number(body: Mapping[str, Any]) -> list[int]:
    """Return what orders the calls of a job: a stage's are submitted by several threads."""
    call_id = ref_of(body).call_id
    return [] if call_id == "whole" else [int(part) for part in call_id.split("-")]


def notes(**changes: Any) -> Run:
    """Four sections, and one summary made of the notes."""
    return run(a_transcript(8_000), context=8_192, words=1_200, **changes)


def timed_notes(**changes: Any) -> Run:
    turns = a_transcript(8_000).splitlines()
    text = "\n".join(f"[00:{n // 60:02}:{n % 60:02}] {turn}" for n, turn in enumerate(turns))
    return run(text, context=8_192, words=1_200, with_times=True, language="German", **changes)


def parts() -> Run:
    """Notes, and a summary in three parts of them."""
    return run(a_transcript(12_000), context=8_192, words=3_000, max_tokens=2_000)


def repaired() -> Run:
    """A summary that came out too short, asked for again in shares."""
    return run(a_transcript(3_000), words=1_000, share_written=0.4)


def repaired_notes() -> Run:
    return notes(share_written=0.4)


@cache
def notes_of_notes() -> Run:
    requests = run(a_transcript(20_000), context=4_096, words=1_000, max_tokens=1_500)
    of_notes = "as notes that were taken of it"
    return tuple(each for each in requests if of_notes in user_prompt(each))


@dataclass(frozen=True)
class Kind:
    """A kind of call: which of the requests of which transcript it is."""

    made_by: Callable[[], Run]
    number: int = 0


KINDS: dict[str, Kind] = {
    "summary": Kind(lambda: run(SHORT)),
    "summary-with-times-in-german": Kind(lambda: run(SHORT, with_times=True, language="German")),
    "summary-as-minutes": Kind(lambda: run(SHORT, prompt="minutes")),
    "summary-of-little-context": Kind(lambda: run(a_transcript(1_500), context=6_144, words=1_500)),
    "notes-of-first-section": Kind(notes, 0),
    "notes-of-second-section": Kind(notes, 1),
    "notes-of-last-section": Kind(notes, 3),
    "notes-with-times-in-german": Kind(timed_notes, 1),
    "notes-of-notes": Kind(notes_of_notes),
    "notes-repaired": Kind(repaired_notes, 5),
    "summary-of-notes": Kind(notes, 4),
    "summary-of-notes-with-times-in-german": Kind(timed_notes, -1),
    "summary-of-notes-as-minutes": Kind(lambda: notes(prompt="minutes"), 4),
    "first-part": Kind(parts, 5),
    "last-part": Kind(parts, 7),
    "summary-repaired": Kind(repaired, 2),
    "order-of-pull-mode": Kind(lambda: run(SHORT, mode=Mode.PULL, with_times=True)),
}


def shown(body: Mapping[str, Any]) -> str:
    """Return a body as text: the settings as JSON, then each message as the model reads it."""
    assert is_token_of(ref_of(body), body["webhook"].rsplit("/", 1)[1], [SECRET])
    body = json.loads(json.dumps(body))
    body["webhook"] = body["webhook"].rsplit("/", 1)[0] + "/TOKEN"
    chat = body["input"].get("openai_input", {})
    messages = chat.pop("messages", [])
    assert [sorted(message) for message in messages] == [["content", "role"]] * len(messages)
    texts = [f"\n---- {each['role']} ----\n{_shortened(each['content'])}\n" for each in messages]
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n" + "".join(texts)


def _shortened(content: str) -> str:
    found = BLOCK.search(content)
    lines = found[2].split("\n") if found else []
    if found is None or len(lines) <= 3 * SHOWN_LINES:
        return content
    left_out = lines[SHOWN_LINES:-SHOWN_LINES]
    words = sum(len(line.split()) for line in left_out)
    gap = f"(... {len(left_out)} lines of {words} words ...)"
    text = "\n".join([*lines[:SHOWN_LINES], gap, *lines[-SHOWN_LINES:]])
    return content[: found.start(2)] + text + content[found.end(2) :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_sends_exactly_what_its_golden_file_says(
    kind: str, request: pytest.FixtureRequest
) -> None:
    body = KINDS[kind].made_by()[KINDS[kind].number]
    file = GOLDEN / f"{kind}.txt"

    if request.config.getoption("--write-golden"):
        file.write_text(shown(body), encoding="utf-8")

    assert shown(body) == file.read_text(encoding="utf-8")


def test_every_golden_file_is_one_that_is_compared() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(KINDS)
