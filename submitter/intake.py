"""The submitter's use case for uploads: an upload becomes a job, with the calls of its first stage."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import BadTranscript, Forbidden, OutputRefused
from core.failures import Failure
from core.jobs.call import Call
from core.jobs.job import WHOLE, Job, Source
from core.jobs.lifecycle import LATEST_PICKUP, Lifecycle
from core.jobs.material import Material, MaterialStore, goal
from core.jobs.ports import Transcripts
from core.settings import SubmitterSettings
from core.summaries.engine import next_round
from core.summaries.glossary import Glossary
from core.summaries.goals import target_words
from core.summaries.options import Mode, SummaryOptions
from core.summaries.passages import numbered
from core.summaries.rounds import GivenUp, Round
from core.transcripts.reader import Transcript, read_transcript
from submitter.dispatch import Dispatch, push_input
from submitter.glossaries import Glossaries
from submitter.overrides import resolve_options
from submitter.record import in_next_stage, new_call, new_job
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN, check_deliveries, check_name


@dataclass(frozen=True, kw_only=True)
class Intake:
    lifecycle: Lifecycle
    transcripts: Transcripts
    glossaries: Glossaries
    materials: MaterialStore
    dispatch: Dispatch
    settings: SubmitterSettings
    clock: Callable[[], datetime]

    def accept(
        self, source: Source, *, deliveries: int = DELIVERIES_BEFORE_FORBIDDEN
    ) -> tuple[Job, list[Call]]:
        """Record an upload as a job and submit its calls.

        A file that can't be summarised becomes a failed job with the reason. `deliveries` counts how
        often its message has come, this time included. Raises JobExists for an upload that was
        announced before, Conflict where it could not be recorded for others' writes, and Forbidden or
        OutputRefused where a grant may take a while to hold everywhere.
        """
        try:
            check_name(source, self.settings.upload_filter)
            check_deliveries(source, deliveries)
            return self._accept_readable(source)
        except (BadTranscript, OutputRefused) as exc:
            is_permanent = isinstance(exc, BadTranscript) and not isinstance(exc, Forbidden)
            if not is_permanent and deliveries < DELIVERIES_BEFORE_FORBIDDEN:
                raise
            return self._record_failed(source, _failure_of(exc)), []

    def _accept_readable(self, source: Source) -> tuple[Job, list[Call]]:
        with self.transcripts.open(source) as upload:
            source = replace(source, size_bytes=upload.size_bytes)
            options = resolve_options(
                self.settings.options, key=source.key, metadata=upload.metadata
            )
            glossary = self.glossaries.of(source, upload.metadata)
            if options.mode is Mode.PUSH:
                max_bytes = self.settings.upload_filter.max_bytes
                transcript = read_transcript(upload.read(max_bytes), max_bytes=max_bytes)
                return self._accept_push(source, options, transcript, glossary)
        return self._accept_pull(source, options, glossary)  # unread: the worker fetches it

    def _accept_pull(
        self, source: Source, options: SummaryOptions, glossary: Glossary
    ) -> tuple[Job, list[Call]]:
        now = self.clock()
        job = new_job(source, options, settings=self.settings, glossary=glossary, now=now)
        glossary = self.materials.keep_glossary(job, glossary)
        call = new_call(job, WHOLE, words=job.target_words)
        return self.dispatch.begin_job(job, [call], self.dispatch.pull_input(glossary))

    def _accept_push(
        self, source: Source, options: SummaryOptions, transcript: Transcript, glossary: Glossary
    ) -> tuple[Job, list[Call]]:
        now = self.clock()
        passages = numbered(glossary.applied_to_turns(transcript.turns))
        job = new_job(
            source,
            options,
            settings=self.settings,
            now=now,
            words_in=passages.words,
            target_words=target_words(options.words, passages.words),
            glossary=glossary,
            detail={"words_in": passages.words, "read_as": transcript.format},
        )
        step = next_round(passages, goal(job, glossary), job.limits, [])
        if not isinstance(step, Round):  # nothing was asked yet, so nothing can be finished
            raise BadTranscript("impossible", step.message if isinstance(step, GivenUp) else "")
        material = self.materials.keep(
            job, Material(passages=passages, glossary=glossary, first=step)
        )
        job, calls = in_next_stage(job, material.first, pickup=LATEST_PICKUP, now=now)
        input_of = push_input(material.passages, material.first)
        return self.dispatch.begin_job(job, calls, input_of)

    def _record_failed(self, source: Source, failure: Failure) -> Job:
        now = self.clock()
        job = new_job(source, self.settings.options, settings=self.settings, now=now)
        job = job.with_failure(failure.code, self.lifecycle.event(now, why=failure.message))
        self.lifecycle.store.create(job, [])
        return job


def _failure_of(exc: BadTranscript | OutputRefused) -> Failure:
    if isinstance(exc, BadTranscript):
        return exc.failure
    return Failure(
        "output-refused",
        f"{exc} when the file was taken in; mend the bucket's policy, its key or the function's"
        " permissions, then upload the file again",
    )
