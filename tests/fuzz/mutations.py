"""Documents damaged at random: byte by byte, or node by node."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Junk = Callable[[Random], Any]


def bytes_mutated(rng: Random, whole: bytes) -> bytes:
    """Flip, insert, delete, repeat and cut a few bytes."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at:at] = bytes([rng.randrange(256)])
            case 2:
                del data[at : at + rng.randint(1, 40)]
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case _:
                del data[rng.randrange(at, len(data) + 1) :]
    return bytes(data)


def structure_mutated(rng: Random, whole: Any, junk: Junk) -> Any:
    """Delete, double, wrap, swap and replace a few nodes."""
    document = copy.deepcopy(whole)
    for _ in range(rng.randint(1, 3)):
        resources = list(_places(document))
        if not resources:
            break
        holder, key = rng.choice(resources)
        match rng.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 2:
                holder[key] = [holder[key]]
            case 3:
                other, place = rng.choice(resources)
                holder[key] = copy.deepcopy(other[place])
            case _:
                holder[key] = junk(rng)
    return document


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a document as its holder and the key or index there."""
    for key, value in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)
