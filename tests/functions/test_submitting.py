"""The submitter's use case over the world in memory."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from core.aws.files import S3IntermediateStore, S3Transcripts
from core.aws.presigned_urls import S3PresignedUrls
from core.errors import (
    JobExists,
    RunPodBusy,
    RunPodFailed,
    RunPodRefused,
    RunPodSilent,
    UnknownCall,
)
from core.jobs.callback import CallRef, is_token_of
from core.jobs.lifecycle import SUBMITTING_TIME
from core.jobs.model import Call, CallState, Job, JobState, Source, job_id_for
from core.settings import SubmitterSettings
from core.summaries.tokens import estimate_tokens
from local.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3, MemorySecrets
from submitter.material import Material
from submitter.submit import Submitter
from tests.builders import (
    NOON,
    SECRET,
    a_report,
    a_source,
    an_event,
    minutes,
    submitter_settings,
    user_prompt,
)

TRANSCRIPT = "[00:00:04] Mara: The pump holds.\n[00:00:09] Ilse: Then we buy a second one.\n"


@dataclass
class World:
    """A submitter and everything around it."""

    settings: SubmitterSettings = field(default_factory=submitter_settings)
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    s3: MemoryS3 = field(default_factory=MemoryS3)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    runpod: MemoryRunPod = field(default_factory=MemoryRunPod)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets((SECRET,)))
    now: datetime = NOON

    @property
    def submitter(self) -> Submitter:
        return Submitter(
            store=self.store,
            material=Material(
                transcripts=S3Transcripts(self.s3),  # type: ignore[arg-type]
                intermediate_store=S3IntermediateStore(self.s3, "summaries"),  # type: ignore[arg-type]
                settings=self.settings,
            ),
            queue=self.queue,
            runpod=self.runpod,
            secrets=self.secrets,
            settings=self.settings,
            presigned_urls=S3PresignedUrls(self.s3, "summaries"),  # type: ignore[arg-type]
            clock=lambda: self.now,
        )

    def upload(self, body: bytes = TRANSCRIPT.encode(), **changes: str) -> Source:
        source = a_source(version_id="", size_bytes=len(body), **changes)
        etag = self.s3.put_object(Bucket=source.bucket, Key=source.key, Body=body)["ETag"]
        return replace(source, etag=etag.strip('"'))

    def accept(self, body: bytes = TRANSCRIPT.encode()) -> tuple[Job, Call]:
        job, _ = self.submitter.accept(self.upload(body), now=NOON)
        return self.store.load(job.id, "whole")

    def audit(self, job: Job) -> list[str]:
        return [event.what for event in self.store.history(job.id)[2]]


@pytest.fixture
def world() -> World:
    return World()


class TestAnUpload:
    def test_becomes_a_job_whose_call_runpod_has(self, world: World) -> None:
        job, call = world.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.SUBMITTED)
        assert call.attempt.runpod_id == "rp-1"
        assert call.due_at == NOON + minutes(5)
        assert job.deadline == NOON + minutes(60)
        assert world.audit(job) == ["recorded", "waiting -> submitting", "submitting -> submitted"]

    def test_asks_for_what_is_set(self, world: World) -> None:
        world.accept()

        (request,) = world.runpod.requests
        assert request["input"]["openai_route"] == "/v1/chat/completions"
        asked = request["input"]["openai_input"]
        assert (asked["model"], asked["max_tokens"]) == ("a/model", 6000)
        assert (asked["temperature"], asked["top_p"]) == (0.3, 0.9)
        assert request["policy"]["executionTimeout"] == 900_000

    def test_leaves_the_answer_no_more_room_than_the_context_has(self, world: World) -> None:
        options = replace(world.settings.options, words=1000)
        world.settings = replace(world.settings, options=options)
        tokens_of_a_word = estimate_tokens("and the pump holds " * 1000) / 4000
        world.accept(b"and the pump holds " * round(28_000 / tokens_of_a_word / 4))

        asked = world.runpod.requests[0]["input"]["openai_input"]
        prompt = sum(estimate_tokens(message["content"]) for message in asked["messages"])
        assert 1000 < asked["max_tokens"] < 6000
        assert prompt + asked["max_tokens"] <= 32_768

    def test_outlives_its_deadline_at_runpod(self, world: World) -> None:
        """RunPod deletes a request at its ttl, even while it runs."""
        world.accept()

        assert world.runpod.requests[0]["policy"]["ttl"] > 60 * 60 * 1000

    def test_sends_the_words_without_their_times(self, world: World) -> None:
        world.accept()

        user = user_prompt(world.runpod.requests[0])
        assert "\nMara: The pump holds.\nIlse: Then we buy a second one.\n" in user
        assert "00:00:04" not in user

    def test_shows_the_model_the_times_where_they_are_to_be_cited(self, world: World) -> None:
        options = replace(world.settings.options, with_times=True)
        world.settings = replace(world.settings, options=options)
        world.accept()

        user = user_prompt(world.runpod.requests[0])
        assert "\n[00:00:04] Mara: The pump holds.\n" in user
        assert "Cite it" in user

    def test_is_called_back_about_with_a_token_of_its_own(self, world: World) -> None:
        job, _ = world.accept()

        url = world.runpod.requests[0]["webhook"]
        base, job_id, call_id, attempt, token = url.rsplit("/", 4)
        assert base == "https://hooks.invalid/webhook"
        assert (job_id, call_id, attempt) == (job.id, "whole", "1")
        assert is_token_of(CallRef(job.id, "whole", 1), token, [SECRET])

    def test_is_recorded_before_runpod_hears_of_it(self, world: World) -> None:
        world.runpod.refusal = MemoryError("the function is killed in the middle of POST /run")

        with pytest.raises(MemoryError):
            world.accept()

        job_id = job_id_for(world.upload())
        assert world.store.load(job_id, "whole")[1].state is CallState.SUBMITTING
        overdue = NOON + SUBMITTING_TIME + minutes(5)
        assert list(world.store.due(overdue)) == [(job_id, "whole")]

    def test_that_is_announced_twice_costs_one_request(self, world: World) -> None:
        source = world.upload()
        world.submitter.accept(source, now=NOON)

        with pytest.raises(JobExists):
            world.submitter.accept(source, now=NOON + minutes(1))

        assert len(world.runpod.requests) == 1

    def test_of_a_changed_file_is_another_job(self, world: World) -> None:
        first, _ = world.accept()

        second, _ = world.accept(b"Mara: The pump broke.")

        assert second.id != first.id
        assert len(world.runpod.requests) == 2

    def test_keeps_tokens_and_words_out_of_the_audit(self, world: World) -> None:
        job, _ = world.accept()

        told = repr(world.store.history(job.id))
        assert "pump" not in told
        assert "hooks.invalid" not in told
        assert "rp-1" in told


class TestAFileThatCanNotBeSummarised:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\r", "not-text"),
            (b"w " * 600_000, "too-large"),
        ],
        ids=["empty", "blank", "binary", "too large"],
    )
    def test_ends_as_a_failed_job_with_a_reason(self, world: World, body: bytes, code: str) -> None:
        job, call = world.submitter.accept(world.upload(body), now=NOON)

        stored, calls, events = world.store.history(job.id)
        assert (stored.state, stored.reason_code, calls, call) == (JobState.FAILED, code, [], [])
        assert len(stored.reason) > 40
        assert [event.what for event in events] == ["recorded", "active -> failed"]
        assert world.runpod.requests == []
        assert world.queue.sent == []

    def test_of_a_model_with_no_room_is_told_with_the_numbers_that_matter(
        self, world: World
    ) -> None:
        options = replace(world.settings.options, max_tokens=1_000)
        world.settings = replace(world.settings, context_tokens=2_048, options=options)

        job, _ = world.submitter.accept(world.upload(b"word " * 4_000), now=NOON)

        assert job.reason_code == "impossible"
        assert "2,048" in job.reason
        assert "MaxModelLenTokens" in job.reason

    def test_that_was_deleted_meanwhile_says_so(self, world: World) -> None:
        job, _ = world.submitter.accept(a_source(version_id=""), now=NOON)

        assert job.reason_code == "deleted"


class TestWhenRunPod:
    def test_refuses_the_job_fails_with_the_reason(self, world: World) -> None:
        world.runpod.refusal = RunPodRefused(
            "RunPod refused the request with 401: the API key is wrong"
        )

        job, call = world.accept()

        assert (job.state, call.state) == (JobState.FAILED, CallState.FAILED)
        assert job.reason_code == "refused-by-runpod"
        assert "API key" in job.reason
        assert call.due_at is None

    def test_has_no_room_the_call_waits_and_has_cost_nothing(self, world: World) -> None:
        world.runpod.refusal = RunPodBusy("429")

        job, call = world.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.WAITING)
        assert call.paid_attempts == 0
        assert world.queue.sent == [(job.id, "whole", timedelta(seconds=5))]
        assert call.due_at is not None
        assert call.due_at > NOON + timedelta(seconds=5)

    def test_breaks_the_call_waits_and_may_have_cost_something(self, world: World) -> None:
        world.runpod.refusal = RunPodFailed("502")

        _, call = world.accept()

        assert call.state is CallState.WAITING
        assert call.paid_attempts == 1
        assert len(world.queue.sent) == 1

    def test_does_not_answer_its_callback_is_given_time(self, world: World) -> None:
        world.runpod.refusal = RunPodSilent("no answer")

        job, call = world.accept()

        assert call.state is CallState.SUBMITTING
        assert call.due_at == NOON + SUBMITTING_TIME + minutes(5)
        assert world.queue.sent == []
        assert world.audit(job)[-1] == "left to the callback"

    def test_calls_back_before_it_answers_the_result_stands(self, world: World) -> None:
        class Quick(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = world.store.load(job_id, "whole")
                call = call.with_runpod_id(1, "rp-1")
                world.store.save_call(call.with_publishing(1, due_at=NOON, event=an_event()))
                return "rp-1"

        world.runpod = Quick()

        _, call = world.accept()

        assert call.state is CallState.PUBLISHING

    def test_calls_back_in_vain_before_it_answers_its_id_is_kept(self, world: World) -> None:
        """Simulation seed 40535: without the id nobody could ask, and the result was paid for twice."""

        class Quick(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = world.store.load(job_id, "whole")
                world.store.save_call(call.with_due_at(NOON).with_event(an_event()))
                return "rp-1"

        world.runpod = Quick()

        _, call = world.accept()

        assert (call.state, call.attempt.runpod_id) == (CallState.SUBMITTED, "rp-1")
        assert call.due_at == NOON

    def test_refuses_while_an_earlier_result_is_published_the_job_goes_on(
        self, world: World
    ) -> None:
        class Refusing(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = world.store.load(job_id, "whole")
                world.store.save_call(call.with_publishing(1, due_at=NOON, event=an_event()))
                raise RunPodRefused("401")

        world.runpod = Refusing()

        job, call = world.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.PUBLISHING)


class TestTheNextAttempt:
    @pytest.fixture
    def waiting(self, world: World) -> Job:
        world.runpod.refusal = RunPodFailed("502")
        job, _ = world.accept()
        return job

    def test_is_a_request_with_a_token_of_its_own(self, world: World, waiting: Job) -> None:
        _, call = world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert (call.state, call.attempt.number) == (CallState.SUBMITTED, 2)
        assert world.runpod.requests[0]["webhook"].split("/")[-2] == "2"

    def test_asks_for_the_same_as_the_first(self, world: World, waiting: Job) -> None:
        world.settings = replace(
            world.settings, options=replace(world.settings.options, words=100, model="other")
        )

        world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert world.runpod.requests[0]["input"]["openai_input"]["model"] == "a/model"

    def test_is_made_once_however_often_it_is_asked_for(self, world: World, waiting: Job) -> None:
        for _ in range(3):
            world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert len(world.runpod.requests) == 1

    def test_is_not_made_past_the_deadline(self, world: World, waiting: Job) -> None:
        world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(60))

        assert world.runpod.requests == []

    def test_is_not_made_when_the_attempts_are_spent(self, world: World, waiting: Job) -> None:
        retries = replace(world.settings.retries, max_attempts=1)
        world.settings = replace(world.settings, retries=retries)

        world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert world.runpod.requests == []

    def test_does_not_need_the_file_any_more(self, world: World, waiting: Job) -> None:
        del world.s3.objects[waiting.source.bucket, waiting.source.key]

        _, call = world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert call.state is CallState.SUBMITTED

    def test_fails_the_job_if_what_the_model_was_shown_is_gone(
        self, world: World, waiting: Job
    ) -> None:
        world.s3.objects.clear()

        job, call = world.submitter.next_attempt(waiting.id, "whole", now=NOON + minutes(1))

        assert (job.state, job.reason_code) == (JobState.FAILED, "work-expired")
        assert call.state is CallState.FAILED

    def test_of_an_unknown_call_is_an_error(self, world: World) -> None:
        with pytest.raises(UnknownCall):
            world.submitter.next_attempt("f" * 32, "whole", now=NOON)


def test_the_request_is_json_with_nothing_lost(world: World) -> None:
    body = 'Zoë: "quotes", \\ backslashes, 港 and 🚤'.encode()
    world.accept(body)

    sent = json.loads(json.dumps(world.runpod.requests[0]))

    assert body.decode() in user_prompt(sent)


def test_a_report_can_settle_what_was_submitted(world: World) -> None:
    """Submitter and receiver agree about ids: the rest is in test_settling."""
    _, call = world.accept()

    assert call.attempt.runpod_id == a_report().runpod_id
