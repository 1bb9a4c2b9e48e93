"""A mutant: one place in the code, found by its syntax, and its replacement.

A place is a class or function (`core/jobs/lifecycle.py::Lifecycle.retry`, or a
file alone) and a pattern within it:
an expression or a statement, written as Python. In a pattern a single capital letter is anything, the
same letter the same thing, and may be used in the replacement. Spaces, line breaks, comments, the order
of keyword arguments and everything outside the pattern may change without a mutant noticing.

    find="retry(A, B, now=C)"         a call, its keywords in any order
    find="raise A", put="pass"        a statement
    find="keyword: ContentType=A"     an argument of whatever call; put="" takes it away
"""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_KEYWORD = "keyword:"


class NoLongerApplies(Exception):
    """A mutant's place is not there, or there more than once."""


@dataclass(frozen=True)
class Mutant:
    name: str
    why: str  # the decision that it undoes: what goes wrong without it
    at: str
    find: str
    put: str
    tests: tuple[str, ...]  # files, from the root

    @property
    def file(self) -> str:
        return self.at.partition("::")[0]

    def changed(self, root: Path) -> str:
        """Return the file as it then reads, without its comments. Raises NoLongerApplies."""
        file, _, path = self.at.partition("::")
        try:
            tree = ast.parse((root / file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise self._gone(f"there is no {file}") from None
        scope = self._scope(tree, path.split(".") if path else [])
        pattern = _parsed(self.find)
        found = [
            (place, bound)
            for place in _places(scope)
            if (bound := _bound(place.node, pattern)) is not None
        ]
        if len(found) != 1:
            raise self._gone(f"{len(found)} places of {self.at} read `{self.find}`, and one must")
        place, bound = found[0]
        place.put(_filled(_parsed(self.put), bound) if self.put else None)
        return ast.unparse(ast.fix_missing_locations(tree))

    def _scope(self, tree: ast.AST, names: Sequence[str]) -> ast.AST:
        for name in names:
            inner = [
                each for each in ast.iter_child_nodes(tree) if getattr(each, "name", "") == name
            ]
            if not inner:
                raise self._gone(f"{self.at} is not there")
            tree = inner[0]
        return tree

    def _gone(self, why: str) -> NoLongerApplies:
        return NoLongerApplies(f"mutant {self.name} no longer applies: {why}")


@dataclass(frozen=True)
class _Place:
    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    def put(self, new: ast.AST | None) -> None:
        if self.index is None:
            setattr(self.parent, self.field, new)
            return
        siblings = getattr(self.parent, self.field)
        siblings[self.index : self.index + 1] = [] if new is None else [new]


def _places(tree: ast.AST) -> Iterator[_Place]:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            children = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, child in children:
                if isinstance(child, ast.AST):
                    yield _Place(parent, field, index, child)


def _parsed(source: str) -> ast.AST:
    if source.startswith(_KEYWORD):
        call = ast.parse(f"f({source.removeprefix(_KEYWORD).strip()})", mode="eval").body
        assert isinstance(call, ast.Call)
        return call.keywords[0]
    (statement,) = ast.parse(source).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _bound(node: ast.AST, pattern: ast.AST) -> dict[str, ast.AST] | None:
    """Return what the pattern's letters stand for in a node, or None if it is another."""
    bound: dict[str, ast.AST] = {}
    return bound if _matches(node, pattern, bound) else None


def _matches(node: object, pattern: object, bound: dict[str, ast.AST]) -> bool:
    if isinstance(pattern, ast.Name) and len(pattern.id) == 1 and pattern.id.isupper():
        if not isinstance(node, ast.expr):
            return False
        known = bound.setdefault(pattern.id, node)
        return ast.dump(known) == ast.dump(node)
    if isinstance(pattern, list):
        if not isinstance(node, list) or len(node) != len(pattern):
            return False
        pairs = zip(_in_order(node), _in_order(pattern), strict=True)
        return all(_matches(one, other, bound) for one, other in pairs)
    if not isinstance(pattern, ast.AST):
        return bool(type(node) is type(pattern) and node == pattern)
    if type(node) is not type(pattern):
        return False
    fields = [field for field in pattern._fields if field != "ctx"]
    return all(_matches(getattr(node, f, None), getattr(pattern, f, None), bound) for f in fields)


def _in_order(nodes: list[object]) -> list[object]:
    if nodes and all(isinstance(each, ast.keyword) for each in nodes):
        return sorted(nodes, key=lambda each: getattr(each, "arg", None) or "")
    return nodes


def _filled(pattern: ast.AST, bound: dict[str, ast.AST]) -> ast.AST:
    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return copy.deepcopy(bound.get(node.id, node))

    return Fill().visit(pattern)  # type: ignore[no-any-return]
