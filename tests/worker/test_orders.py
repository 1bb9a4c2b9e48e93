"""Orders from beginning to end, with a bucket and a model on loopback."""

import gzip
import hashlib
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from core.failures import WORKER_CODES
from core.summaries.goals import WritingLimits
from core.summaries.options import Strategy
from core.words import count_words
from tests.builders import a_request, chat_completion
from tests.fakes.model import FakeModel, a_transcript
from tests.fakes.worker_servers import SECRET
from tests.worker.conftest import KEY, WorkerSetup
from tests.writing_model import proportional
from worker.errors import WorkerError


def test_a_transcript_is_fetched_summarised_and_put(setup: WorkerSetup) -> None:
    manifest = setup.manifest()

    (put,) = setup.bucket.puts
    (get,) = setup.bucket.gets
    assert (get["if-match"], get["accept-encoding"]) == ('"an-etag"', "identity")
    assert hashlib.sha256(put).hexdigest() == manifest.sha256
    assert len(put) == manifest.size_bytes
    assert count_words(put.decode()) == manifest.words_out
    assert manifest.words_out == pytest.approx(manifest.target_words, rel=0.1)
    assert (manifest.text, manifest.read_as, manifest.finish_reason) == (
        "",
        "labelled-text",
        "stop",
    )
    assert manifest.words_in == setup.words_spoken
    assert manifest.target_words == round(manifest.words_in * 0.4)
    assert (manifest.calls, manifest.rounds) == (len(setup.service.requests), 3)
    assert manifest.model == "a/model"
    cost = manifest.facts["cost"]
    assert (manifest.prompt_tokens, manifest.completion_tokens) == (
        cost["prompt_tokens"],
        cost["generated_tokens"],
    )
    assert manifest.completion_tokens > manifest.words_out
    assert setup.service.keys == {f"Bearer {KEY}"}


def test_a_long_one_is_summarised_in_concurrent_sections_and_reports_counts_as_progress(
    setup: WorkerSetup,
) -> None:
    setup.bucket.body = a_transcript(60_000).encode()

    manifest = setup.manifest()

    stages = [each for each in setup.progress if "stage" in each]
    notes = [each for each in stages if each["doing"].startswith("notes")]
    assert manifest.calls == len(setup.service.requests) > 5
    assert [each["done"] for each in notes] == list(range(notes[0]["calls"] + 1))
    assert setup.progress[0] == {"doing": "fetch"}
    assert stages[-1] == {
        "stage": manifest.rounds,
        "doing": "overview",
        "calls": 1,
        "done": 1,
    }


def test_no_more_calls_are_made_at_a_time_than_the_settings_say(setup: WorkerSetup) -> None:
    setup.bucket.body = a_transcript(60_000).encode()
    setup.settings = replace(setup.settings, parallel_calls=2)

    setup.manifest()

    assert setup.service.most_at_once <= 2


def test_a_summary_that_comes_out_too_short_is_gone_on_with(setup: WorkerSetup) -> None:
    setup.bucket.body = a_transcript(20_000).encode()
    setup.service.model = FakeModel(length=proportional(0.5))

    manifest = setup.manifest()

    assert manifest.rounds > 3
    assert manifest.words_out == pytest.approx(4_000, rel=0.1)


def test_a_gzipped_transcript_is_read_like_any_other(setup: WorkerSetup) -> None:
    plain = setup.manifest()
    setup.bucket.body = gzip.compress(setup.bucket.body)

    packed = setup.manifest()

    assert packed.sha256 == plain.sha256


def test_a_server_with_less_context_than_ordered_gets_smaller_prompts(setup: WorkerSetup) -> None:
    setup.bucket.body = a_transcript(60_000).encode()
    setup.service.max_model_len = 8_192

    manifest = setup.manifest(options=a_request(max_tokens=2_000))

    assert manifest.calls > 10
    assert max(len(str(each["messages"])) for each in setup.service.requests) < 8_192 * 4


def test_a_server_with_more_context_than_ordered_gets_prompts_of_the_ordered_size(
    setup: WorkerSetup,
) -> None:
    setup.service.max_model_len = 131_072

    manifest = setup.manifest(
        options=a_request(max_tokens=1_500), limits=WritingLimits(context_tokens=4_096)
    )

    assert manifest.calls > 1


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
        "You passed 4097 input tokens. However, the model's context length is only 4096 tokens",
        "request (4097 tokens) exceeds the available context size (4096 tokens), try increasing it",
    ],
)
def test_a_prompt_that_turns_out_too_long_is_replaced_by_shorter_ones(
    setup: WorkerSetup, said: str
) -> None:
    setup.service.answers = [(400, said)]

    manifest = setup.manifest()

    refused, *further = (len(str(each["messages"])) for each in setup.service.requests)
    assert max(further) < refused
    assert manifest.calls == len(setup.service.requests)
    assert manifest.words_out == pytest.approx(manifest.target_words, rel=0.1)


def test_a_model_that_takes_no_prompt_at_all_is_said_to_have_too_little_context(
    setup: WorkerSetup,
) -> None:
    setup.bucket.body = b"Mara: we spoke of pumps. " * 20
    setup.service.answers = [(400, "the model's context length is only 10 tokens")] * 9

    assert setup.failure_code() == "context-length"


class TestTheSummary:
    @pytest.mark.parametrize("status", [403, 400, 412, 301])
    def test_is_in_the_manifest_if_the_bucket_refuses_it(
        self, setup: WorkerSetup, status: int
    ) -> None:
        setup.bucket.put_answers = [status]

        manifest = setup.manifest()

        assert len(setup.bucket.puts) == 1
        assert manifest.text.encode() == setup.bucket.puts[0]
        assert hashlib.sha256(manifest.text.encode()).hexdigest() == manifest.sha256

    def test_is_put_again_while_the_bucket_breaks(self, setup: WorkerSetup) -> None:
        setup.bucket.put_answers = [500, 503]

        assert setup.manifest().text == ""
        assert len(setup.bucket.puts) == 3
        assert len(setup.slept) == 2

    def test_is_in_the_manifest_if_the_bucket_stays_broken(self, setup: WorkerSetup) -> None:
        setup.bucket.put_answers = [500] * 3

        assert setup.manifest().text
        assert len(setup.bucket.puts) == 3

    def test_is_in_the_manifest_if_the_bucket_is_unreachable(
        self, setup: WorkerSetup, refusing_url: str
    ) -> None:
        assert setup.manifest(put_url=f"{refusing_url}/put?{SECRET}").text

    def test_is_never_put_without_encryption_on_a_network(self, setup: WorkerSetup) -> None:
        assert setup.manifest(put_url=f"http://bucket.example/put?{SECRET}").text


class TestATranscript:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (403, "fetch-expired"),
            (400, "fetch-expired"),
            (404, "deleted"),
            (412, "replaced"),
            (302, "fetch-failed"),
            (204, "fetch-failed"),
        ],
    )
    def test_that_can_not_be_fetched_costs_no_gpu_time(
        self, setup: WorkerSetup, status: int, code: str
    ) -> None:
        setup.bucket.get_answers = [status]

        assert setup.failure_code() == code
        assert len(setup.bucket.gets) == 1
        assert setup.service.requests == []

    @pytest.mark.parametrize("answer", [500, 503, 429, "cut"])
    def test_is_fetched_again_while_the_bucket_breaks(
        self, setup: WorkerSetup, answer: Any
    ) -> None:
        setup.bucket.get_answers = [answer, answer]

        assert setup.manifest().words_in == setup.words_spoken
        assert len(setup.bucket.gets) == 3

    @pytest.mark.parametrize("answer", [500, "cut"])
    def test_that_never_arrives_complete_is_given_up(self, setup: WorkerSetup, answer: Any) -> None:
        setup.bucket.get_answers = [answer] * 3

        assert setup.failure_code() == "fetch-failed"

    def test_whose_bucket_is_not_there_is_given_up(
        self, setup: WorkerSetup, refusing_url: str
    ) -> None:
        assert setup.failure_code(get_url=f"{refusing_url}/get?{SECRET}") == "fetch-failed"

    def test_of_another_size_than_announced_is_another(self, setup: WorkerSetup) -> None:
        assert setup.failure_code(size_bytes=len(setup.bucket.body) + 1) == "replaced"

    def test_of_unknown_size_is_accepted(self, setup: WorkerSetup) -> None:
        assert setup.manifest(size_bytes=0)

    def test_that_is_announced_too_large_is_not_fetched(self, setup: WorkerSetup) -> None:
        assert setup.failure_code(size_bytes=10**9 + 1) == "too-large"
        assert setup.bucket.gets == []

    def test_that_turns_out_too_large_is_not_read_to_its_end(self, setup: WorkerSetup) -> None:
        setup.settings = replace(setup.settings, most_transcript_bytes=5_000)

        assert setup.failure_code(size_bytes=0) == "too-large"

    def test_that_unpacks_to_too_much_is_too_large(self, setup: WorkerSetup) -> None:
        setup.bucket.body = gzip.compress(setup.bucket.body)
        setup.settings = replace(setup.settings, most_transcript_bytes=len(setup.bucket.body) + 1)

        assert setup.failure_code() == "too-large"

    def test_with_a_content_encoding_of_its_own_is_not_unpacked_on_the_way(
        self, setup: WorkerSetup
    ) -> None:
        setup.bucket.body = gzip.compress(setup.bucket.body)
        setup.bucket.get_answers = [{"Content-Encoding": "gzip"}]

        assert setup.manifest().words_in > 1_000
        assert len(setup.bucket.gets) == 1

    @pytest.mark.parametrize("body", [b"", b"\x00\x01\x02\x03" * 100, b"\x1f\x8bbroken"])
    def test_that_is_not_text_is_unreadable(self, setup: WorkerSetup, body: bytes) -> None:
        setup.bucket.body = body

        assert setup.failure_code() == "unreadable"

    @pytest.mark.parametrize(
        "url",
        ["http://bucket.example/get", "file:///etc/passwd", "ftp://127.0.0.1/", "https://", "["],
    )
    def test_is_fetched_by_https_alone(self, setup: WorkerSetup, url: str) -> None:
        assert setup.failure_code(get_url=url) == "bad-work-order"


class TestTheModel:
    @pytest.mark.parametrize("answer", [500, 502, (200, {"choices": []})])
    def test_is_tried_three_times_at_most(self, setup: WorkerSetup, answer: Any) -> None:
        setup.service.answers = [answer] * 5

        assert setup.failure_code() == "model-failed"
        assert len(setup.service.requests) == 3
        assert setup.bucket.puts == []

    def test_may_fail_twice(self, setup: WorkerSetup) -> None:
        setup.service.answers = [500, 500]

        assert setup.manifest().calls == len(setup.service.requests) - 2

    def test_that_answers_nothing_is_asked_again_with_another_seed(
        self, setup: WorkerSetup
    ) -> None:
        setup.service.answers = [(200, chat_completion("<think>Which words would"))]

        manifest = setup.manifest()

        first, second, *_ = setup.service.requests
        assert (first["seed"], second["seed"]) == (1, 2)
        assert manifest.discarded_tokens == 5_300  # of the answer without text
        assert manifest.words_out == pytest.approx(manifest.target_words, rel=0.1)

    def test_that_breaks_the_connection_is_tried_three_times_at_most(
        self, setup: WorkerSetup
    ) -> None:
        setup.service.answers = [0] * 5

        assert setup.failure_code() == "model-unavailable"
        assert len(setup.service.requests) == 3

    @pytest.mark.parametrize("status", [400, 401, 404, 422])
    def test_that_refuses_is_not_retried(self, setup: WorkerSetup, status: int) -> None:
        setup.service.answers = [(status, "The model `a/model` does not exist; Mara: pumps")]

        assert setup.failure_code() == "model-refused"
        assert len(setup.service.requests) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_that_is_busy_is_waited_for_without_using_up_a_try(
        self, setup: WorkerSetup, status: int
    ) -> None:
        setup.settings = replace(setup.settings, model_start_seconds=600)
        setup.service.answers = [status] * 5

        assert setup.manifest()
        assert len(setup.slept) == 5

    def test_that_stays_busy_is_an_error(self, setup: WorkerSetup) -> None:
        setup.service.answers = [503]

        assert setup.failure_code() == "model-unavailable"

    def test_that_is_unreachable_is_an_error(self, setup: WorkerSetup, refusing_url: str) -> None:
        setup.settings = replace(setup.settings, model_url=refusing_url)

        assert setup.failure_code() == "model-unavailable"

    def test_that_was_cut_off_leaves_whole_sentences_and_a_doubt_in_the_facts(
        self, setup: WorkerSetup
    ) -> None:
        setup.service.model = FakeModel(tokens_per_word=4.0)

        manifest = setup.manifest(options=a_request(strategy=Strategy.SINGLE))

        checks = {check["code"]: check["outcome"] for check in manifest.facts["checks"]}
        assert checks["length"] == "doubt"
        assert manifest.doubts == manifest.facts["doubts"] == 1
        assert setup.bucket.puts[0].decode().rstrip()[-1] in ".”"

    def test_that_fails_at_one_section_gets_no_more_requests(self, setup: WorkerSetup) -> None:
        setup.bucket.body = a_transcript(100_000).encode()
        setup.settings = replace(setup.settings, parallel_calls=1)
        setup.service.answers = [(400, "no")]

        assert setup.failure_code() == "model-refused"
        assert len(setup.service.requests) <= 2


class TestAnOrder:
    @pytest.mark.parametrize(
        "job_input", [None, {}, {"prompt": "x"}, {"work_order": {"version": 2}}]
    )
    def test_that_is_malformed_is_refused(self, setup: WorkerSetup, job_input: Any) -> None:
        assert setup.work_on(job_input) == {"error": "transcript-worker: bad-work-order"}

    def test_with_a_set_of_prompts_that_is_not_here_is_refused(self, setup: WorkerSetup) -> None:
        assert setup.failure_code(options=a_request(prompt="of-tomorrow")) == "bad-work-order"

    def test_that_was_cancelled_sends_no_more_requests(self, setup: WorkerSetup) -> None:
        stop = Event()
        stop.set()

        assert "error" in setup.work_on(setup.order().as_input(), stop=stop)
        assert setup.service.requests == []

    @pytest.mark.parametrize(
        ("broken", "code"), [(MemoryError, "too-large"), (RuntimeError, "model-failed")]
    )
    def test_that_hits_a_bug_reveals_nothing_of_its_content(
        self,
        setup: WorkerSetup,
        monkeypatch: pytest.MonkeyPatch,
        broken: type[Exception],
        code: str,
    ) -> None:
        def breaks(*_: Any, **__: Any) -> None:
            raise broken(setup.bucket.get_url)

        monkeypatch.setattr("worker.job.read_transcript", breaks)

        assert setup.failure_code() == code


def test_every_code_is_one_that_the_pipeline_knows() -> None:
    with pytest.raises(AssertionError):
        WorkerError("something-else")
    assert str(WorkerError("too-large")) == "transcript-worker: too-large"
    assert "too-large" in WORKER_CODES
