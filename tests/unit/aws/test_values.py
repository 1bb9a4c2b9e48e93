"""Values are written as boto3 writes them, and come back as they were."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from core.aws.values import packed, unpacked

_SCALARS = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.none(),
    st.sets(st.text(), min_size=1),
)
_VALUES = st.recursive(
    _SCALARS, lambda each: st.lists(each) | st.dictionaries(st.text(), each), max_leaves=20
)
_ITEMS = st.dictionaries(st.text(min_size=1), _VALUES)


@given(_ITEMS)
def test_what_is_written_is_what_boto3_writes_and_comes_back(item: dict[str, Any]) -> None:
    stored = {name: value for name, value in item.items() if value is not None}
    by_boto3 = {name: TypeSerializer().serialize(value) for name, value in stored.items()}

    assert _sorted(packed(item)) == _sorted(by_boto3)
    assert unpacked(packed(item)) == stored
    assert unpacked(packed(item)) == {
        name: TypeDeserializer().deserialize(value) for name, value in by_boto3.items()
    }


def _sorted(value: Any) -> Any:
    """Give sets one order."""
    match value:
        case {"SS": list(texts)}:
            return {"SS": sorted(texts)}
        case dict():
            return {name: _sorted(each) for name, each in value.items()}
        case list():
            return [_sorted(each) for each in value]
    return value


@pytest.mark.parametrize("value", [1.5, b"bytes", set(), {1, 2}, object()])
def test_what_no_record_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        packed({"name": value})


@pytest.mark.parametrize("value", [{"N": "1.5"}, {"B": b"x"}, {"NS": ["1"]}])
def test_what_nobody_stored_is_not_read(value: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        unpacked({"name": value})
