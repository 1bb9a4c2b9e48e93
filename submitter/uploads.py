"""What keeps an upload from being read at all, said before anybody tries. Pure."""

from core.aws.names import is_transcript_name, suffix_of
from core.errors import BadTranscript
from core.jobs.job import Source
from core.settings import UploadFilter

# template.yaml lets SQS hand a message out so often; then it goes to the dead-letter queue.
MOST_DELIVERIES = 5
# So often a refusal of S3 is waited out, six minutes each: a new grant takes a while to hold everywhere.
DELIVERIES_BEFORE_FORBIDDEN = 3
_LARGE_BYTES = 1_000_000  # below it no reading can take the whole of a function's memory or time


def check_name(source: Source, upload_filter: UploadFilter) -> None:
    """Refuse a name that does not end as transcripts do. Raises BadTranscript."""
    if is_transcript_name(source.key, upload_filter.suffixes):
        return
    suffix = suffix_of(source.key)
    ends = f"ends in {suffix}" if suffix else "has no suffix"
    raise BadTranscript(
        "unlisted-suffix",
        f"the name {ends}, and transcripts end in {', '.join(upload_filter.suffixes)}, with or without .gz"
        " behind (InputSuffixes); export the file in one of these formats, or rename it",
    )


def check_deliveries(source: Source, deliveries: int) -> None:
    """Refuse a large file that nobody came back from reading: the next time is the last.

    A function that is killed can't record why, so it is recorded before the last try, in its place.
    Raises BadTranscript.
    """
    if deliveries >= MOST_DELIVERIES and source.size_bytes > _LARGE_BYTES:
        raise BadTranscript(
            "reading-crashed",
            f"the file was tried {deliveries - 1} times, and each time the function ran out of memory or"
            " time, or AWS was out of reach; split the file, or upload it again if there was an outage",
        )
