"""Builds the adapters that the functions share: the one place that makes AWS clients."""

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from core.counted import CountedJobStore
from core.files import S3Summaries, S3Transcripts, S3Workshop
from core.links import S3Links
from core.ports import JobStore
from core.queue import SqsWorkQueue
from core.runpod import HttpRunPod
from core.secrets import ManagedCallbackSecrets, SecretReader
from core.settings import Places, Retries, RunPodSettings
from core.settle import Settler
from core.store import DynamoJobStore
from core.telemetry import tell_moved
from core.work_files import S3WorkFiles

# Shorter than botocore's minute: a callback must be answered in seconds, and every caller retries.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# Left alone, botocore presigns with SigV2 in us-east-1, and elsewhere for the global host, which sends
# whoever asks for a young bucket on to another host, where the signature does not hold.
_PRESIGNING = Config(
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


def client(service: str) -> Any:
    """Return a client of one AWS service."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


def presigner() -> Any:
    """Return an S3 client whose presigned URLs hold in every Region."""
    return boto3.client("s3", config=_CONFIG.merge(_PRESIGNING))


def now() -> datetime:
    """Read the clock, for handlers only: use cases are told the time."""
    return datetime.now(UTC)


def store(places: Places) -> JobStore:
    return CountedJobStore(DynamoJobStore(client("dynamodb"), places.jobs_table), tell_moved)


def transcripts() -> S3Transcripts:
    return S3Transcripts(client("s3"))


def links(places: Places) -> S3Links:
    return S3Links(presigner(), places.output_bucket)


def summaries(places: Places) -> S3Summaries:
    return S3Summaries(client("s3"), places.output_bucket)


def workshop(places: Places) -> S3Workshop:
    return S3Workshop(client("s3"), places.output_bucket)


def work_files(places: Places) -> S3WorkFiles:
    return S3WorkFiles(client("s3"), places.output_bucket)


def work_queue(places: Places) -> SqsWorkQueue:
    return SqsWorkQueue(client("sqs"), places.work_queue_url)


def callback_secrets(name: str) -> ManagedCallbackSecrets:
    return ManagedCallbackSecrets(SecretReader(client("secretsmanager"), name))


def runpod(settings: RunPodSettings) -> HttpRunPod:
    key = SecretReader(client("secretsmanager"), settings.api_key_secret)
    return HttpRunPod(settings.endpoint, key)


def settler(places: Places, retries: Retries, *, by: str) -> Settler:
    return Settler(
        store=store(places),
        summaries=summaries(places),
        workshop=workshop(places),
        queue=work_queue(places),
        max_attempts=retries.max_attempts,
        by=by,
    )
