"""What differs between the endpoint that is wanted and the one that there is. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cli.endpoint.wanted import Body, Wanted, could_be_secret, is_reference

HIDDEN = "(not shown)"
# What RunPod's own variables begin with, if it adds any; nobody chose them.
_RUNPODS_OWN = "RUNPOD_"
_FLASHBOOT_SUFFIX = " -fb"  # RunPod's older API marks FlashBoot so, at the end of the name


class _Absent:
    def __repr__(self) -> str:
        return "(not set)"


ABSENT = _Absent()


@dataclass(frozen=True)
class Difference:
    field: str  # as in RunPod's API, with dots: workers.max, env.MODEL_NAME
    wanted: Any
    actual: Any
    is_of_template: bool = False

    @property
    def can_be_changed(self) -> bool:
        """RunPod never changes how requests are routed, nor a CPU endpoint into one with GPUs."""
        return self.field not in {"type", "cpu"}

    def told(self) -> dict[str, Any]:
        """For people and for JSON: without values that could be secrets."""
        return {
            "field": f"template.{self.field}" if self.is_of_template else self.field,
            "wanted": self._shown(self.wanted),
            "actual": self._shown(self.actual),
        }

    def _shown(self, value: Any) -> Any:
        if value is ABSENT:
            return None
        part, _, name = self.field.partition(".")
        is_unknown = self.wanted is ABSENT  # what somebody else has set could be anything
        if part == "env" and not _may_be_shown(name, str(value), is_known=not is_unknown):
            return HIDDEN
        return value


def differences_of_endpoint(
    wanted: Wanted, actual: Mapping[str, Any], *, is_name_chosen: bool = True
) -> list[Difference]:
    """Return every field that is not as wanted; what nobody chose (data centres, volumes) is left."""
    body = wanted.whole_endpoint
    if not is_name_chosen:
        del body["name"]
    if actual.get("type") is None:  # RunPod's schema lets it be left out
        del body["type"]
    if actual.get("cpu"):
        return [Difference("cpu", ABSENT, actual["cpu"])]
    # Cards left out of a pool: nobody chose that.
    body["gpu"] = {**body["gpu"], "excludedTypes": []}
    return list(_differences(body, {**actual, "name": plain_name(actual)}))


def differences_of_template(wanted: Wanted, actual: Mapping[str, Any]) -> list[Difference]:
    found = _differences(wanted.template, actual)
    return [replace(each, is_of_template=True) for each in found]


def patch(wanted: Body, differences: list[Difference]) -> Body:
    """Return the smallest body that puts these differences right."""
    body: Body = {}
    for difference in differences:
        part, _, rest = difference.field.partition(".")
        if part == "gpu":
            # Pools and cards left out are one selection, and RunPod replaces both by the pools.
            name = "pools" if rest == "excludedTypes" else rest
            body.setdefault("gpu", {})[name] = wanted["gpu"][name]
        else:  # env, workers and scaling whole: what each holds belongs together
            body[part] = wanted[part]
    return body


def plain_name(actual: Mapping[str, Any]) -> str:
    return str(actual.get("name", "")).removesuffix(_FLASHBOOT_SUFFIX)


def redacted(actual: Mapping[str, Any], known: Mapping[str, str]) -> Body:
    """Return an endpoint or a template without those values of its environment that could be secrets."""
    shown = {
        name: value if _may_be_shown(name, str(value), is_known=name in known) else HIDDEN
        for name, value in (actual.get("env") or {}).items()
    }
    return {**actual, "env": shown}


def _may_be_shown(name: str, value: str, *, is_known: bool) -> bool:
    return is_reference(value) or (is_known and not could_be_secret(name, value))


def _differences(wanted: Body, actual: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in wanted.items():
        is_now = actual.get(name)
        if name == "env":
            yield from _of_environment(value, is_now or {})
        elif isinstance(value, dict):
            yield from _of_part(name, value, is_now or {})
        elif not _same(value, is_now):
            yield Difference(name, value, ABSENT if is_now is None else is_now)


def _of_part(part: str, wanted: Body, actual: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in wanted.items():
        if not _same(value, actual.get(name)):
            yield Difference(f"{part}.{name}", value, actual.get(name, ABSENT))


def _of_environment(wanted: Mapping[str, str], actual: Mapping[str, str]) -> Iterator[Difference]:
    for name, value in wanted.items():
        if actual.get(name) != value:
            yield Difference(f"env.{name}", value, actual.get(name, ABSENT))
    for name in sorted(actual.keys() - wanted.keys()):
        if not name.startswith(_RUNPODS_OWN):
            yield Difference(f"env.{name}", ABSENT, actual[name])


def _same(wanted: Any, actual: Any) -> bool:
    """RunPod leaves out, or sets to null, what is empty."""
    return bool(wanted == actual) or (actual is None and wanted in ("", []))
