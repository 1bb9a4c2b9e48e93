"""Where what calls read comes from: the upload, and then what is stored of the job.

An upload is read once. What the model is shown, and who is shown which part of it, is stored before the
first request, and every later attempt goes by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.errors import BadTranscript
from core.jobs.model import Job, Source
from core.jobs.ports import IntermediateStore, Transcripts, Upload
from core.settings import SubmitterSettings
from core.summaries.levels import Level, cut, layer_in
from core.summaries.options import Mode, SummaryOptions
from core.summaries.stages import StagePlan, plan_in
from core.transcripts.reader import Transcript, read_transcript
from submitter.overrides import expected_mode, resolve_options


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An upload as it was read, or left for the worker to read."""

    text: str | None  # what the model is shown; None in pull mode
    words: int = 0  # what was said, without the times
    format: str = ""
    options: SummaryOptions
    source: Source  # with the size that S3 says it has


@dataclass(frozen=True, kw_only=True)
class Material:
    transcripts: Transcripts
    intermediate_store: IntermediateStore
    settings: SubmitterSettings

    def read(self, source: Source) -> Reading:
        """Read an upload, and what is asked for with it; in pull mode that alone.

        Raises BadTranscript.
        """
        upload = self._looked_at(source)
        options = resolve_options(self.settings.options, key=source.key, metadata=upload.metadata)
        source = replace(source, size_bytes=upload.size_bytes)
        if upload.body is None:
            return Reading(text=None, options=options, source=source)
        transcript = read_transcript(upload.body, max_bytes=self._max_bytes)
        return Reading(
            text=_shown(transcript, options),
            words=transcript.words,
            format=transcript.format,
            options=options,
            source=source,
        )

    def _looked_at(self, source: Source) -> Upload:
        """Return an upload, unread if the worker is to read it.

        The metadata, which comes with either answer, has the last word: what was expected only saves a
        request, or an answer that is not read on.
        """
        is_expected = expected_mode(self.settings.options, key=source.key) is Mode.PULL
        if is_expected or source.size_bytes > self._max_bytes:
            upload = self.transcripts.head(source)
            if self._is_pull(source, upload.metadata):
                return upload
        return self.transcripts.read(
            source,
            max_bytes=self._max_bytes,
            wants=lambda metadata: not self._is_pull(source, metadata),
        )

    def _is_pull(self, source: Source, metadata: Mapping[str, str]) -> bool:
        options = resolve_options(self.settings.options, key=source.key, metadata=metadata)
        return options.mode is Mode.PULL

    @property
    def _max_bytes(self) -> int:
        return self.settings.upload_filter.max_bytes

    def level(self, job: Job, number: int) -> Level:
        """Return a layer of a job. Raises BadTranscript if it is gone."""
        document = self.intermediate_store.recorded(job.id, _name(number))
        if document is None:
            raise BadTranscript(
                "work-expired",
                "what this summary is made from was deleted from work/ before it was finished; upload"
                " the file again",
            )
        return layer_in(document)

    def cut(self, job: Job, number: int, text: str) -> Level:
        """Cut a text into a layer of a job and store it, unless it is there; return what stands."""
        level = cut(number, text, job.limits)
        document = level.as_document()
        existing = self.intermediate_store.record(job.id, _name(number), document)
        return level if existing == document else layer_in(existing)

    def plan(self, job: Job, stage: int, plan: StagePlan) -> StagePlan:
        """Store a stage's plan, unless it is there; return what stands."""
        return plan_in(self.intermediate_store.record(job.id, f"stage-{stage}", plan.as_document()))


def _shown(transcript: Transcript, options: SummaryOptions) -> str:
    return transcript.text_with_times if options.with_times else transcript.text


def _name(number: int) -> str:
    return f"layer-{number}"
