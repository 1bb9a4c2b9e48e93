"""The submitter's use case for uploads: an upload becomes a job, with the calls of its first stage."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import BadTranscript, Forbidden, OutputRefused
from core.failures import Failure
from core.jobs.call import Call
from core.jobs.job import Job, Source
from core.jobs.lifecycle import LATEST_PICKUP, Lifecycle
from core.jobs.ports import Transcripts
from core.settings import SubmitterSettings
from core.summaries.levels import Level
from core.summaries.options import Mode, SummaryOptions
from core.summaries.plans import PlanImpossibleError, Task, plan_stage
from core.summaries.stages import StagePlan, resolve_target
from core.transcripts.reader import Transcript, read_transcript
from submitter.dispatch import Dispatch, push_input
from submitter.material import Material
from submitter.overrides import resolve_options
from submitter.record import as_one_call, in_next_stage, new_job, whole_task
from submitter.uploads import DELIVERIES_BEFORE_FORBIDDEN, check_deliveries, check_name


@dataclass(frozen=True, kw_only=True)
class Intake:
    lifecycle: Lifecycle
    transcripts: Transcripts
    material: Material
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
            if options.mode is Mode.PUSH:
                max_bytes = self.settings.upload_filter.max_bytes
                transcript = read_transcript(upload.read(max_bytes), max_bytes=max_bytes)
                return self._accept_push(source, options, transcript)
        return self._accept_pull(source, options)  # unread: the worker fetches it

    def _accept_pull(self, source: Source, options: SummaryOptions) -> tuple[Job, list[Call]]:
        job = new_job(source, options, settings=self.settings, now=self.clock())
        job, call = as_one_call(job, whole_task(job))
        job, call = self.dispatch.record_and_send(job, call, self.dispatch.pull_input)
        return job, [call]

    def _accept_push(
        self, source: Source, options: SummaryOptions, transcript: Transcript
    ) -> tuple[Job, list[Call]]:
        options, target_words = resolve_target(options, transcript.words)
        now = self.clock()
        job = new_job(
            source,
            options,
            settings=self.settings,
            now=now,
            words_in=transcript.words,
            target_words=target_words,
            detail={"words_in": transcript.words, "read_as": transcript.format},
        )
        shown = transcript.text_with_times if options.with_times else transcript.text
        level = self.material.cut(job, 0, shown)
        tasks = _planned(job, level)
        if len(tasks) == 1:
            job, call = as_one_call(job, tasks[0])
            job, call = self.dispatch.record_and_send(job, call, push_input(level))
            return job, [call]
        plan = self.material.plan(job, job.stage + 1, StagePlan(slots=[tasks]))
        job, calls = in_next_stage(job, plan, pickup=LATEST_PICKUP, now=now)
        self.lifecycle.store.create(job, calls)
        job = replace(job, pending_events=())
        return self.dispatch.send_all(job, calls, push_input(level))

    def _record_failed(self, source: Source, failure: Failure) -> Job:
        now = self.clock()
        job = new_job(source, self.settings.options, settings=self.settings, now=now)
        job = job.with_failure(failure.code, self.lifecycle.event(now, why=failure.message))
        self.lifecycle.store.create(job, [])
        return job


def _planned(job: Job, level: Level) -> list[Task]:
    try:
        return plan_stage(
            0,
            level.tokens,
            level.words,
            target=job.target_words,
            limits=job.limits,
            strategy=job.options.strategy,
        )
    except PlanImpossibleError as exc:
        raise BadTranscript("impossible", str(exc)) from exc


def _failure_of(exc: BadTranscript | OutputRefused) -> Failure:
    if isinstance(exc, BadTranscript):
        return exc.failure
    return Failure(
        "output-refused",
        f"{exc} when the file was taken in; mend the bucket's policy, its key or the function's"
        " permissions, then upload the file again",
    )
