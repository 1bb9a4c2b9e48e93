"""Makes moto's DynamoDB cheap: the same answers, without what most of a test over moto is spent on.

Imported by tests/fakes/aws.py, once for a process. Each of these was found by a profiler; together they
save a quarter of what a whole job over moto costs.
"""

import pickle
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any

from moto.core.serialize import AttributePicker
from moto.dynamodb.models.dynamo_type import DDBType, DynamoType
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import (
    DepthFirstTraverser,
    Expression,
    Node,
    UpdateExpressionFunction,
)
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

_pick = AttributePicker.__call__
_parse = UpdateExpressionParser.make
_is_a = cache(issubclass)  # these classes are abstract, whose own isinstance() is slow


def _pick_quickly(picker: AttributePicker, context: Any) -> Any:
    """Take a member of DynamoDB's answer by its name.

    moto tries ten spellings of each, and every value of an item has ten members, nine of them absent.
    DynamoDB's answers are dictionaries in its own spelling.
    """
    if type(context.obj) is dict and context.service_model.service_name == "dynamodb":
        return context.obj.get(context.key)
    return _pick(picker, context)


@cache
def _parsed(expression: str) -> Any:
    """Parse each of the few expressions once. Who changes the tree copies it first."""
    return _parse(expression)


_pickled = cache(pickle.dumps)


def _copied_tree(value: Any) -> Any:
    if isinstance(value, Node):
        return pickle.loads(_pickled(value))  # noqa: S301 - what was pickled above
    return deepcopy(value)


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """As moto's, which asks of every node anew which nodes are to be processed."""
    if not _is_a(type(node), Node):
        return node
    parent = node.parent
    if node.children is not None:
        for number, child in enumerate(node.children):
            traverser.pre_processing_of_child(node, number)
            _traverse(traverser, child, number)
    if _is_a(type(node), _processed_by(type(traverser))):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@cache
def _processed_by(traverser: type[Any]) -> tuple[type[Any], ...]:
    unmade = traverser.__new__(
        traverser
    )  # the classes in its map depend on nothing that it is made with
    return tuple(unmade._processing_map())


def _find_clauses(node: Any, kinds: Iterable[type[Any]]) -> list[Any]:
    found: list[Any] = []
    for child in node.children or []:
        if type(child) in kinds:
            found.append(child)
        elif _is_a(type(child), (Expression, UpdateExpressionFunction)):
            found += _find_clauses(child, kinds)
    return found


def _copied(value: DynamoType, _memo: Any = None) -> DynamoType:
    copied = DynamoType.__new__(DynamoType)
    copied.type, inner = value.type, value.value
    if isinstance(inner, dict):
        copied.value = {key: _copied(each) for key, each in inner.items()}
    elif isinstance(inner, list):
        copied.value = [_copied(each) if type(each) is DynamoType else each for each in inner]
    else:
        copied.value = inner
    return copied


_to_regular_json = DynamoType.to_regular_json


def _plain(value: DynamoType) -> dict[str, Any]:
    """Write a value as DynamoDB does. moto copies the whole of it first, at each depth again."""
    if value.type == DDBType.LIST:
        return {value.type: [_plain(each) for each in value.value]}
    if value.type == DDBType.MAP:
        return {value.type: {key: _plain(each) for key, each in value.value.items()}}
    return _to_regular_json(value)


_QUICK: tuple[tuple[Any, str, Any], ...] = (
    (AttributePicker, "__call__", _pick_quickly),
    (UpdateExpressionParser, "make", staticmethod(_parsed)),
    (validators, "deepcopy", _copied_tree),
    (DepthFirstTraverser, "traverse_node_recursively", _traverse),
    (Node, "find_clauses", _find_clauses),
    (DynamoType, "__deepcopy__", _copied),
    (DynamoType, "to_regular_json", _plain),
)
SLOW = tuple((owner, name, vars(owner)[name]) for owner, name, _ in _QUICK)  # as moto has them

for owner, name, quick in _QUICK:
    setattr(owner, name, quick)
