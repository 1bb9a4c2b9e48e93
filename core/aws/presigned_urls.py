"""Presigned URLs for the worker of pull mode: S3Links."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from core.aws.files import delivery_key, which
from core.jobs.job import Source
from core.jobs.ports import PresignedUrl

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3PresignedUrls:
    """Signs without a request to AWS.

    A URL dies at the end of its lifetime, which SigV4 limits to 7 days, and before that with the
    session of the role that signed it, whose end a function can't know. So nothing relies on a URL to
    live: an attempt whose URL has died is retried with a fresh one, and a result that can't be put
    comes back in the manifest.

    The client is made when the first URL is wanted: in push mode none ever is.
    """

    def __init__(self, make_client: Callable[[], "S3Client"], output_bucket: str) -> None:
        self._make_client = make_client
        self._output_bucket = output_bucket

    def to_read(self, source: Source, *, lifetime: timedelta) -> PresignedUrl:
        parameters = which(source)
        url = self._client.generate_presigned_url(
            "get_object", Params=parameters, ExpiresIn=_seconds(lifetime)
        )
        etag = parameters.get("IfMatch")
        return PresignedUrl(url, {"If-Match": etag} if etag else {})

    def to_deliver(
        self, job_id: str, call_id: str, attempt: int, *, lifetime: timedelta
    ) -> PresignedUrl:
        place = {"Bucket": self._output_bucket, "Key": delivery_key(job_id, call_id, attempt)}
        url = self._client.generate_presigned_url(
            "put_object", Params=place, ExpiresIn=_seconds(lifetime)
        )
        return PresignedUrl(url)

    @cached_property
    def _client(self) -> "S3Client":
        return self._make_client()


def _seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())
