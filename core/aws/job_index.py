"""The jobs by state and age, for people: read from an index, page by page, and never by a scan.

A page is 1 MB of the index, some 1,500 jobs; `read_units` says what has been read so far (DynamoDB bills
half a unit for 4 KB of an index).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.aws.items import ListedJob, instant, to_listed_job
from core.aws.values import packed, unpacked
from core.jobs.job import JobState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_STATE = "by-state"


class JobIndex:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self.read_units = 0.0

    def jobs(
        self,
        state: JobState,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        oldest_first: bool = False,
        page_size: int | None = None,
    ) -> Iterator[ListedJob]:
        """Yield the jobs in a state that were recorded in some time, the newest first.

        A page is read when its first job is wanted.
        """
        query = self._query(state, since, until)
        query["ScanIndexForward"] = oldest_first
        if page_size:
            query["Limit"] = page_size
        for answer in self._pages(query):
            yield from (to_listed_job(unpacked(item)) for item in answer["Items"])

    def count(self, state: JobState, *, since: datetime | None = None, at_most: int) -> int:
        """Count the jobs in a state that were recorded since, up to `at_most`."""
        counted = 0
        for answer in self._pages({**self._query(state, since, None), "Select": "COUNT"}):
            counted += answer["Count"]
            if counted >= at_most:
                return at_most
        return counted

    def _query(
        self, state: JobState, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": BY_STATE,
            "KeyConditionExpression": "#state = :state AND created_at BETWEEN :since AND :until",
            "ExpressionAttributeNames": {"#state": "state"},  # a word that DynamoDB reserves
            "ExpressionAttributeValues": packed(
                {
                    ":state": state.value,
                    ":since": instant(since) if since else "0",
                    ":until": instant(until) if until else "9",
                }
            ),
            "ReturnConsumedCapacity": "TOTAL",
        }

    def _pages(self, query: dict[str, Any]) -> Iterator[Any]:
        while True:
            answer: Any = self._client.query(**query)
            self.read_units += answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            query = {**query, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
