"""The glossary of one upload: the deployment's, its folder's and its own; the nearer one holds.

    parameter Glossary               `Solhaug: soul hog; SPEAKER_00 = Ingrid Solhaug`, for every upload
    `_glossary.txt` in its folder    one a line; of the folders above, the nearest that has one
    metadata `summary-glossary`      as the parameter, for one file

What is wrong with one becomes a note in the summary's facts: a name is no reason to lose a summary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Self

from core.errors import BadTranscript, Forbidden
from core.jobs.job import Source
from core.jobs.ports import Transcripts
from core.settings import SubmitterSettings
from core.summaries.glossary import Glossary, one_line_glossary, parse_glossary
from core.transcripts.encodings import decoded

METADATA = "summary-glossary"
FILE_NAME = "_glossary.txt"

_MOST_BYTES = 200_000
_MOST_FOLDERS = 6  # each is a request to S3


@dataclass(frozen=True, kw_only=True)
class Glossaries:
    transcripts: Transcripts
    deployment: Glossary
    prefix: str  # above it no glossary counts

    @classmethod
    def of_settings(cls, settings: SubmitterSettings, transcripts: Transcripts) -> Self:
        """Return the glossaries of a deployment: its own, and those among its transcripts."""
        return cls(
            transcripts=transcripts,
            deployment=one_line_glossary(settings.glossary, source="the parameter Glossary"),
            prefix=settings.upload_filter.prefix,
        )

    def of(self, source: Source, metadata: Mapping[str, str]) -> Glossary:
        """Return what holds for an upload. What can't be read of it is in its notes."""
        folder = self._of_folder(source)
        return self.deployment.joined_with(folder).joined_with(_in_metadata(metadata))

    def _of_folder(self, source: Source) -> Glossary:
        for folder in _folders(source.key, self.prefix):
            key = folder + FILE_NAME
            try:
                body = self.transcripts.beside(source.bucket, key, max_bytes=_MOST_BYTES)
                if body is not None:
                    return _read(body, key)
            except Forbidden as exc:
                return Glossary(notes=(f"{key} was left out: {exc}",))
        return Glossary()


def _read(body: bytes, key: str) -> Glossary:
    if len(body) > _MOST_BYTES:
        return Glossary(notes=(f"{key} was left out: it has more than {_MOST_BYTES:,} bytes",))
    try:
        return parse_glossary(decoded(body), source=key)
    except BadTranscript:
        return Glossary(notes=(f"{key} was left out: it is no text; save it as UTF-8",))


def _folders(key: str, prefix: str) -> Iterator[str]:
    """Yield the folder of a key and those above it that lie in the prefix, the nearest first."""
    folder = key.rpartition("/")[0]
    for _ in range(_MOST_FOLDERS):
        place = f"{folder}/" if folder else ""
        if not place.startswith(prefix):
            return
        yield place
        if not folder:
            return
        folder = folder.rpartition("/")[0]


def _in_metadata(metadata: Mapping[str, str]) -> Glossary:
    """Read the glossary that came with a file; S3 hands out what is not ASCII encoded by RFC 2047."""
    value = metadata.get(METADATA, "")
    try:
        value = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeDecodeError):
        note = f"the metadata {METADATA} was left out: its encoding can't be understood"
        return Glossary(notes=(note,))
    return one_line_glossary(value, source=f"the metadata {METADATA}")
