"""Messages of a queue that a person wants to see before anything is done about them."""

from collections.abc import Iterator, Sequence
from typing import Any

_HELD_SECONDS = 300  # nobody else sees a message while a person looks at it
_MOST_AT_ONCE = 10  # SQS's limit
_WAIT_SECONDS = 1
_MOST_EMPTY = 2  # answers in a row


def received(sqs: Any, queue: str, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the messages of a queue, each once; nobody else sees them for some minutes."""
    seen: set[str] = set()
    empty = 0
    while empty < _MOST_EMPTY and len(seen) < limit:
        answer = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=min(_MOST_AT_ONCE, limit - len(seen)),
            VisibilityTimeout=_HELD_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            AttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        fresh = [each for each in answer.get("Messages", []) if each["MessageId"] not in seen]
        empty = 0 if fresh else empty + 1
        seen |= {each["MessageId"] for each in fresh}
        yield from fresh


def handed_back(sqs: Any, queue: str, messages: Sequence[dict[str, Any]]) -> None:
    """Let others see at once what was only looked at."""
    for each in messages:
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
        )
