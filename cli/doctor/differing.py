"""Which fields of RunPod's endpoint are not as deploy.toml and the stack's parameters want them. Pure."""

from collections.abc import Mapping
from typing import Any

from cli.answers import Answers
from cli.endpoint.catalogue import catalogue
from cli.endpoint.choices import choices_of
from cli.endpoint.drift import differences_of_endpoint
from cli.endpoint.wanted import wanted


def fields_not_as_wanted(
    parameters: Mapping[str, str], kept: Mapping[str, Any], actual: Mapping[str, Any]
) -> list[str]:
    """Raises UnfitChoice: no endpoint can be made of what deploy.toml holds."""
    want = wanted(choices_of(Answers(parameters=parameters), kept), catalogue())
    found = differences_of_endpoint(want, actual, is_name_chosen="name" in kept)
    return [each.field for each in found]
