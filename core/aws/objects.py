"""One bucket's objects, written on a condition: what S3's answers mean is decided here alone.

    412   another object is there
    409   another conditional write is under way, and may come to nothing: S3 wants to be asked again
    404   none is there (or, to a write in place of one, no longer)

Everything else is a refusal, and raised as one.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from core.errors import OutputRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

_ANOTHER_IS_THERE = frozenset({"PreconditionFailed", "412"})
_WRITE_UNDER_WAY = frozenset({"ConditionalRequestConflict", "409"})
_NONE_IS_THERE = frozenset({"NoSuchKey", "404"})
# Between writes that met another one. A receiver has a second or two to answer RunPod in.
_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4)

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Head:
    """What is known of an object without its body."""

    etag: str
    metadata: Mapping[str, str]


class Objects:
    """Every method raises OutputRefused where S3 does not do as it is asked."""

    def __init__(self, client: "S3Client", bucket: str, *, sleep: Sleep = time.sleep) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        replacing: str = "",
    ) -> bool:
        """Write an object where there is none, or in place of the one with an ETag.

        Returns whether it was written; if not, another one is there, or none any longer.
        """
        condition: dict[str, Any] = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
        pauses = iter(_PAUSES_SECONDS)
        while True:
            try:
                with self._refusals("PutObject"):
                    self._client.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=body,
                        ContentType=content_type,
                        Metadata=dict(metadata),
                        **condition,
                    )
                return True
            except _NotSoError:
                return False
            except _UnderWayError as exc:
                pause = next(pauses, None)
                if pause is None:
                    raise self._refused("PutObject", "ConditionalRequestConflict") from exc
            self._sleep(pause)

    def head(self, key: str) -> Head | None:
        """Return the object of a name without its body, if there is one."""
        try:
            with self._refusals("HeadObject"):
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except _NotSoError:
            return None
        return Head(answer["ETag"], answer["Metadata"])

    def get(
        self, key: str, *, max_bytes: int | None = None
    ) -> tuple[bytes, Mapping[str, str]] | None:
        """Return an object's body and metadata, if there is one.

        Of a larger object than `max_bytes` no more than `max_bytes` + 1 are read.
        """
        try:
            with self._refusals("GetObject"):
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                with closing(answer["Body"]) as body:
                    received: bytes = body.read(None if max_bytes is None else max_bytes + 1)
        except _NotSoError:
            return None
        return received, answer["Metadata"]

    @contextmanager
    def _refusals(self, operation: str) -> Iterator[None]:
        try:
            yield
        except ParamValidationError:
            raise  # our own mistake, and no answer of S3's
        except ClientError as exc:
            code = exc.response["Error"]["Code"]
            if code in _NONE_IS_THERE | _ANOTHER_IS_THERE:
                raise _NotSoError from exc
            if code in _WRITE_UNDER_WAY:
                raise _UnderWayError from exc
            raise self._refused(operation, code) from exc
        except BotoCoreError as exc:
            raise self._refused(operation, type(exc).__name__) from exc

    def _refused(self, operation: str, code: str) -> OutputRefused:
        return OutputRefused(f"S3 refused {operation} in bucket {self._bucket}: {code}")


class _NotSoError(Exception):
    """The object that was asked for is not there, or a write's condition does not hold."""


class _UnderWayError(Exception):
    """Another conditional write of the same name is under way."""
