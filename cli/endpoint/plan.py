"""Which requests make RunPod's endpoint the wanted one: none, if it is already. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cli.endpoint.drift import (
    Difference,
    differences_of_endpoint,
    differences_of_template,
    patch,
    plain_name,
)
from cli.endpoint.wanted import Body, UnfitChoice, Wanted

TEMPLATE_ID = "(id of the template above)"  # known once RunPod has made it


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is at RunPod already."""

    endpoint: Mapping[str, Any] | None = None
    template: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    body: Body
    differences: Sequence[Difference] = field(default=())  # what it puts right; of a PATCH

    @property
    def is_of_template(self) -> bool:
        return self.path.startswith("/v2/templates")


def requests_for(wanted: Wanted, found: Found, *, is_name_chosen: bool = True) -> list[Request]:
    """Return what has to be sent, in order.

    RunPod copies a template into an endpoint when that is made and keeps no link, so a template is
    made for a new endpoint only, but kept as the endpoint where there is one.

    Raises:
        UnfitChoice: the endpoint there is differs in what RunPod never changes.
    """
    if found.endpoint is None:
        return _making(wanted, found.template)
    differing = differences_of_endpoint(wanted, found.endpoint, is_name_chosen=is_name_chosen)
    fixed = [each.field for each in differing if not each.can_be_changed]
    if fixed:
        raise UnfitChoice(
            f"endpoint {found.endpoint['id']} differs in what RunPod can't change ({', '.join(fixed)}):"
            " delete it in RunPod's console, or make another one with --name and without its id"
        )
    requests = []
    if differing:
        path = f"/v2/serverless/{quote(str(found.endpoint['id']), safe='')}"
        body = patch(wanted.whole_endpoint, differing)
        requests.append(Request(method="PATCH", path=path, body=body, differences=differing))
    if found.template is not None:
        requests += _keeping_template(wanted, found.template)
    return requests


def only_one_named(name: str, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the endpoint or template of this name, or None.

    Raises:
        UnfitChoice: several have it.
    """
    matching = [each for each in listed if plain_name(each) == name]
    if len(matching) > 1:
        ids = ", ".join(str(each.get("id")) for each in matching)
        raise UnfitChoice(
            f"RunPod has {len(matching)} of the name {name} ({ids}): say which with --endpoint-id, rename"
            " or delete the others, or choose another --name"
        )
    return matching[0] if matching else None


def _making(wanted: Wanted, template: Mapping[str, Any] | None) -> list[Request]:
    if template is None:
        before = [Request(method="POST", path="/v2/templates", body=wanted.template)]
        template_id = TEMPLATE_ID
    else:  # an apply that did not get to its end has made it
        before = _keeping_template(wanted, template)
        template_id = str(template["id"])
    body = {**wanted.endpoint, "templateId": template_id}
    return [*before, Request(method="POST", path="/v2/serverless", body=body)]


def _keeping_template(wanted: Wanted, template: Mapping[str, Any]) -> list[Request]:
    differing = differences_of_template(wanted, template)
    if not differing:
        return []
    path = f"/v2/templates/{quote(str(template['id']), safe='')}"
    body = patch(wanted.template, differing)
    return [Request(method="PATCH", path=path, body=body, differences=differing)]
