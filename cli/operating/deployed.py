"""What a deployed stack works with: the settings of its functions, and adapters for them.

The settings are read from the functions themselves, so nothing has to be told twice, and nothing that was
edited in deploy.toml since is mistaken for what runs.
"""

from typing import Any

import click

from cli.operating.desk import Desk
from cli.operating.runpod import environment_of
from cli.runpod_key import given_key
from core.aws.files import S3Summaries
from core.aws.queue import SqsWorkQueue
from core.aws.secrets import SecretReader
from core.errors import SettingsError
from core.jobs.lifecycle import Lifecycle
from core.runpod.client import ApiKey, HttpRunPod
from core.settings import SubmitterSettings

BY = "operator"


def settings_of(desk: Desk) -> SubmitterSettings:
    """Return what the submitter goes by now. Raises ClickException."""
    try:
        return SubmitterSettings.from_env(environment_of(desk))
    except SettingsError as exc:
        raise click.ClickException(
            f"the deployed submitter has settings that this checkout does not understand ({exc}):"
            " is the stack of another version? Deploy it, or check that version out"
        ) from None


def lifecycle_of(desk: Desk, settings: SubmitterSettings) -> Lifecycle:
    """Return what moves this stack's jobs, on the operator's account."""
    outputs = desk.deployment.outputs
    return Lifecycle(
        store=desk.deployment.store,
        summaries=S3Summaries(desk.deployment.client("s3"), outputs["OutputBucket"]),
        queue=SqsWorkQueue(desk.deployment.client("sqs"), outputs["UploadQueueUrl"]),
        retries=settings.retries,
        by=BY,
    )


def runpod_of(desk: Desk, settings: SubmitterSettings) -> HttpRunPod:
    """Return the stack's endpoint, with the key of the environment or of the stack's own secret."""
    return HttpRunPod(settings.runpod.endpoint, _key(desk, settings))


def _key(desk: Desk, settings: SubmitterSettings) -> ApiKey:
    given = given_key()
    if given:
        return _GivenKey(given)
    client: Any = desk.deployment.client("secretsmanager")
    return SecretReader(client, settings.runpod.api_key_secret)


class _GivenKey:
    def __init__(self, key: str) -> None:
        self._key = key

    def value(self) -> str:
        return self._key

    def refetched(self) -> str:
        return self._key
