"""Where what calls read comes from: the upload, and the layers of a job that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.choices import chosen, expected_mode
from core.errors import BadTranscript
from core.jobs import Job, Mode, Request, Source
from core.layers import Layer, cut, limits_of
from core.plans import Limits
from core.ports import Transcripts, Upload, Workshop
from core.settings import SubmitterSettings
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

    @property
    def limits(self) -> Limits:
        return limits_of(
            context_tokens=self.settings.context_tokens,
            max_tokens=self.settings.request.max_tokens,
        )

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
        kept = self.workshop.kept(job.id, _name(number))
        if kept:
            return self.cut(number, kept.text)
        if number == 0:  # a job of one call keeps no copy
            upload = self.transcripts.read(job.source, max_bytes=self._max_bytes)
            transcript = read_transcript(upload.body or b"", max_bytes=self._max_bytes)
            return self.cut(0, _shown(transcript, job.request))
        raise BadTranscript(
            "work-expired",
            "the notes for this summary have expired before it was finished; upload the file again",
        )

    def keep(self, job: Job, number: int, text: str) -> Layer:
        """Store a layer, unless it is there, and return it."""
        self.workshop.keep(job.id, _name(number), text)
        return self.cut(number, text)

    def cut(self, number: int, text: str) -> Layer:
        return cut(number, text, self.limits)


def _shown(transcript: Transcript, request: Request) -> str:
    return transcript.text_with_times if request.with_times else transcript.text


def _name(number: int) -> str:
    return f"layer-{number}"
