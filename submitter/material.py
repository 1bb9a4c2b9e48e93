"""Where what calls read comes from: the upload, and then what is stored of the job.

An upload is read once. What the model is shown, and who is shown which part of it, is stored before the
first request, and every later attempt goes by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.choices import chosen, expected_mode
from core.errors import BadTranscript
from core.jobs import Job, Mode, Request, Source
from core.layers import Layer, cut, layer_in
from core.ports import Transcripts, Upload, Workshop
from core.settings import SubmitterSettings
from core.stages import StagePlan, plan_in
from core.transcripts import Transcript, read_transcript


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An upload as it was read, or left for the worker to read."""

    text: str | None  # what the model is shown; None in pull mode
    words: int = 0  # what was said, without the times
    format: str = ""
    request: Request
    source: Source  # with the size that S3 says it has


@dataclass(frozen=True, kw_only=True)
class Material:
    transcripts: Transcripts
    workshop: Workshop
    settings: SubmitterSettings

    def read(self, source: Source) -> Reading:
        """Read an upload, and what is asked for with it; in pull mode that alone.

        Raises BadTranscript.
        """
        upload = self._looked_at(source)
        request = chosen(self.settings.request, key=source.key, metadata=upload.metadata)
        source = replace(source, size_bytes=upload.size_bytes)
        if upload.body is None:
            return Reading(text=None, request=request, source=source)
        transcript = read_transcript(upload.body, max_bytes=self._max_bytes)
        return Reading(
            text=_shown(transcript, request),
            words=transcript.words,
            format=transcript.format,
            request=request,
            source=source,
        )

    def _looked_at(self, source: Source) -> Upload:
        """Return an upload, unread if the worker is to read it.

        The metadata, which comes with either answer, has the last word: what was expected only saves a
        request, or an answer that is not read on.
        """
        is_expected = expected_mode(self.settings.request, key=source.key) is Mode.PULL
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
        request = chosen(self.settings.request, key=source.key, metadata=metadata)
        return request.mode is Mode.PULL

    @property
    def _max_bytes(self) -> int:
        return self.settings.accepts.max_bytes

    def layer(self, job: Job, number: int) -> Layer:
        """Return a layer of a job. Raises BadTranscript if it is gone."""
        document = self.workshop.recorded(job.id, _name(number))
        if document is None:
            raise BadTranscript(
                "work-expired",
                "what this summary is made from was deleted from work/ before it was finished; upload"
                " the file again",
            )
        return layer_in(document)

    def cut(self, job: Job, number: int, text: str) -> Layer:
        """Cut a text into a layer of a job and store it, unless it is there; return what stands."""
        layer = cut(number, text, job.limits)
        document = layer.as_document()
        standing = self.workshop.record(job.id, _name(number), document)
        return layer if standing == document else layer_in(standing)

    def plan(self, job: Job, stage: int, plan: StagePlan) -> StagePlan:
        """Store a stage's plan, unless it is there; return what stands."""
        return plan_in(self.workshop.record(job.id, f"stage-{stage}", plan.as_document()))


def _shown(transcript: Transcript, request: Request) -> str:
    return transcript.text_with_times if request.with_times else transcript.text


def _name(number: int) -> str:
    return f"layer-{number}"
