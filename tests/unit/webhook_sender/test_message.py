"""An event becomes the body of a webhook, the same each time."""

import json
from datetime import UTC, datetime

import pytest

from core.notices.notice import FAILED, PUBLISHED
from tests.fakes.notices import EXAMPLES, example, problems
from webhook_sender.message import NoNotice, message_of, trial_event


@pytest.mark.parametrize(
    ("kind", "name"), [(PUBLISHED, "webhook-summary-published"), (FAILED, "webhook-summary-failed")]
)
def test_the_body_is_the_one_of_the_example(kind: str, name: str) -> None:
    message = message_of(EXAMPLES[kind])

    assert json.loads(message.body) == example(name)
    assert message.id == EXAMPLES[kind]["detail"]["id"]
    assert message == message_of(json.loads(json.dumps(EXAMPLES[kind])))


def test_a_test_says_that_it_is_one() -> None:
    event = trial_event("7", stack="s", now=datetime(2026, 11, 27, 8, 30, tzinfo=UTC))
    message = message_of(event)

    assert problems(json.loads(message.body), "webhook") == []
    assert json.loads(message.body)["type"] == "notice.test"
    assert message.id == "test-7"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"detail": "text"},
        EXAMPLES[PUBLISHED] | {"source": "aws.s3"},
        EXAMPLES[PUBLISHED] | {"detail-type": "Object Created"},
        EXAMPLES[PUBLISHED] | {"detail": {}},
    ],
)
def test_what_is_no_notice_is_not_sent(event: dict) -> None:
    with pytest.raises(NoNotice):
        message_of(event)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_id_can_stand_in_a_signature(kind: str) -> None:
    """Standard Webhooks signs `id.timestamp.body`."""
    assert "." not in EXAMPLES[kind]["detail"]["id"]
