"""With a hundred thousand jobs in the table, a glance costs a few requests, and none of them a scan.

The table answers nothing but queries of the index by state (`BigTable`); what it costs on the clock is
measured by `python -m benchmarks.many_jobs`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.aws import PROJECTED
from tests.fakes.big_table import BigTable
from tests.fakes.operated import Operated, operated
from tests.template.cloudformation import source


@pytest.fixture(name="table", scope="module")
def _table() -> BigTable:
    return BigTable(100_000, datetime.now(UTC))


@pytest.fixture(name="operator")
def _operator(monkeypatch: pytest.MonkeyPatch, table: BigTable) -> Iterator[Operated]:
    table.queries, table.read_units = 0, 0.0
    with operated(monkeypatch) as operator:
        operator.stack.played["dynamodb"] = table
        operator.is_healthy()
        yield operator


@pytest.mark.parametrize(
    ("command", "most_queries", "most_read_units"),
    [
        ("status", 5, 110),
        ("status --within 90d", 13, 1_150),
        ("list", 3, 6),
        ("list --limit 100", 3, 20),
        ("list --state failed --since 7d", 1, 2),
        ("list --state active --oldest", 1, 3),
        ("list --reason deadline", 4, 200),
    ],
)
def test_a_glance_is_a_few_queries(
    operator: Operated, table: BigTable, command: str, most_queries: int, most_read_units: int
) -> None:
    told = operator.told(*command.split())

    assert table.queries <= most_queries
    assert told["read_units"] == table.read_units <= most_read_units


def test_what_is_told_of_many_is_true(operator: Operated) -> None:
    told = operator.told("status")

    assert told["jobs"]["active"] == 40
    assert told["jobs"]["succeeded"] + told["jobs"]["failed"] == pytest.approx(1_071, abs=2)
    assert operator.told("status", "--within", "90d")["jobs"]["succeeded"] == 10_000
    assert len(operator.told("list", "--limit", "500")["jobs"]) == 500


def test_the_table_holds_what_the_templates_index_does() -> None:
    (by_state,) = (
        index
        for index in source()["Resources"]["JobsTable"]["Properties"]["GlobalSecondaryIndexes"]
        if index["IndexName"] == "by-state"
    )

    assert tuple(by_state["Projection"]["NonKeyAttributes"]) == PROJECTED
