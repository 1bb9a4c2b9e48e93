"""Pull mode over fakes in memory, and its requests over moto: the worker fetches and delivers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.failures import FAILURES, WORKER_CODES
from core.jobs.call import CallState
from core.jobs.job import Job, JobState
from core.jobs.settle import Settlement
from core.runpod.reports import gone, parse_report
from core.runpod.work_order import (
    ERROR_PREFIX,
    LONGEST_SUMMARY_BYTES,
    WorkOrder,
    parse_work_order,
)
from core.settings import SubmitterSettings
from core.summaries.options import Mode
from tests.builders import (
    NOON,
    SUMMARY_TEXT,
    a_manifest,
    a_request,
    a_source,
    completed_body,
    failed_body,
    lost_body,
    manifest_body,
    minutes,
    submitter_settings,
)
from tests.fakes.memory import PRESIGNED, MemoryS3, presigned
from tests.fakes.model import a_transcript, ref_of
from tests.functions.pipeline import Pipeline

SUMMARY = SUMMARY_TEXT.encode()


class UnreadS3(MemoryS3):
    """An S3 that sends objects whose bodies must not be read."""

    def get_object(self, **request: Any) -> dict[str, Any]:
        answer = super().get_object(**request)
        if request["Bucket"] == "transcripts":
            answer["Body"] = _Unread()
        return answer


class LargeS3(MemoryS3):
    """One that says of each object that it is larger than push mode takes."""

    def get_object(self, **request: Any) -> dict[str, Any]:
        return super().get_object(**request) | {"ContentLength": 200_000_000}


class _Unread:
    is_closed = False

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        raise AssertionError("the object's body was read")

    def close(self) -> None:
        _Unread.is_closed = True


def pull_settings() -> SubmitterSettings:
    return submitter_settings(options=a_request(mode=Mode.PULL))


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(settings=pull_settings(), s3=UnreadS3())


def order_of(pipeline: Pipeline, number: int = -1) -> WorkOrder:
    return parse_work_order(json.loads(json.dumps(pipeline.runpod.requests[number]["input"])))


def deliver(pipeline: Pipeline, body: bytes = SUMMARY) -> None:
    """Put a result as the worker does, by the latest order's URL."""
    asked = presigned(order_of(pipeline).put_url)
    pipeline.s3.put_object(Bucket=asked["Bucket"], Key=asked["Key"], Body=body)


def call_back(pipeline: Pipeline, answer: dict[str, Any]) -> Settlement:
    number = len(pipeline.runpod.requests)
    body = pipeline.runpod.requests[-1]
    return pipeline.call_back(f"rp-{number}", body, answer=answer | {"id": f"rp-{number}"})


def code_of(pipeline: Pipeline, job: Job) -> str:
    """Return the outcome of the first attempt."""
    _, (call,), _ = pipeline.history(job)
    return call.attempts[0].outcome


class TestAnUpload:
    def test_becomes_a_work_order_and_is_not_read(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(30_000))

        _, (call,), _ = pipeline.history(job)
        order = order_of(pipeline)
        assert (job.state, call.state) == (JobState.ACTIVE, CallState.SUBMITTED)
        assert (order.job_id, order.name) == (job.id, job.source.key)
        assert (order.size_bytes, order.options) == (job.source.size_bytes, job.options)
        assert order.limits == job.limits == pipeline.settings.limits
        assert (job.words_in, job.target_words) == (0, 4_000)

    def test_gets_urls_of_one_version_and_one_key_that_last_as_long_as_it_may(
        self, pipeline: Pipeline
    ) -> None:
        job = pipeline.upload("Mara: yes.")

        order = order_of(pipeline)
        to_read, to_put = presigned(order.get_url), presigned(order.put_url)
        assert to_read["Key"] == job.source.key
        assert order.get_headers == {"If-Match": f'"{job.source.etag}"'}
        assert (to_put["Bucket"], to_put["Key"]) == ("out", f"work/{job.id}/whole.1.txt")
        assert to_read["seconds"] == to_put["seconds"] == str(70 * 60)

    def test_of_any_size_is_taken(self, pipeline: Pipeline) -> None:
        pipeline.settings = replace(
            pipeline.settings, upload_filter=replace(pipeline.settings.upload_filter, max_bytes=10)
        )

        assert pipeline.upload("Mara: yes. " * 1_000).state is JobState.ACTIVE

    def test_whose_event_has_no_size_has_the_size_that_s3_reports(self, pipeline: Pipeline) -> None:
        pipeline.s3.put_object(Bucket="transcripts", Key="a.txt", Body=b"Mara: yes.")
        pipeline.accept(a_source(key="a.txt", version_id="", etag="", size_bytes=0))

        assert order_of(pipeline).size_bytes == 10

    def test_that_is_gone_fails_at_once(self, pipeline: Pipeline) -> None:
        job = pipeline.accept(a_source(version_id=""))

        assert (job.state, job.reason_code) == (JobState.FAILED, "deleted")
        assert pipeline.runpod.requests == []


class TestAModeOverride:
    def upload(self, pipeline: Pipeline, mode: str, key: str = "a.txt", size_bytes: int = 1) -> Job:
        body = b"Mara: The pump holds."
        pipeline.s3.put_object(
            Bucket="transcripts",
            Key=key,
            Body=body,
            Metadata={"summary-mode": mode} if mode else {},
        )
        source = a_source(key=key, version_id="", etag="", size_bytes=size_bytes)
        return pipeline.accept(source)

    def test_of_pull_where_push_is_set_leaves_the_body_unread(self) -> None:
        pipeline = Pipeline(s3=UnreadS3())
        _Unread.is_closed = False

        job = self.upload(pipeline, "pull")

        assert job.options.mode is Mode.PULL
        assert order_of(pipeline).job_id == job.id
        assert _Unread.is_closed

    def test_of_pull_takes_a_file_that_push_would_not(self) -> None:
        pipeline = Pipeline(s3=UnreadS3())

        job = self.upload(pipeline, "pull", size_bytes=200_000_000)

        assert (job.state, job.options.mode) == (JobState.ACTIVE, Mode.PULL)

    def test_of_push_is_held_to_what_push_takes(self) -> None:
        pipeline = Pipeline(settings=pull_settings(), s3=LargeS3())

        job = self.upload(pipeline, "push")

        assert job.reason_code == "too-large"

    def test_of_push_where_pull_is_set_reads_the_file(self) -> None:
        pipeline = Pipeline(settings=pull_settings())

        job = self.upload(pipeline, "push")

        assert (job.options.mode, job.words_in) == (Mode.PUSH, 3)
        assert "openai_input" in pipeline.runpod.requests[0]["input"]

    def test_can_be_made_by_the_folder(self) -> None:
        pipeline = Pipeline(s3=UnreadS3())

        job = self.upload(pipeline, "", key="summary-mode=pull/a.txt")

        assert job.options.mode is Mode.PULL


class TestAManifest:
    def test_becomes_the_summary_with_the_workers_figures(self, pipeline: Pipeline) -> None:
        job = pipeline.upload(a_transcript(100))
        deliver(pipeline)

        call_back(pipeline, manifest_body(a_manifest()))

        job, (call,), events = pipeline.history(job)
        assert (job.state, call.state) == (JobState.SUCCEEDED, CallState.SUCCEEDED)
        assert pipeline.summary(job) == SUMMARY_TEXT + "\n"
        assert (job.words_in, job.target_words) == (10_000, 4_000)
        facts_key = job.summary_key.replace(".txt", ".json")
        facts = json.loads(pipeline.s3.objects["out", facts_key].body)
        assert (facts["transcript_words"], facts["asked"]["target_words"]) == (10_000, 4_000)
        assert facts["asked"]["mode"] == "pull"
        figures = {name: value for event in events for name, value in event.detail.items()}
        told = tuple(figures[name] for name in ("read_as", "model_calls", "rounds", "words_in"))
        assert told == ("webvtt", 3, 3, 10_000)

    def test_that_holds_the_text_needs_no_object(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")

        call_back(pipeline, manifest_body(a_manifest(text=SUMMARY_TEXT)))

        assert pipeline.summary(job) == SUMMARY_TEXT + "\n"

    @pytest.mark.parametrize(
        ("lies_there", "manifest", "code"),
        [
            (None, a_manifest(), "result-missing"),
            (SUMMARY, a_manifest(size_bytes=len(SUMMARY) - 1), "result-damaged"),
            (SUMMARY, a_manifest(sha256="0" * 64), "result-damaged"),
            (b"\xff\xfe", a_manifest(b"\xff\xfe"), "result-damaged"),
            (b" \n", a_manifest(b" \n"), "result-damaged"),
            (
                b"x" * (LONGEST_SUMMARY_BYTES + 9),
                a_manifest(size_bytes=LONGEST_SUMMARY_BYTES),
                "result-damaged",
            ),
            (None, a_manifest(text="\ud800"), "result-damaged"),
        ],
        ids=["missing", "size", "checksum", "not UTF-8", "no words", "huge", "surrogate"],
    )
    def test_that_does_not_match_its_object_costs_another_attempt(
        self, pipeline: Pipeline, lies_there: bytes | None, manifest: Any, code: str
    ) -> None:
        job = pipeline.upload("Mara: yes.")
        if lies_there is not None:
            deliver(pipeline, lies_there)

        call_back(pipeline, manifest_body(manifest))

        assert code_of(pipeline, job) == code
        assert len(pipeline.queue.sent) == 1
        assert ("out", job.summary_key) not in pipeline.s3.objects

    def test_does_not_pass_off_another_attempts_result(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        deliver(pipeline)
        call_back(pipeline, lost_body())
        pipeline.take_messages()

        call_back(pipeline, manifest_body(a_manifest()))

        _, (call,), _ = pipeline.history(job)
        assert call.attempts[1].outcome == "result-missing"

    def test_that_arrives_twice_changes_nothing(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        deliver(pipeline)
        call_back(pipeline, manifest_body(a_manifest()))
        before = pipeline.history(job)

        call_back(pipeline, manifest_body(a_manifest()))

        assert pipeline.history(job) == before

    def test_of_an_earlier_attempt_is_honoured(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        first = pipeline.runpod.requests[0]
        deliver(pipeline)
        call_back(pipeline, lost_body())
        pipeline.take_messages()

        pipeline.call_back("rp-1", first, answer=manifest_body(a_manifest()))

        assert pipeline.summary(job) == SUMMARY_TEXT + "\n"

    def test_that_arrives_after_the_end_is_noted(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        call_back(pipeline, failed_body(f"{ERROR_PREFIX}unreadable"))

        call_back(pipeline, manifest_body(a_manifest()))

        _, _, events = pipeline.history(job)
        assert "late COMPLETED noted" in [event.what for event in events]

    def test_in_push_mode_is_ignored(self) -> None:
        pipeline = Pipeline()
        job = pipeline.upload("Mara: yes.")

        call_back(pipeline, manifest_body(a_manifest(text=SUMMARY_TEXT)))

        assert pipeline.history(job)[0].reason_code == "unexpected-manifest"

    def test_is_needed_in_pull_mode(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")

        call_back(pipeline, completed_body())

        assert pipeline.history(job)[0].reason_code == "no-manifest"


class TestWhenThePublisherDied:
    def dead(self, pipeline: Pipeline) -> Job:
        """Return a job whose result was taken, and whose summary was not written."""
        job = pipeline.upload("Mara: yes.")
        deliver(pipeline)
        settler = pipeline.settler()

        class Dead(Exception):
            pass

        class Dying:
            def publish(self, *_: Any, **__: Any) -> Any:
                raise Dead

        report = parse_report(manifest_body(a_manifest()))
        dying = replace(settler, lifecycle=replace(settler.lifecycle, summaries=Dying()))
        with pytest.raises(Dead):
            dying.settle(ref_of(pipeline.runpod.requests[0]), report, now=NOON)
        pipeline.runpod.reports["rp-1"] = gone("rp-1")
        return job

    def test_what_was_delivered_is_published_though_runpod_has_forgotten_it(
        self, pipeline: Pipeline
    ) -> None:
        job = self.dead(pipeline)

        pipeline.sweep(minutes(40))

        job, _, _ = pipeline.history(job)
        assert (job.state, job.words_in) == (JobState.SUCCEEDED, 10_000)
        assert pipeline.summary(job) == SUMMARY_TEXT + "\n"

    def test_what_was_changed_since_is_not(self, pipeline: Pipeline) -> None:
        job = self.dead(pipeline)
        deliver(pipeline, b"another text")

        pipeline.sweep(minutes(40))

        _, (call,), _ = pipeline.history(job)
        assert call.state is CallState.WAITING
        assert ("out", job.summary_key) not in pipeline.s3.objects


class TestAWorkerError:
    @pytest.mark.parametrize("code", sorted(WORKER_CODES))
    def test_ends_the_job_or_the_attempt_with_a_reason_code(
        self, pipeline: Pipeline, code: str
    ) -> None:
        job = pipeline.upload("Mara: yes.")

        call_back(pipeline, failed_body(f"{ERROR_PREFIX}{code}"))

        job, (call,), events = pipeline.history(job)
        assert call.attempts[0].outcome == code
        assert (job.state is JobState.ACTIVE) == FAILURES[code].may_help_to_retry
        assert len(events[-1].why) > 40

    def test_of_another_version_of_the_worker_is_retried(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")

        call_back(pipeline, failed_body(f"{ERROR_PREFIX}something new"))

        assert code_of(pipeline, job) == "worker-error"

    def test_with_a_url_leads_to_fresh_urls(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        call_back(pipeline, failed_body(f"{ERROR_PREFIX}fetch-expired"))
        pipeline.now += minutes(10)
        pipeline.take_messages()

        first, second = order_of(pipeline, 0), order_of(pipeline, 1)
        assert presigned(second.put_url)["Key"] == f"work/{job.id}/whole.2.txt"
        assert presigned(second.get_url)["seconds"] == str(60 * 60)
        assert second.options == first.options

    def test_and_success_leave_no_url_in_the_record(self, pipeline: Pipeline) -> None:
        job = pipeline.upload("Mara: yes.")
        quoting = f"{ERROR_PREFIX}fetch-failed {order_of(pipeline).get_url}"
        call_back(pipeline, failed_body(quoting))

        assert PRESIGNED not in repr(pipeline.history(job))
        assert PRESIGNED not in repr(order_of(pipeline))
