"""Builds the adapters that the functions share: the one place that makes AWS clients.

A function's first answer waits for what is made and imported here. So clients are botocore's, which boto3
wraps with transfer managers and resources that nothing here uses; each is made once and shared; and what
only some functions need is imported by those.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session, get_session

from core.aws.files import S3IntermediateStore, S3Summaries, S3Transcripts
from core.aws.job_store import DynamoJobStore
from core.aws.queue import SqsWorkQueue
from core.aws.secrets import ManagedCallbackSecrets, SecretReader
from core.jobs.lifecycle import Lifecycle
from core.jobs.observed_store import ObservedJobStore
from core.jobs.ports import JobStore
from core.jobs.settle import Settler
from core.outcomes import report_transitions
from core.settings import Resources, Retries, RunPodSettings

if TYPE_CHECKING:
    from core.aws.job_index import JobIndex
    from core.aws.presigned_urls import S3PresignedUrls
    from core.aws.work_files import S3WorkFiles
    from core.notices.dead_end import DeadEnd
    from core.notices.event_bus import EventBus
    from core.runpod.client import HttpRunPod

_SERVICES = ["dynamodb", "events", "s3", "secretsmanager", "sqs"]
# Shorter than botocore's minute: a callback must be answered in seconds, and every caller retries.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=64,  # at most; the sweeper's threads would else make a connection for each request
)
# Left alone, botocore presigns with SigV2 in us-east-1, and elsewhere for the global host, which sends
# a request for a young bucket on to another host, where the signature does not hold.
_PRESIGNING = Config(
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


@cache
def client(service: str) -> Any:
    """Return the client of one AWS service."""
    return _session().create_client(service, config=_CONFIG)


def presigner() -> Any:
    """Return an S3 client whose presigned URLs hold in every Region."""
    return _session().create_client("s3", config=_CONFIG.merge(_PRESIGNING))


@cache
def _session() -> Session:
    """Return the session of all clients: what it has read of botocore's data serves each of them."""
    session = get_session()
    session.register_component("data_loader", _OurServices())
    return session


class _OurServices(Loader):
    """Botocore's data, of the services that the functions use.

    Before it makes its first client, botocore would look into the folders of all four hundred services to
    see whether this one is there: a tenth of a cold start.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's name
        return _SERVICES


def now() -> datetime:
    """Read the clock, for handlers only: use cases are given the time."""
    return datetime.now(UTC)


def store(resources: Resources) -> JobStore:
    return ObservedJobStore(
        DynamoJobStore(client("dynamodb"), resources.jobs_table), report_transitions
    )


def job_index(resources: Resources) -> "JobIndex":
    from core.aws.job_index import JobIndex  # noqa: PLC0415

    return JobIndex(client("dynamodb"), resources.jobs_table)


def transcripts() -> S3Transcripts:
    return S3Transcripts(client("s3"))


def presigned_urls(resources: Resources) -> "S3PresignedUrls":
    from core.aws.presigned_urls import S3PresignedUrls  # noqa: PLC0415

    return S3PresignedUrls(presigner, resources.output_bucket)


def summaries(resources: Resources) -> S3Summaries:
    return S3Summaries(client("s3"), resources.output_bucket)


def intermediate_store(resources: Resources) -> S3IntermediateStore:
    return S3IntermediateStore(client("s3"), resources.output_bucket)


def work_files(resources: Resources, *, kept: timedelta) -> "S3WorkFiles":
    from core.aws.work_files import S3WorkFiles  # noqa: PLC0415

    return S3WorkFiles(client("s3"), resources.output_bucket, kept=kept)


def work_queue(resources: Resources) -> SqsWorkQueue:
    return SqsWorkQueue(client("sqs"), resources.work_queue_url)


def event_bus() -> "EventBus":
    from core.notices.event_bus import EventBus  # noqa: PLC0415

    return EventBus(client("events"))


def dead_end(queue_url: str) -> "DeadEnd":
    from core.notices.dead_end import DeadEnd  # noqa: PLC0415

    return DeadEnd(client("sqs"), queue_url)


def secret(name: str) -> SecretReader:
    return SecretReader(client("secretsmanager"), name)


def callback_secrets(name: str) -> ManagedCallbackSecrets:
    return ManagedCallbackSecrets(secret(name))


def runpod(settings: RunPodSettings) -> "HttpRunPod":
    from core.runpod.client import HttpRunPod  # noqa: PLC0415

    return HttpRunPod(settings.endpoint, secret(settings.api_key_secret))


def lifecycle(
    resources: Resources,
    retries: Retries,
    *,
    store: JobStore,
    by: str,
    longest_chain: int | None = None,
) -> Lifecycle:
    return Lifecycle(
        store=store,
        summaries=summaries(resources),
        queue=work_queue(resources),
        retries=retries,
        by=by,
        longest_chain=longest_chain,
    )


def settler(resources: Resources, lifecycle: Lifecycle) -> Settler:
    return Settler(lifecycle=lifecycle, intermediate_store=intermediate_store(resources))
