"""The turns of a job's transcript: as they were numbered for the model, or the upload read again."""

import json
from dataclasses import dataclass, field

from cli.operating.desk import Desk
from core.aws.files import S3IntermediateStore, S3Transcripts
from core.errors import BadTranscript, OutputRefused
from core.jobs.job import Job
from core.jobs.material import MATERIAL, MaterialStore, material_in
from core.summaries.glossary import Glossary
from core.summaries.passages import Passages, numbered
from core.transcripts.reader import read_transcript

_MOST_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Turns:
    passages: Passages | None = field(repr=False)
    remark: str = ""  # why there are none, or what to mind


def turns_of(desk: Desk, job: Job) -> Turns:
    """Return a job's numbered turns; work files are kept for a week, and then the upload is read."""
    stored = S3IntermediateStore(
        desk.deployment.client("s3"), desk.deployment.outputs["OutputBucket"]
    )
    try:
        document = stored.recorded(job.id, MATERIAL)
        if document is not None:
            return Turns(passages=material_in(json.loads(document)).passages)
        glossary = _glossary(stored, job)
    except OutputRefused as exc:
        return Turns(passages=None, remark=str(exc))
    return _read_again(desk, job, glossary)


def _glossary(stored: S3IntermediateStore, job: Job) -> Glossary | None:
    """Return the names that were put right; None where they are no longer kept."""
    try:
        return MaterialStore(intermediate_store=stored).glossary(job)
    except BadTranscript:
        return None


def _read_again(desk: Desk, job: Job, glossary: Glossary | None) -> Turns:
    try:
        with S3Transcripts(desk.deployment.client("s3")).open(job.source) as upload:
            transcript = read_transcript(upload.read(_MOST_BYTES), max_bytes=_MOST_BYTES)
    except BadTranscript as exc:
        return Turns(passages=None, remark=f"the transcript can't be shown: {exc.failure.message}")
    passages = numbered((glossary or Glossary()).applied_to_turns(transcript.turns))
    if glossary is None:
        return Turns(
            passages=passages,
            remark="names stand as in the upload: the glossary of this job is no longer kept",
        )
    return Turns(passages=passages)
