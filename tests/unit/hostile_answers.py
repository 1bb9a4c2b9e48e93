"""Everything that reads a model's answer, with answers made to be slow or deep.

test_hostile_answers.py runs each reader in a process of its own, which may use only so much processor
time; what it prints last says which answer it was reading.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import responses

from core.errors import BadBody, PipelineError
from core.jobs.verify import checked_text
from core.runpod.client import HttpRunPod
from core.runpod.reports import parse_report
from core.runpod.work_order import ERROR_PREFIX, parse_manifest
from core.runpod.worker_errors import reported_failure
from core.summaries.asks import Ask, AskKind, Block
from core.summaries.cleaning import clean
from core.summaries.goals import WritingLimits, goal_of
from core.summaries.messages import chat_request
from core.summaries.passages import Passages, numbered
from core.summaries.tokens import estimate_tokens
from core.transcripts.turns import Turn
from core.words import count_words
from tests.builders import JOB_ID, a_manifest, a_request, completed_body, failed_body
from webhook_receiver.callbacks import parse_body
from worker.deliver import sha256_of
from worker.errors import WorkerError
from worker.model import ModelServer, TooLongForModel
from worker.route import completed
from worker.settings import WorkerSettings
from worker.summarize import Material, Summarizer

# A linear reader needs two, a whole summary of hostile answers thirty; a quadratic one many minutes.
CPU_SECONDS = 90
LONG = 100_000

SPOKEN = numbered([Turn("Mara", "The pump holds.")] * 4_000)

_BEGINNINGS = ("", "# x", "<|")
_FILLINGS = (
    " ", "\t", "\n", "\u00a0", "#", "# ", " #", "a", "a ", ".", '."', '"', "! ", ")]", "<|", "<|a",
    "[", "]", "[INST]", "</s>", "<", "*", "- ", "|", "`", "0", "0:", "{", "\r", "\u2028", "漢", "ก",
    "é", "\u0301", "\u200b", "\ud83d", "…", JOB_ID,
)  # fmt: skip
_ENDINGS = ("", "# x")
_WITH_EVERYTHING = (" ", "\n", "#", "# ", " #", "a", "<|", "`")


def long_texts(
    beginnings: Sequence[str] = _BEGINNINGS, endings: Sequence[str] = _ENDINGS
) -> Iterator[str]:
    """Yield each filling with each beginning and each ending, and the slowest with both."""
    for number, filling in enumerate(_FILLINGS):
        pairs = list(itertools.product(beginnings, endings))
        if filling not in _WITH_EVERYTHING:
            pairs = [
                (beginning, endings[(number + turn) % len(endings)])
                for turn, beginning in enumerate(beginnings)
            ]
            pairs += [(beginnings[0], ending) for ending in endings]
        for beginning, ending in dict.fromkeys(pairs):
            print(f"at {beginning + filling + ending!a}", flush=True)
            yield beginning + filling * (LONG // len(filling)) + ending


def deep_values() -> Iterator[Any]:
    """Nested as deep as lists and objects can be made, which is deeper than JSON can be read."""
    for wrap in (
        lambda inner: [inner],
        lambda inner: {"a": inner, "text": [inner], "error": inner},
    ):
        value: Any = "x"
        for _ in range(LONG):
            value = wrap(value)
        yield value


def deep_json() -> Iterator[str]:
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('{"output":[', "]}")):
        for depth in (200, 900, 5_000, LONG):
            print(f"at {depth} times {opening}", flush=True)
            yield opening * depth + "1" + closing * depth
            yield opening * depth
    yield '{"id": "rp-1", "status": "COMPLETED", "delayTime": ' + "9" * LONG + "}"


def read_cleaned_answer() -> None:
    beginnings = (*_BEGINNINGS, "<think>", "</think>", "```\n", "Sure!\n", "<|channel|>")
    for text in long_texts(beginnings=beginnings, endings=("", "\n```", "</think>x")):
        clean(text)


def read_words() -> None:
    for text in long_texts():
        count_words(text)


def read_tokens() -> None:
    for text in long_texts():
        estimate_tokens(text)


def read_passages() -> None:
    """A turn is cut before it is numbered; what does that must bear any length."""
    for text in long_texts(["# x"], ["# x"]):
        numbered([Turn("Mara", text)])


def read_messages() -> None:
    """Transcript and notes stand in a call's messages, and a glossary's names."""
    for text in long_texts([""]):
        passages = numbered([Turn("Mara", text)])
        shown = ((1, passages.last),)
        ask = Ask(
            name="section-1.1", slot="section-1.1", kind=AskKind.SECTION, passages=shown, about=shown,
            blocks=(Block(tag="names", text=text),), instructions=text, words=1, max_tokens=1,
            boundary=JOB_ID, system=text,
        )  # fmt: skip
        chat_request(ask, passages, a_request())


def read_report() -> None:
    for text in long_texts():
        parse_report(completed_body(text))
        parse_report(failed_body(text, output=text))
        parse_report(completed_body(output=[{"choices": [{"tokens": [text] * 3}], "model": text}]))
    for deep in deep_values():
        parse_report(completed_body(output=deep))
        parse_report(failed_body(deep, output=deep))
    wide = [{"choices": [{"text": "x"}] * 10}] * (LONG // 10)
    parse_report(completed_body(output=wide))


def read_manifest() -> None:
    for text in long_texts():
        parse_manifest(a_manifest(text=text).as_output())
        parse_manifest(a_manifest(read_as=text, model=text).as_output())
        reported_failure(ERROR_PREFIX + text)
    for deep in deep_values():
        parse_manifest(deep)
        parse_manifest({"manifest": deep})


def read_delivery() -> None:
    for text in long_texts():
        body = text.encode("utf-8", "surrogatepass")
        checked_text(body, sha256_of(body))


def read_callback() -> None:
    for text in itertools.chain(long_texts([""]), deep_json()):
        try:
            parse_body({"body": text})
        except BadBody:
            continue


def read_runpod() -> None:
    client = HttpRunPod("https://runpod.invalid/v2/e", _Key())
    for text in itertools.chain(deep_json(), _bodies()):
        with responses.RequestsMock(assert_all_requests_are_fired=False) as runpod:
            runpod.post("https://runpod.invalid/v2/e/run", body=text)
            runpod.get("https://runpod.invalid/v2/e/status/rp-1", body=text)
            for request in (lambda: client.run({}), lambda: client.status("rp-1")):
                _allowing(PipelineError, request)


def read_model_server() -> None:
    server = ModelServer(WorkerSettings(model_start_seconds=0), sleep=lambda _: None)
    url = "http://127.0.0.1:8000/v1"
    for text in itertools.chain(deep_json(), _bodies()):
        for status in (200, 400):
            with responses.RequestsMock(assert_all_requests_are_fired=False) as model:
                model.get(f"{url}/models", body=text, status=status)
                model.post(f"{url}/chat/completions", body=text, status=status)
                _allowing((WorkerError, TooLongForModel), lambda: server.complete({}))
                _allowing(WorkerError, lambda: server.context_tokens("a/model", at_most=9))
                completed({"openai_input": {}}, server)


def read_summary() -> None:
    """The engine's whole walk, where every answer is one of these."""
    _summarized(SPOKEN, WritingLimits(context_tokens=65_536))


def read_summary_of_notes() -> None:
    _summarized(SPOKEN, WritingLimits(context_tokens=8_192))


def read_summary_in_one_answer() -> None:
    _summarized(
        numbered([Turn("Mara", "The pump holds.")] * 300), WritingLimits(context_tokens=32_768)
    )


def _summarized(passages: Passages, limits: WritingLimits) -> None:
    for filling in (" ", "# ", "## a\n", ".", '"', "<|", "[1] ", '{"a":', "漢", "word "):
        print(f"at {filling!a}", flush=True)
        report = parse_report(completed_body("x " + filling * (LONG // len(filling))))

        class Same:
            def complete(self, request: dict[str, Any]) -> Any:
                return report  # noqa: B023 (used within the turn)

        summarizer = Summarizer(model=Same(), parallel_calls=1)
        options = a_request()
        goal = goal_of(options, passages.words, boundary=JOB_ID)
        material = Material(passages=passages, goal=goal, options=options)
        _allowing(WorkerError, lambda: summarizer.summarize(material, limits))  # noqa: B023


def _bodies() -> Iterator[str]:
    for filling in ("# ", ".", '"', "[INST]", "\ud83d"):
        text = filling * (LONG // len(filling))
        yield json.dumps(completed_body(text))
        yield text.encode("utf-8", "replace").decode()


def _allowing(errors: Any, read_it: Callable[[], object]) -> None:
    try:
        read_it()
    except errors:
        return


class _Key:
    def value(self) -> str:
        return "key"

    refetched = value


READERS: dict[str, Callable[[], None]] = {
    name.removeprefix("read_"): function
    for name, function in list(globals().items())
    if name.startswith("read_")
}


def read(reader: str) -> None:
    READERS[reader]()
