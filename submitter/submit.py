"""The submitter's use case: an upload becomes a job, and a waiting call becomes a RunPod request.

Our record is written before POST /run, and our own ids are in the callback URL. So no callback can be
about a job that we don't know, and a crash after POST /run loses nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.budget import estimate_tokens
from core.callback import CallRef, callback_url
from core.errors import (
    BadTranscript,
    Conflict,
    RunPodBusy,
    RunPodFailed,
    RunPodRefused,
    RunPodSilent,
)
from core.files import summary_key_for
from core.jobs import (
    NOT_TAKEN,
    Call,
    CallState,
    Event,
    Job,
    JobState,
    Source,
    job_id_for,
    retry_delay,
)
from core.ports import CallbackSecrets, JobStore, RunPod, Transcripts, WorkQueue
from core.prompts import Message, summary_messages
from core.settings import SubmitterSettings
from core.settle import LATEST_PICKUP
from core.transcripts import Transcript, read_transcript

WHOLE = "whole"  # the id of the one call of a job whose transcript fits the model
BY = "submitter"
# RunPod's ttl covers queue and run together and deletes the request in any state: we must have given
# it up before.
_TTL_PAST_DEADLINE = timedelta(minutes=10)
_AFTER_RUNPOD_BROKE = timedelta(seconds=30)  # what it may have taken all the same has begun by then


@dataclass(frozen=True, kw_only=True)
class Submitter:
    """The use case with what it needs of the world."""

    store: JobStore
    transcripts: Transcripts
    queue: WorkQueue
    runpod: RunPod
    secrets: CallbackSecrets
    settings: SubmitterSettings

    def accept(self, source: Source, *, now: datetime) -> tuple[Job, Call | None]:
        """Record an upload as a job and submit its call.

        A file that can't be summarised becomes a failed job with the reason. Raises JobExists for an
        upload that was announced before.
        """
        try:
            transcript = self._read(source)
            job = self._new_job(source, transcript.words, now)
            messages = self._messages(job, transcript)
        except BadTranscript as exc:
            job = self._new_job(source, 0, now)
            job = job.failed(exc.code, _event(now, why=str(exc)))
            self.store.create(job, [])
            return job, None
        call = Call(job_id=job.id, id=WHOLE, state=CallState.WAITING, expires_at=job.expires_at)
        call = self._claimed(call, now)
        self.store.create(job, [call])
        # The news stands in the table now; written again it would be told twice.
        return self._submit(replace(job, news=()), replace(call, news=()), messages, now)

    def next_attempt(self, job_id: str, call_id: str, *, now: datetime) -> tuple[Job, Call]:
        """Submit a waiting call once more; do nothing if it is not waiting any longer.

        Raises UnknownCall.
        """
        job, call = self.store.load(job_id, call_id)
        is_wanted = (
            job.state is JobState.ACTIVE
            and call.state is CallState.WAITING
            and call.paid_attempts < self.settings.retries.max_attempts
            and now < job.deadline
        )
        if not is_wanted:
            return job, call
        try:
            call = self.store.save_call(self._claimed(call, now))
            messages = self._messages(job, self._read(job.source))
        except Conflict:
            return job, call  # another message about the same call was quicker
        except BadTranscript as exc:
            return self._ended(job, call, exc.code, str(exc), now)
        return self._submit(job, call, messages, now)

    def _submit(
        self, job: Job, call: Call, messages: list[Message], now: datetime
    ) -> tuple[Job, Call]:
        number = call.attempt.number
        try:
            runpod_id = self.runpod.run(self._request(job, call, messages))
            event = _event(now, attempt=number, runpod_id=runpod_id)
            return job, self.store.save_call(call.submitted(runpod_id, event))
        except Conflict:
            return self.store.load(job.id, call.id)  # the callback was quicker than the answer
        except RunPodRefused as exc:
            return self._ended(job, call, "refused-by-runpod", str(exc), now)
        except RunPodBusy as exc:
            delay = retry_delay(len(call.attempts))
            return job, self._wait(call, NOT_TAKEN, str(exc), delay, now)
        except RunPodFailed as exc:
            if call.paid_attempts < self.settings.retries.max_attempts:
                return job, self._wait(call, "runpod-broke", str(exc), _AFTER_RUNPOD_BROKE, now)
            return self._left_to_callback(job, call, str(exc), now)
        except RunPodSilent as exc:
            return self._left_to_callback(job, call, str(exc), now)

    def _wait(self, call: Call, outcome: str, why: str, delay: timedelta, now: datetime) -> Call:
        """Record that the attempt came to nothing and ask for another."""
        due_at = now + delay + LATEST_PICKUP
        event = _event(now, why=why, attempt=call.attempt.number)
        try:
            call = self.store.save_call(call.waiting(outcome, due_at=due_at, event=event))
        except Conflict:
            return call  # RunPod did take it, and the callback has come
        self.queue.wants_attempt(call.job_id, call.id, after=delay)
        return call

    def _left_to_callback(self, job: Job, call: Call, why: str, now: datetime) -> tuple[Job, Call]:
        """Leave a request that RunPod may have taken to its callback, or else to the sweeper."""
        what = "left to the callback"
        event = _event(now, what=what, why=why, attempt=call.attempt.number)
        try:
            return job, self.store.save_call(call.noted(event))
        except Conflict:
            return self.store.load(job.id, call.id)

    def _ended(self, job: Job, call: Call, code: str, why: str, now: datetime) -> tuple[Job, Call]:
        event = _event(now, why=why, attempt=call.attempt.number)
        try:
            return self.store.save(job.failed(code, event), call.failed(code, event))
        except Conflict:
            return self.store.load(job.id, call.id)  # an earlier attempt's result has come

    def _claimed(self, call: Call, now: datetime) -> Call:
        due_at = now + self.settings.callback_overdue
        return call.claimed(due_at=due_at, event=_event(now, attempt=len(call.attempts) + 1))

    def _read(self, source: Source) -> Transcript:
        body = self.transcripts.read(source, max_bytes=self.settings.accepts.max_bytes)
        return read_transcript(body, max_bytes=self.settings.accepts.max_bytes)

    def _messages(self, job: Job, transcript: Transcript) -> list[Message]:
        """Return the prompt. Raises BadTranscript if it does not fit the model."""
        messages = summary_messages(
            transcript.text,
            boundary=job.id,  # hashes the file's version: its author can't have written it inside
            words=job.request.words,
            transcript_words=transcript.words,
            language=job.request.language,
        )
        budget = self.settings.budget
        tokens = sum(estimate_tokens(message["content"]) for message in messages)
        if tokens > budget.prompt_tokens:
            raise BadTranscript(
                "too-long",
                f"the transcript of {transcript.words:,} words needs up to {tokens:,} tokens, and a"
                f" context of {budget.context_tokens:,} less {budget.max_tokens:,} for the answer"
                f" leaves {budget.prompt_tokens:,}; serve the model with a larger MAX_MODEL_LEN and set"
                " MaxModelLenTokens to it, or split the file",
            )
        return messages

    def _new_job(self, source: Source, words: int, now: datetime) -> Job:
        settings = self.settings
        job = Job(
            id=job_id_for(source),
            state=JobState.ACTIVE,
            source=source,
            request=settings.request,
            summary_key=summary_key_for(
                source.key, prefix=settings.places.output_prefix, suffixes=settings.accepts.suffixes
            ),
            words_in=words,
            created_at=now,
            deadline=now + settings.retries.job_deadline,
            expires_at=now + settings.retention,
        )
        return job.noted(_event(now, what="recorded", words_in=words, bytes_in=source.size_bytes))

    def _request(self, job: Job, call: Call, messages: list[Message]) -> dict[str, Any]:
        """Return the body of POST /run, in the one format that every worker-vllm takes."""
        asked, settings = job.request, self.settings
        ref = CallRef(job.id, call.id, call.attempt.number)
        ttl = settings.retries.job_deadline + _TTL_PAST_DEADLINE
        return {
            "input": {
                "openai_route": "/v1/chat/completions",
                "openai_input": {
                    "model": asked.model,
                    "messages": messages,
                    "max_tokens": asked.max_tokens,
                    "temperature": asked.temperature,
                    "top_p": asked.top_p,
                    "stream": False,
                },
            },
            "webhook": callback_url(settings.webhook_url, ref, self.secrets.current()),
            "policy": {
                "executionTimeout": settings.execution_timeout // timedelta(milliseconds=1),
                "ttl": ttl // timedelta(milliseconds=1),
            },
        }


def _event(now: datetime, *, what: str = "", why: str = "", **detail: str | int) -> Event:
    return Event(at=now, by=BY, what=what, why=why, detail=detail)
