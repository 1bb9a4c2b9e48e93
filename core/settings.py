"""What each function is set to: a frozen dataclass for each, checked as it is read from the environment.

template.yaml holds the defaults, so a missing variable is an error here. To add a setting, see
CONTRIBUTING.md; tests compare what each function reads with what the template declares for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from core.errors import SettingsError
from core.summaries.goals import WritingLimits
from core.summaries.models import profile_named
from core.summaries.options import SummaryOptions
from core.variables import Variables

# RunPod keeps a result for 30 minutes. Five of them are left for the sweep to do its work.
LONGEST_DISCOVERY = timedelta(minutes=25)


class FunctionSettings(ABC):
    """What one function is set to."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Raises SettingsError."""
        return cls.read(Variables(environment))

    @classmethod
    @abstractmethod
    def read(cls, variables: Variables) -> Self:
        """Raises SettingsError."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How long a job may take and how often it may be tried."""

    job_deadline: timedelta
    max_attempts: int  # RunPod requests that one call may cost

    @classmethod
    def read(cls, variables: Variables) -> Self:
        return cls(
            job_deadline=timedelta(
                minutes=variables.integer("JOB_DEADLINE_MINUTES", least=1, most=180)
            ),
            max_attempts=variables.integer("MAX_ATTEMPTS", least=1, most=5),
        )


@dataclass(frozen=True, kw_only=True)
class RunPodSettings:
    endpoint: str  # https://api.runpod.ai/v2/<endpoint id>
    api_key_secret: str  # the secret's name, never its value

    @classmethod
    def read(cls, variables: Variables) -> Self:
        return cls(
            endpoint=variables.url("RUNPOD_API_ENDPOINT"),
            api_key_secret=variables.text("RUNPOD_API_KEY_SECRET"),
        )


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Where jobs, summaries and messages go."""

    jobs_table: str
    output_bucket: str
    output_prefix: str
    work_queue_url: str

    @classmethod
    def read(cls, variables: Variables) -> Self:
        return cls(
            jobs_table=variables.text("JOBS_TABLE"),
            output_bucket=variables.text("OUTPUT_BUCKET"),
            output_prefix=variables.text("OUTPUT_PREFIX"),
            work_queue_url=variables.text("WORK_QUEUE_URL"),
        )


@dataclass(frozen=True, kw_only=True)
class UploadFilter:
    """Which uploads are transcripts."""

    bucket: str
    prefix: str
    suffixes: tuple[str, ...]  # lower case
    max_bytes: int

    @classmethod
    def read(cls, variables: Variables) -> Self:
        suffixes = variables.text("INPUT_SUFFIXES").lower().split(",")
        return cls(
            bucket=variables.text("INPUT_BUCKET"),
            prefix=variables.optional("INPUT_PREFIX"),
            suffixes=tuple(suffix.strip() for suffix in suffixes if suffix.strip()),
            max_bytes=variables.integer("MAX_TRANSCRIPT_BYTES", least=1, most=100_000_000),
        )


@dataclass(frozen=True, kw_only=True)
class SubmitterSettings(FunctionSettings):
    resources: Resources
    runpod: RunPodSettings
    retries: Retries
    upload_filter: UploadFilter
    callback_secret: str
    webhook_url: str
    options: SummaryOptions
    glossary: str  # entries separated by semicolons; of the deployment
    limits: WritingLimits
    execution_timeout: timedelta
    callback_overdue: timedelta
    retention: timedelta

    @classmethod
    def read(cls, variables: Variables) -> Self:
        options, limits = _summary_options(variables)
        return cls(
            resources=Resources.read(variables),
            runpod=RunPodSettings.read(variables),
            retries=Retries.read(variables),
            upload_filter=UploadFilter.read(variables),
            callback_secret=variables.text("CALLBACK_SECRET"),
            webhook_url=variables.url("WEBHOOK_URL"),
            options=options,
            glossary=variables.optional("GLOSSARY"),
            limits=limits,
            execution_timeout=timedelta(
                seconds=variables.integer("EXECUTION_TIMEOUT_SECONDS", least=5, most=604_800)
            ),
            callback_overdue=_callback_overdue(variables),
            retention=timedelta(days=variables.integer("RETENTION_DAYS", least=1, most=3650)),
        )


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings(FunctionSettings):
    resources: Resources
    retries: Retries
    callback_secret: str
    verifies_with: RunPodSettings | None  # None: a callback with the right token is believed

    @classmethod
    def read(cls, variables: Variables) -> Self:
        runpod = RunPodSettings.read(variables)
        return cls(
            resources=Resources.read(variables),
            retries=Retries.read(variables),
            callback_secret=variables.text("CALLBACK_SECRET"),
            verifies_with=runpod if variables.flag("VERIFY_CALLBACKS") else None,
        )


@dataclass(frozen=True, kw_only=True)
class SweeperSettings(FunctionSettings):
    resources: Resources
    runpod: RunPodSettings
    retries: Retries
    max_polls: int  # MAX_POLLING_ATTEMPTS
    poll_interval: timedelta  # POLLING_INTERVAL
    expires_work_files: bool  # whether the output bucket has no rule for it
    work_file_retention: timedelta

    @classmethod
    def read(cls, variables: Variables) -> Self:
        settings = cls(
            resources=Resources.read(variables),
            runpod=RunPodSettings.read(variables),
            retries=Retries.read(variables),
            max_polls=variables.integer("MAX_POLLING_ATTEMPTS", least=2, most=100),
            poll_interval=timedelta(
                seconds=variables.integer("POLLING_INTERVAL", least=1, most=300)
            ),
            expires_work_files=variables.flag("EXPIRES_WORK_FILES"),
            # A job lives for a day and some hours where a call of it is held.
            work_file_retention=timedelta(
                days=variables.integer("WORK_FILE_RETENTION_DAYS", least=2, most=3650)
            ),
        )
        discovery = longest_discovery(
            overdue=_callback_overdue(variables),
            deadline=settings.retries.job_deadline,
            polls=settings.max_polls,
            poll_interval=settings.poll_interval,
            schedule=timedelta(
                minutes=variables.integer("SWEEP_SCHEDULE_MINUTES", least=1, most=10)
            ),
        )
        if discovery > LONGEST_DISCOVERY:
            raise SettingsError(
                f"a lost callback could be found only after {discovery}, and RunPod keeps a result for"
                " 30 minutes: raise MAX_POLLING_ATTEMPTS, or lower JOB_DEADLINE_MINUTES,"
                " CALLBACK_OVERDUE_SECONDS, POLLING_INTERVAL or SWEEP_SCHEDULE_MINUTES"
            )
        return settings


@dataclass(frozen=True, kw_only=True)
class NotifierSettings(FunctionSettings):
    stack_name: str
    output_bucket: str
    notice_dead_end_url: str

    @classmethod
    def read(cls, variables: Variables) -> Self:
        return cls(
            stack_name=variables.text("STACK_NAME"),
            output_bucket=variables.text("OUTPUT_BUCKET"),
            notice_dead_end_url=variables.text("NOTICE_DEAD_END_URL"),
        )


@dataclass(frozen=True, kw_only=True)
class WebhookSenderSettings(FunctionSettings):
    stack_name: str
    url: str = field(repr=False)  # NOTICE_WEBHOOK_URL; its path may hold a token
    secret: str  # NOTICE_WEBHOOK_SECRET; its name, never its value
    notice_queue_url: str
    notice_dead_end_url: str

    @classmethod
    def read(cls, variables: Variables) -> Self:
        variables.url("NOTICE_WEBHOOK_URL")  # which leaves a slash off that a receiver may want
        return cls(
            stack_name=variables.text("STACK_NAME"),
            url=variables.text("NOTICE_WEBHOOK_URL"),
            secret=variables.text("NOTICE_WEBHOOK_SECRET"),
            notice_queue_url=variables.text("NOTICE_QUEUE_URL"),
            notice_dead_end_url=variables.text("NOTICE_DEAD_END_URL"),
        )


def longest_discovery(
    *,
    overdue: timedelta,
    deadline: timedelta,
    polls: int,
    poll_interval: timedelta,
    schedule: timedelta,
) -> timedelta:
    """Return the longest time between a result and the sweep that finds its callback lost.

    The sweeper polls first when the callback is overdue, then spreads its polls over the time left
    until the deadline, where the last one falls.
    """
    gap = max((deadline - overdue) / (polls - 1), poll_interval)
    return max(overdue, gap) + schedule


def _summary_options(variables: Variables) -> tuple[SummaryOptions, WritingLimits]:
    profile = profile_named(variables.text("MODEL_PROFILE"))
    max_model_len = variables.integer("MAX_MODEL_LEN", least=2_048, most=profile.context_tokens)
    max_tokens = variables.integer("MAX_TOKENS", least=64, most=16_384)
    options = SummaryOptions(
        words=variables.integer("SUMMARY_WORDS", least=50, most=20_000),
        language=variables.optional("SUMMARY_LANGUAGE"),
        model=variables.optional("MODEL_NAME") or profile.served_name,
        max_tokens=min(max_tokens, max_model_len // 2),  # the rest is for what is summarised
        temperature=variables.number("TEMPERATURE", least=0.0, most=2.0),
        top_p=variables.number("TOP_P", least=0.01, most=1.0),
        with_times=variables.flag("CITE_TIMES"),
        mode=variables.mode("MODE"),
    )
    limits = WritingLimits(
        context_tokens=max_model_len,
        max_tokens=options.max_tokens,
        reliable_words=profile.reliable_words,
        token_budget=variables.number("TOKEN_BUDGET", least=1.0, most=10.0),
    )
    return options, limits


def _callback_overdue(variables: Variables) -> timedelta:
    return timedelta(seconds=variables.integer("CALLBACK_OVERDUE_SECONDS", least=1, most=600))
