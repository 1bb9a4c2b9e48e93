"""The submitter's use case over the setup in memory."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from core.errors import (
    JobExists,
    RunPodBusy,
    RunPodFailed,
    RunPodRefused,
    RunPodSilent,
    UnknownCall,
)
from core.jobs.call import Call, CallState
from core.jobs.callback import CallRef, is_token_of
from core.jobs.job import Job, JobState, Source, job_id_for
from core.jobs.lifecycle import SUBMITTING_TIME
from core.jobs.material import material_in
from core.settings import SubmitterSettings
from core.summaries.goals import WritingLimits
from core.summaries.options import Strategy
from core.summaries.tokens import estimate_tokens
from tests.builders import (
    NOON,
    SECRET,
    a_source,
    an_event,
    minutes,
    submitter_settings,
    user_prompt,
)
from tests.fakes.memory import MemoryJobStore, MemoryQueue, MemoryRunPod, MemoryS3, MemorySecrets
from tests.fakes.model import a_transcript
from tests.functions.use_cases import Submitter, UseCases

TRANSCRIPT = "[00:00:04] Mara: The pump holds.\n[00:00:09] Ilse: Then we buy a second one.\n"


@dataclass
class SubmitterSetup:
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
        use_cases = UseCases(
            store=self.store,
            s3=self.s3,
            queue=self.queue,
            clock=lambda: self.now,
            retries=self.settings.retries,
            output_bucket="summaries",
        )
        return use_cases.submitter(runpod=self.runpod, secrets=self.secrets, settings=self.settings)

    def upload(self, body: bytes = TRANSCRIPT.encode(), **changes: str) -> Source:
        source = a_source(version_id="", size_bytes=len(body), **changes)
        etag = self.s3.put_object(Bucket=source.bucket, Key=source.key, Body=body)["ETag"]
        return replace(source, etag=etag.strip('"'))

    def accept(self, body: bytes = TRANSCRIPT.encode()) -> tuple[Job, Call]:
        job, _ = self.submitter.accept(self.upload(body))
        return self.store.load(job.id, "1-0")

    def next_attempt(self, job_id: str, *, at: datetime) -> tuple[Job, Call]:
        self.now = at
        return self.submitter.next_attempt(job_id, "1-0")

    def audit(self, job: Job) -> list[str]:
        return [event.what for event in self.store.history(job.id)[2]]


@pytest.fixture
def setup() -> SubmitterSetup:
    return SubmitterSetup()


class TestAnUpload:
    def test_becomes_a_job_whose_call_runpod_has(self, setup: SubmitterSetup) -> None:
        job, call = setup.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.SUBMITTED)
        assert call.attempt.runpod_id == "rp-1"
        assert call.due_at == NOON + minutes(5)
        assert job.deadline == NOON + minutes(60)
        assert setup.audit(job) == [
            "recorded",
            "stage 1: single",
            "waiting -> submitting",
            "submitting -> submitted",
        ]

    def test_requests_what_the_settings_say(self, setup: SubmitterSetup) -> None:
        options = replace(setup.settings.options, strategy=Strategy.SINGLE)
        setup.settings = replace(setup.settings, options=options)
        setup.accept(a_transcript(12_000).encode())

        (request,) = setup.runpod.requests
        assert request["input"]["openai_route"] == "/v1/chat/completions"
        asked = request["input"]["openai_input"]
        assert (asked["model"], asked["max_tokens"]) == ("a/model", 6000)
        assert (asked["temperature"], asked["top_p"]) == (0.3, 0.9)
        assert request["policy"]["executionTimeout"] == 900_000

    def test_leaves_the_answer_no_more_room_than_the_context_has(
        self, setup: SubmitterSetup
    ) -> None:
        tokens_of_a_word = estimate_tokens("and the pump holds " * 1000) / 4000
        job, _ = setup.accept(b"and the pump holds " * round(28_000 / tokens_of_a_word / 4))

        asked = setup.runpod.requests[0]["input"]["openai_input"]
        prompt = sum(estimate_tokens(message["content"]) for message in asked["messages"])
        assert setup.audit(job)[1] == "stage 1: outline"  # of all of it, at once
        assert prompt + asked["max_tokens"] <= 32_768

    def test_outlives_its_deadline_at_runpod(self, setup: SubmitterSetup) -> None:
        """RunPod deletes a request at its ttl, even while it runs."""
        setup.accept()

        assert setup.runpod.requests[0]["policy"]["ttl"] > 60 * 60 * 1000

    def test_sends_the_words_without_their_times(self, setup: SubmitterSetup) -> None:
        setup.accept()

        user = user_prompt(setup.runpod.requests[0])
        assert "\n[1] Mara: The pump holds.\n[2] Ilse: Then we buy a second one.\n" in user
        assert "00:00:04" not in user

    def test_keeps_the_times_for_where_they_are_to_be_cited(self, setup: SubmitterSetup) -> None:
        """The model cites turns by their numbers; code knows when each of them began."""
        options = replace(setup.settings.options, with_times=True)
        setup.settings = replace(setup.settings, options=options)
        job, _ = setup.accept()

        stored = setup.s3.objects["summaries", f"work/{job.id}/material.json"].body
        kept = material_in(json.loads(stored)).passages
        assert "00:00:04" not in user_prompt(setup.runpod.requests[0])
        assert [kept[number].seconds[0] for number in (1, 2)] == [4.0, 9.0]

    def test_is_called_back_about_with_a_token_of_its_own(self, setup: SubmitterSetup) -> None:
        job, _ = setup.accept()

        url = setup.runpod.requests[0]["webhook"]
        base, job_id, call_id, attempt, token = url.rsplit("/", 4)
        assert base == "https://hooks.invalid/webhook"
        assert (job_id, call_id, attempt) == (job.id, "1-0", "1")
        assert is_token_of(CallRef(job.id, "1-0", 1), token, [SECRET])

    def test_is_recorded_before_it_is_sent_to_runpod(self, setup: SubmitterSetup) -> None:
        setup.runpod.refusal = MemoryError("the function is killed in the middle of POST /run")

        with pytest.raises(MemoryError):
            setup.accept()

        job_id = job_id_for(setup.upload())
        assert setup.store.load(job_id, "1-0")[1].state is CallState.SUBMITTING
        overdue = NOON + SUBMITTING_TIME + minutes(5)
        assert (job_id, "1-0") in list(setup.store.due(overdue))

    def test_that_is_announced_twice_costs_one_request(self, setup: SubmitterSetup) -> None:
        source = setup.upload()
        setup.submitter.accept(source)

        with pytest.raises(JobExists):
            setup.submitter.accept(source)

        assert len(setup.runpod.requests) == 1

    def test_of_a_changed_file_is_another_job(self, setup: SubmitterSetup) -> None:
        first, _ = setup.accept()

        second, _ = setup.accept(b"Mara: The pump broke.")

        assert second.id != first.id
        assert len(setup.runpod.requests) == 2

    def test_keeps_tokens_and_words_out_of_the_audit(self, setup: SubmitterSetup) -> None:
        job, _ = setup.accept()

        history = repr(setup.store.history(job.id))
        assert "pump" not in history
        assert "hooks.invalid" not in history
        assert "rp-1" in history


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
    def test_ends_as_a_failed_job_with_a_reason(
        self, setup: SubmitterSetup, body: bytes, code: str
    ) -> None:
        job, call = setup.submitter.accept(setup.upload(body))

        stored, calls, events = setup.store.history(job.id)
        assert (stored.state, stored.reason_code, calls, call) == (JobState.FAILED, code, [], [])
        assert len(stored.reason) > 40
        assert [event.what for event in events] == ["recorded", "active -> failed"]
        assert setup.runpod.requests == []
        assert setup.queue.sent == []

    def test_that_would_take_more_calls_than_are_made_gives_the_relevant_numbers(
        self, setup: SubmitterSetup
    ) -> None:
        limits = WritingLimits(context_tokens=2_048, max_tokens=1_000, most_calls=2)
        setup.settings = replace(setup.settings, limits=limits)

        job, _ = setup.submitter.accept(setup.upload(b"word " * 4_000))

        assert job.reason_code == "impossible"
        assert "2 calls" in job.reason
        assert "MAX_MODEL_LEN" in job.reason

    def test_that_was_deleted_meanwhile_says_so(self, setup: SubmitterSetup) -> None:
        job, _ = setup.submitter.accept(a_source(version_id=""))

        assert job.reason_code == "deleted"


class TestWhenRunPod:
    def test_refuses_the_job_fails_with_the_reason(self, setup: SubmitterSetup) -> None:
        setup.runpod.refusal = RunPodRefused(
            "RunPod refused the request with 401: the API key is wrong"
        )

        job, call = setup.accept()

        assert (job.state, call.state) == (JobState.FAILED, CallState.FAILED)
        assert job.reason_code == "refused-by-runpod"
        assert "API key" in job.reason
        assert call.due_at is None

    def test_has_no_room_the_call_waits_and_has_cost_nothing(self, setup: SubmitterSetup) -> None:
        setup.runpod.refusal = RunPodBusy("429")

        job, call = setup.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.WAITING)
        assert call.paid_attempts == 0
        assert setup.queue.sent == [(job.id, "1-0", timedelta(seconds=5))]
        assert call.due_at is not None
        assert call.due_at > NOON + timedelta(seconds=5)

    def test_breaks_the_call_waits_and_may_have_cost_something(self, setup: SubmitterSetup) -> None:
        setup.runpod.refusal = RunPodFailed("502")

        _, call = setup.accept()

        assert call.state is CallState.WAITING
        assert call.paid_attempts == 1
        assert len(setup.queue.sent) == 1

    def test_does_not_answer_its_callback_is_given_time(self, setup: SubmitterSetup) -> None:
        setup.runpod.refusal = RunPodSilent("no answer")

        job, call = setup.accept()

        assert call.state is CallState.SUBMITTING
        assert call.due_at == NOON + SUBMITTING_TIME + minutes(5)
        assert setup.queue.sent == []
        assert setup.audit(job)[-1] == "left to the callback"

    def test_calls_back_before_it_answers_the_result_is_kept(self, setup: SubmitterSetup) -> None:
        class Quick(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = setup.store.load(job_id, "1-0")
                call = call.with_runpod_id(1, "rp-1")
                setup.store.save_call(call.with_publishing(1, due_at=NOON, event=an_event()))
                return "rp-1"

        setup.runpod = Quick()

        _, call = setup.accept()

        assert call.state is CallState.PUBLISHING

    def test_calls_back_with_a_failure_before_it_answers_its_id_is_kept(
        self, setup: SubmitterSetup
    ) -> None:
        """Simulation seed 40535: without the id nobody could ask, and the result was paid for twice."""

        class Quick(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = setup.store.load(job_id, "1-0")
                setup.store.save_call(call.with_due_at(NOON).with_event(an_event()))
                return "rp-1"

        setup.runpod = Quick()

        _, call = setup.accept()

        assert (call.state, call.attempt.runpod_id) == (CallState.SUBMITTED, "rp-1")
        assert call.due_at == NOON

    def test_refuses_while_an_earlier_result_is_published_the_job_continues(
        self, setup: SubmitterSetup
    ) -> None:
        class Refusing(MemoryRunPod):
            def run(self, request):  # type: ignore[no-untyped-def]
                job_id = request["webhook"].split("/")[-4]
                _, call = setup.store.load(job_id, "1-0")
                setup.store.save_call(call.with_publishing(1, due_at=NOON, event=an_event()))
                raise RunPodRefused("401")

        setup.runpod = Refusing()

        job, call = setup.accept()

        assert (job.state, call.state) == (JobState.ACTIVE, CallState.PUBLISHING)


class TestTheNextAttempt:
    @pytest.fixture
    def waiting(self, setup: SubmitterSetup) -> Job:
        setup.runpod.refusal = RunPodFailed("502")
        job, _ = setup.accept()
        return job

    def test_is_a_request_with_a_token_of_its_own(
        self, setup: SubmitterSetup, waiting: Job
    ) -> None:
        _, call = setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert (call.state, call.attempt.number) == (CallState.SUBMITTED, 2)
        assert setup.runpod.requests[0]["webhook"].split("/")[-2] == "2"

    def test_sends_the_same_request_as_the_first(self, setup: SubmitterSetup, waiting: Job) -> None:
        setup.settings = replace(
            setup.settings, options=replace(setup.settings.options, words=100, model="other")
        )

        setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert setup.runpod.requests[0]["input"]["openai_input"]["model"] == "a/model"

    def test_is_submitted_once_however_often_it_is_requested(
        self, setup: SubmitterSetup, waiting: Job
    ) -> None:
        for _ in range(3):
            setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert len(setup.runpod.requests) == 1

    def test_is_not_made_past_the_deadline(self, setup: SubmitterSetup, waiting: Job) -> None:
        setup.next_attempt(waiting.id, at=NOON + minutes(60))

        assert setup.runpod.requests == []

    def test_is_not_made_when_the_attempts_are_spent(
        self, setup: SubmitterSetup, waiting: Job
    ) -> None:
        retries = replace(setup.settings.retries, max_attempts=1)
        setup.settings = replace(setup.settings, retries=retries)

        setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert setup.runpod.requests == []

    def test_does_not_need_the_file_any_more(self, setup: SubmitterSetup, waiting: Job) -> None:
        del setup.s3.objects[waiting.source.bucket, waiting.source.key]

        _, call = setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert call.state is CallState.SUBMITTED

    def test_fails_the_job_if_what_the_model_was_shown_is_gone(
        self, setup: SubmitterSetup, waiting: Job
    ) -> None:
        setup.s3.objects.clear()

        job, call = setup.next_attempt(waiting.id, at=NOON + minutes(1))

        assert (job.state, job.reason_code) == (JobState.FAILED, "work-expired")
        assert call.state is CallState.FAILED

    def test_of_an_unknown_call_is_an_error(self, setup: SubmitterSetup) -> None:
        with pytest.raises(UnknownCall):
            setup.next_attempt("f" * 32, at=NOON)
