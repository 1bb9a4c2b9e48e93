"""Each function runs under exactly its own role: what it grants is needed, and nothing else is granted.

A grant is proved by taking it away: the function must then be refused the action, in a scenario that
succeeds as soon as the role is complete again. A grant that the template gains tomorrow fails
here until a scenario needs it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from core.jobs.job import JobState
from local.waiting import wait_for
from tests.local import permission_scenarios as scenarios
from tests.local.conftest import Local, short_transcript
from tests.local.grants import (
    FUNCTIONS,
    GET_SECRET,
    Grant,
    Refusals,
    Role,
    forget_what_it_remembers,
    role_of,
    role_of_schedule,
    sweep_schedule,
)
from tests.local.permission_scenarios import Scenario

SUBMITTER: Mapping[Grant, Scenario] = {
    Grant("s3:GetObjectVersion", "input/*"): scenarios.upload,
    Grant("dynamodb:PutItem", "table"): scenarios.upload,
    Grant(GET_SECRET, "callback secret"): scenarios.upload,
    Grant(GET_SECRET, "runpod key"): scenarios.upload,
    Grant("dynamodb:UpdateItem", "table"): scenarios.upload,
    Grant("sqs:SendMessage", "queue"): scenarios.broken_submission,
    Grant("dynamodb:BatchGetItem", "table"): scenarios.broken_submission,
    Grant("s3:PutObject", "output/work/*"): scenarios.upload,
    Grant("dynamodb:Query", "table"): scenarios.outlined,
    Grant("s3:GetObject", "output/work/*"): scenarios.outlined,
    Grant("s3:PutObject", "output/summaries/*"): scenarios.outlined,
    Grant("s3:GetObject", "output/summaries/*"): scenarios.taken_key,
}
RECEIVER: Mapping[Grant, Scenario] = {
    Grant(GET_SECRET, "callback secret"): scenarios.upload,
    Grant("dynamodb:BatchGetItem", "table"): scenarios.upload,
    Grant("dynamodb:UpdateItem", "table"): scenarios.upload,
    Grant("s3:PutObject", "output/work/*"): scenarios.outlined,
    Grant("sqs:SendMessage", "queue"): scenarios.outlined,
    Grant("s3:PutObject", "output/summaries/*"): scenarios.pulled,
    Grant("s3:GetObject", "output/summaries/*"): scenarios.dead_publisher_and_failure,
    Grant("s3:GetObject", "output/work/*"): scenarios.dead_publisher_and_failure,
}
SWEEPER: Mapping[Grant, Scenario] = {
    Grant("dynamodb:Query", "table/index/due"): scenarios.lost_callback,
    Grant("dynamodb:Query", "table/index/by-state"): scenarios.lost_callback,
    Grant("dynamodb:BatchGetItem", "table"): scenarios.lost_callback,
    Grant(GET_SECRET, "runpod key"): scenarios.lost_callback,
    Grant("dynamodb:UpdateItem", "table"): scenarios.lost_callback,
    Grant("s3:PutObject", "output/work/*"): scenarios.lost_callback_of_outlined,
    Grant("sqs:SendMessage", "queue"): scenarios.lost_callback_of_outlined,
    Grant("dynamodb:Query", "table"): scenarios.failed_job,
    Grant("s3:PutObject", "output/summaries/*"): scenarios.lost_callback_of_pulled,
    Grant("s3:GetObject", "output/summaries/*"): scenarios.dead_publisher,
    Grant("s3:GetObject", "output/work/*"): scenarios.dead_publisher,
}
# Without it a glossary is left out, with a note, and nothing is refused that a log would tell.
GLOSSARIES = Grant("s3:GetObject", "input/*_glossary.txt")
NEEDED = dict(zip(FUNCTIONS, (SUBMITTER, RECEIVER, SWEEPER), strict=True))

NOT_POLLED = "Lambda takes messages with the function's role; the emulator's Lambda asks no role"
NOT_LISTED = (
    "S3 says 404 of what is not there only to who may list, else 403; the emulator always 404"
)
NOT_LOGGED = "Lambda writes the log with the function's role; the emulator's Lambda asks no role"


@dataclass(frozen=True)
class NotEnforced:
    """A grant that AWS asks for and the emulator does not."""

    why: str
    used_in: Scenario


LOGS = {
    Grant(action, "log:*"): NotEnforced(NOT_LOGGED, scenarios.upload)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents")
}
NOT_ENFORCED: Mapping[str, Mapping[Grant, NotEnforced]] = {
    "SubmitterFunction": {
        Grant("sqs:ReceiveMessage", "queue"): NotEnforced(NOT_POLLED, scenarios.upload),
        Grant("sqs:DeleteMessage", "queue"): NotEnforced(NOT_POLLED, scenarios.upload),
        Grant("sqs:GetQueueAttributes", "queue"): NotEnforced(NOT_POLLED, scenarios.upload),
        Grant("s3:ListBucket", "input"): NotEnforced(NOT_LISTED, scenarios.deleted_file),
        Grant("s3:ListBucket", "output"): NotEnforced(NOT_LISTED, scenarios.broken_submission),
        **LOGS,
    },
    "WebhookReceiverFunction": {
        Grant("s3:ListBucket", "output"): NotEnforced(
            NOT_LISTED, scenarios.dead_publisher_and_failure
        ),
        **LOGS,
    },
    "SweeperFunction": {
        Grant("s3:ListBucket", "output"): NotEnforced(NOT_LISTED, scenarios.dead_publisher),
        **LOGS,
    },
}
# What a deployment adds that reads a bucket which keeps no versions, and verifies callbacks.
ADDED: Mapping[str, Mapping[Grant, Scenario]] = {
    "SubmitterFunction": {Grant("s3:GetObject", "input/*"): scenarios.upload},
    "WebhookReceiverFunction": {Grant(GET_SECRET, "runpod key"): scenarios.upload},
    "SweeperFunction": {},
}
SCENARIOS = list(
    dict.fromkeys(
        [each for needed in NEEDED.values() for each in needed.values()]
        + [each.used_in for excused in NOT_ENFORCED.values() for each in excused.values()]
    )
)


@pytest.fixture
def tidy(local: Local, marker: str) -> Iterator[None]:
    yield
    leave_nothing(local, marker)


@pytest.fixture(scope="module")
def other(local: Local) -> Iterator[Local]:
    """A second deployment: callbacks verified, and a given bucket of transcripts."""
    s3 = local.stack.client("s3")
    s3.create_bucket(Bucket="given-transcripts")
    s3.put_bucket_notification_configuration(
        Bucket="given-transcripts",
        NotificationConfiguration={"EventBridgeConfiguration": {}},
    )
    parameters = {"InputBucketName": "given-transcripts", "VerifyCallbacks": "true"}
    with closing(local.stack.deploy_another("other", parameters)) as stack:
        yield replace(local, stack=stack)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_grants_what_an_occasion_needs_and_nothing_else(local: Local, function: str) -> None:
    granted = set(role_of(local.stack, function).arns)
    assert (GLOSSARIES in granted) == (function == "SubmitterFunction")
    granted -= {GLOSSARIES}

    assert granted - NEEDED[function].keys() - NOT_ENFORCED[function].keys() == set()  # unused
    assert NEEDED[function].keys() - granted == set()
    assert NOT_ENFORCED[function].keys() - granted == set()
    assert NEEDED[function].keys() & NOT_ENFORCED[function].keys() == set()


@pytest.mark.parametrize(
    ("function", "grant"),
    [
        pytest.param(function, grant, id=f"{function}: {grant}")
        for function, needed in NEEDED.items()
        for grant in needed
    ],
)
@pytest.mark.usefixtures("tidy")
def test_a_function_without_a_grant_is_refused_what_it_needs(
    local: Local, marker: str, function: str, grant: Grant
) -> None:
    assert_refused_without(grant, NEEDED[function][grant], local, marker, function)


@pytest.mark.usefixtures("tidy")
def test_without_the_grant_for_glossaries_a_note_says_so_and_no_summary_is_lost(
    local: Local, marker: str
) -> None:
    with role_of(local.stack, "SubmitterFunction").without(GLOSSARIES):
        stored = local.stack.upload(short_transcript(marker), f"{marker}.txt")
        history = local.stack.wait_for_job(stored)

    assert history.job.state is JobState.SUCCEEDED
    assert [each for each in history.events if "_glossary.txt was left out" in each.why]


@pytest.mark.parametrize(
    "scenario",
    SCENARIOS,
    ids=lambda scenario: scenario.__name__,
)
@pytest.mark.usefixtures("tidy")
def test_with_the_roles_as_they_are_nothing_is_refused(
    local: Local, marker: str, scenario: Scenario
) -> None:
    refusals = {function: Refusals(local.stack, function) for function in FUNCTIONS}

    come_to_its_end(scenario(local, marker))

    refused = {name: each.actions(role_of(local.stack, name)) for name, each in refusals.items()}
    assert refused == {function: set() for function in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.usefixtures("tidy")
def test_a_grant_is_excused_only_while_the_emulator_does_not_enforce_it(
    local: Local, marker: str, function: str
) -> None:
    """An emulator that begins to enforce one fails here: then it can be proved as the others are."""
    excused = NOT_ENFORCED[function]

    with role_of(local.stack, function).without(*excused):
        for number, scenario in enumerate({each.used_in for each in excused.values()}):
            come_to_its_end(scenario(local, f"{marker}-{number}"))


def test_the_schedule_may_start_what_it_starts_and_nothing_else(local: Local) -> None:
    """The emulator's scheduler asks no role, so what it starts is compared with what it may."""
    role, target = role_of_schedule(local.stack), sweep_schedule(local.stack)["Target"]

    assert role.arns == {Grant("lambda:InvokeFunction", "sweeper"): target["Arn"]}


def test_the_options_add_one_grant_each(local: Local, other: Local) -> None:
    for function in FUNCTIONS:
        without = set(role_of(local.stack, function).arns)
        assert set(role_of(other.stack, function).arns) == without | ADDED[function].keys()


@pytest.mark.parametrize(
    ("function", "grant"),
    [(function, grant) for function, added in ADDED.items() for grant in added],
    ids=str,
)
def test_a_function_without_an_options_grant_is_refused_what_it_needs(
    other: Local, marker: str, function: str, grant: Grant
) -> None:
    try:
        assert_refused_without(grant, ADDED[function][grant], other, marker, function)
    finally:
        leave_nothing(other, marker)


def assert_refused_without(
    grant: Grant, scenario: Scenario, local: Local, marker: str, function: str
) -> None:
    role = role_of(local.stack, function)
    refusals = Refusals(local.stack, function)
    with without(grant, role, local, function):
        scenario(local, marker)
        wait_for(
            lambda: grant.action in refusals.actions(role) or None,
            what=f"a refusal of {grant.action}",
            timeout_seconds=180,
            every_seconds=0.02,
        )

    assert refusals.actions(role) == {grant.action}


@contextmanager
def without(grant: Grant, role: Role, local: Local, function: str) -> Iterator[None]:
    """The role less a grant, for a while; whether a secret can be read is remembered past either end."""
    with ExitStack() as stack:
        if grant.action == GET_SECRET:
            stack.callback(forget_what_it_remembers, local.stack, function)
        stack.enter_context(role.without(grant))
        if grant.action == GET_SECRET:
            forget_what_it_remembers(local.stack, function)
        yield


def come_to_its_end(has_ended: Callable[[], bool | None]) -> None:
    wait_for(has_ended, what="the good end", timeout_seconds=180, every_seconds=0.02)


def leave_nothing(local: Local, marker: str) -> None:
    """Keep a scenario's messages, callbacks and due calls out of other tests."""
    local.purge_queue()  # what was refused would come back in six minutes

    def is_quiet() -> bool | None:
        before = [job.id for job in local.runpod_jobs(marker) if local.has_called_back(job)]
        is_empty = local.is_queue_empty()
        return (is_empty and before == [job.id for job in local.runpod_jobs(marker)]) or None

    wait_for(is_quiet, what="quiet", timeout_seconds=180, every_seconds=0.05)
    local.purge_queue()
    local.delete_jobs(marker)
