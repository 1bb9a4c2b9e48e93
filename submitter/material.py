"""Where what calls read comes from: the upload, and the layers of a job that are kept."""

from dataclasses import dataclass

from core.choices import chosen
from core.errors import BadTranscript
from core.jobs import Job, Request, Source
from core.layers import Layer, cut, limits_of
from core.plans import Limits
from core.ports import Transcripts, Workshop
from core.settings import SubmitterSettings
from core.transcripts import read_transcript


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An upload as it was read."""

    text: str  # what the model is shown
    words: int  # what was said, without the times
    format: str
    request: Request


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
        """Read an upload, and what is asked for with it. Raises BadTranscript."""
        upload = self.transcripts.read(source, max_bytes=self.settings.accepts.max_bytes)
        request = chosen(self.settings.request, key=source.key, metadata=upload.metadata)
        transcript = read_transcript(upload.body, max_bytes=self.settings.accepts.max_bytes)
        return Reading(
            text=transcript.text_with_times if request.with_times else transcript.text,
            words=transcript.words,
            format=transcript.format,
            request=request,
        )

    def layer(self, job: Job, number: int) -> Layer:
        """Return a layer of a job. Raises BadTranscript if it is gone."""
        kept = self.workshop.kept(job.id, _name(number))
        if kept:
            return self.cut(number, kept.text)
        if number == 0:  # a job of one call keeps no copy
            return self.cut(0, self.read(job.source).text)
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


def _name(number: int) -> str:
    return f"layer-{number}"
