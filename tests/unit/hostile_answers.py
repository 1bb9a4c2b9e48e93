"""Everything that reads a model's answer, with answers made to be slow or deep.

test_hostile_answers.py runs each reader in a process of its own, which may use only so much processor
time; what it prints last says which answer it was reading.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import responses
from core.summaries.chat import chat_request
from core.summaries.join import joined
from core.summaries.levels import cut, limits_of
from core.summaries.plans import Kind

from core.errors import BadBody, PipelineError
from core.jobs.verify import checked_text
from core.runpod.client import HttpRunPod
from core.runpod.reports import parse_report
from core.runpod.work_order import ERROR_PREFIX, parse_manifest
from core.runpod.worker_errors import reported_failure
from core.summaries.cleaning import clean
from core.summaries.prompts import PROMPT_SETS, Prompt, messages_for
from core.summaries.tokens import estimate_tokens
from core.words import count_words
from tests.builders import JOB_ID, a_manifest, a_request, a_task, completed_body, failed_body
from webhook_receiver.callbacks import parse_body
from worker.deliver import sha256_of
from worker.errors import WorkerError
from worker.model import ModelServer, TooLongForModel
from worker.route import completed
from worker.settings import WorkerSettings
from worker.summarize import Material, Summarizer

CPU_SECONDS = 20  # a linear reader needs two or three, a quadratic one minutes
LONG = 100_000
LIMITS = limits_of(context_tokens=32_768, max_tokens=6_000)

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


def read_join() -> None:
    for text in long_texts():
        joined([text, text])


def read_words() -> None:
    for text in long_texts():
        count_words(text)


def read_tokens() -> None:
    for text in long_texts():
        estimate_tokens(text)


def read_pieces() -> None:
    """Notes are split again, as a level of their own."""
    for text in long_texts(["# x"], ["# x"]):
        cut(1, text, LIMITS)


def read_prompts() -> None:
    for text in long_texts([""]):
        for kind in Kind:
            prompt = Prompt(text=text, before=text, boundary=JOB_ID, words=1, transcript_words=1)
            messages_for(kind, 1, prompt)
    assert PROMPT_SETS


def read_next_request() -> None:
    """The request of a call that reads notes."""
    task = a_task(kind=Kind.NOTES, level=1, first=1, last=2)
    for text in long_texts(["# x"], [""]):
        level = cut(1, f"x\n{text[: LONG // 2]}\n{text[LONG // 2 :]}", LIMITS)
        if len(level.chunks) > 1:
            chat_request(
                "1-0", task, level, slots=["1-0"], options=a_request(), boundary=JOB_ID,
                transcript_words=1, limits=LIMITS,
            )  # fmt: skip


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
    """The worker's walk through a summary, its repair in shares, and their joining."""
    fillings = (" ", "# ", "## a\n", ".", '"', "<|", "漢", "word ")
    for filling in fillings:
        print(f"at {filling!a}", flush=True)
        report = parse_report(completed_body("x " + filling * (LONG // len(filling))))

        class Same:
            def complete(self, request: dict[str, Any]) -> Any:
                return report  # noqa: B023 (used within the turn)

        summarizer = Summarizer(model=Same(), parallel_calls=1)
        material = Material(
            text="Mara: The pump holds.\n" * 4_000,
            words=16_000,
            boundary=JOB_ID,
            options=a_request(most_repairs=1),
            target=4_000,
        )
        _allowing(WorkerError, lambda: summarizer.summarize(material, context_tokens=65_536))  # noqa: B023


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
