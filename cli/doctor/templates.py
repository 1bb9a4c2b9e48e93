"""The deployed template and code beside this checkout's: what differs.

`sam deploy` sends the template on as it was built: without comments, its short forms perhaps written out,
and with addresses of the code. All of that is the same template.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from cli.parameters import ROOT
from cli.template_text import read_template

_SECTIONS = ("Parameters", "Rules", "Mappings", "Conditions", "Globals", "Resources", "Outputs")
_ADDED_BY_SAM = frozenset({"CodeUri", "Metadata"})
_OURS = ("core", "submitter")  # of what the submitter's archive holds
_SECONDS = (3, 6)


def of_checkout() -> str:
    return (ROOT / "template.yaml").read_text(encoding="utf-8")


def differing_parts(deployed: str | Mapping[str, Any], checkout: str) -> tuple[str, ...]:
    """Return the parameters, resources and so on that are not alike, by their names."""
    one, other = _parsed(deployed), _parsed(checkout)
    return tuple(
        name
        for section in _SECTIONS
        for name in _differing(one.get(section) or {}, other.get(section) or {})
    )


def fetched_code(url: str) -> bytes:
    answer = requests.get(url, timeout=_SECONDS)
    answer.raise_for_status()
    return answer.content


def differing_files(archive: bytes, root: Path = ROOT) -> tuple[str, ...]:
    """Return the files of ours that a function's archive and the checkout don't have alike."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        deployed = {
            name: _digest(zipped.read(name)) for name in zipped.namelist() if _is_ours(name)
        }
    here = {
        path.relative_to(root).as_posix(): _digest(path.read_bytes())
        for folder in _OURS
        for path in (root / folder).rglob("*.py")
    }
    names = sorted(deployed.keys() | here.keys())
    return tuple(name for name in names if deployed.get(name) != here.get(name))


def _is_ours(name: str) -> bool:
    return name.endswith(".py") and name.split("/", 1)[0] in _OURS


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield name


def _parsed(template: str | Mapping[str, Any]) -> dict[str, Any]:
    read = read_template(template) if isinstance(template, str) else template
    plain = _plain(read)
    return plain if isinstance(plain, dict) else {}


def _plain(value: Any) -> Any:
    """Write a value as all ways to write it have in common."""
    if isinstance(value, Mapping):
        kept = {str(name): each for name, each in value.items() if name not in _ADDED_BY_SAM}
        if list(kept) == ["Fn::GetAtt"] and isinstance(kept["Fn::GetAtt"], str):
            return {"Fn::GetAtt": kept["Fn::GetAtt"].split(".", 1)}
        return {name: _plain(each) for name, each in kept.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if value is not None else None
