"""Reads template.yaml the way CloudFormation would, offline.

SAM's own translator expands it; the functions below then evaluate Rules, Conditions and intrinsic
functions for one set of parameters. What only a deployment knows stays readable: a Ref becomes
`${Name}`, a GetAtt `${Name.Attribute}`.
"""

import copy
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from core.settings import (
    NotifierSettings,
    ReceiverSettings,
    SubmitterSettings,
    SweeperSettings,
    WebhookSenderSettings,
)

ROOT = Path(__file__).parents[2]
REQUIRED = {"RunpodApiEndpoint": "https://api.runpod.ai/v2/abc123"}
# What tests see unless they say otherwise: with a webhook, every function is there.
USUAL = REQUIRED | {"NoticeWebhookUrl": "https://hooks.example/summaries"}
FUNCTIONS = {
    "SubmitterFunction": "submitter",
    "WebhookReceiverFunction": "webhook_receiver",
    "SweeperFunction": "sweeper",
    "NotifierFunction": "notifier",
    "WebhookSenderFunction": "webhook_sender",
}
SETTINGS = dict(
    zip(
        FUNCTIONS,
        (
            SubmitterSettings,
            ReceiverSettings,
            SweeperSettings,
            NotifierSettings,
            WebhookSenderSettings,
        ),
        strict=True,
    )
)
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "summaries-test",
}
_NOTHING = object()  # AWS::NoValue: the property is not there


class Refused(Exception):
    """CloudFormation would not start the deployment: the message says which parameter or rule."""


@functools.cache
def _source() -> dict[str, Any]:
    return dict(yaml_parse((ROOT / "template.yaml").read_text()))


@functools.cache
def _translated() -> dict[str, Any]:
    template = copy.deepcopy(_source())
    template["Globals"]["Function"]["CodeUri"] = (
        "s3://artifacts/code.zip"  # local paths are refused
    )
    translator = Translator(
        managed_policy_map={},
        sam_parser=Parser(),
        boto_session=boto3.Session(region_name=PSEUDO_PARAMETERS["AWS::Region"]),
    )
    return dict(translator.translate(template, parameter_values={}, feature_toggle=None))


def source() -> dict[str, Any]:
    """template.yaml, parsed: short forms such as !Ref are long forms here."""
    return copy.deepcopy(_source())


def translated() -> dict[str, Any]:
    """What SAM makes of it: CloudFormation without a transform, not yet evaluated."""
    return copy.deepcopy(_translated())


def parameter_values(given: Mapping[str, object]) -> dict[str, str]:
    """Defaults under the given values, each checked as CloudFormation checks parameters."""
    declared = _source()["Parameters"]
    values = {name: str(spec["Default"]) for name, spec in declared.items() if "Default" in spec}
    values |= {name: str(value) for name, value in (USUAL | dict(given)).items()}
    for name, value in values.items():
        _check_parameter(name, declared[name], value)
    return values


def _check_parameter(name: str, spec: Mapping[str, Any], value: str) -> None:
    allowed = spec.get("AllowedValues")
    refused = (
        (allowed is not None and value not in map(str, allowed))
        or not re.fullmatch(spec.get("AllowedPattern", "(?s:.*)"), value)
        or len(value) > spec.get("MaxLength", 4096)
    )
    if spec["Type"] == "Number":
        lowest, highest = spec.get("MinValue", "-inf"), spec.get("MaxValue", "inf")
        refused = refused or not float(lowest) <= float(value) <= float(highest)
    if refused:
        raise Refused(f"{name}: {value!r}")


def check_rules(values: Mapping[str, str]) -> None:
    """Raise Refused for the first assertion that fails, as a deployment would."""
    evaluate = Evaluator(values).evaluate
    for name, rule in _source()["Rules"].items():
        if not evaluate(rule.get("RuleCondition", {"Fn::Equals": ["", ""]})):
            continue
        for assertion in rule["Assertions"]:
            if not evaluate(assertion["Assert"]):
                raise Refused(f"{name}: {assertion['AssertDescription']}")


def is_accepted(**given: object) -> bool:
    """Whether these parameters pass the parameter constraints and every rule."""
    try:
        check_rules(parameter_values(given))
    except Refused:
        return False
    return True


class Evaluator:
    """Evaluates intrinsic functions for one set of parameter values."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {**PSEUDO_PARAMETERS, **values}
        self._template = _translated()

    def evaluate(self, node: Any) -> Any:
        """The value of a template node, with everything below it evaluated."""
        if isinstance(node, list):
            return [value for item in node if (value := self.evaluate(item)) is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return getattr(self, "_" + name.removeprefix("Fn::").lower())(argument)
            if name == "Condition" and isinstance(argument, str):  # in another condition
                return self.condition(argument)
        evaluated = {key: self.evaluate(value) for key, value in node.items()}
        return {key: value for key, value in evaluated.items() if value is not _NOTHING}

    def condition(self, name: str) -> bool:
        return bool(self.evaluate(self._template["Conditions"][name]))

    def _ref(self, name: str) -> Any:
        return _NOTHING if name == "AWS::NoValue" else self._values.get(name, f"${{{name}}}")

    def _getatt(self, path: str | list[str]) -> str:
        return "${" + (path if isinstance(path, str) else ".".join(path)) + "}"

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        known = {**self._values, **self.evaluate(variables)}
        return re.sub(r"\$\{([^}]+)\}", lambda m: str(known.get(m[1], m[0])), text)

    def _if(self, argument: list[Any]) -> Any:
        return self.evaluate(argument[1 if self.condition(argument[0]) else 2])

    def _findinmap(self, argument: list[Any]) -> Any:
        mapping, first, second = self.evaluate(argument)
        return self._template["Mappings"][mapping][first][second]

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.evaluate(argument)
        return bool(left == right)

    def _and(self, argument: list[Any]) -> bool:
        return all(self.evaluate(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.evaluate(argument))

    def _not(self, argument: list[Any]) -> bool:
        return not self.evaluate(argument[0])

    def _contains(self, argument: list[Any]) -> bool:
        members, wanted = self.evaluate(argument)
        return wanted in members


def _evaluator(given: Mapping[str, object]) -> Evaluator:
    values = parameter_values(given)
    check_rules(values)
    return Evaluator(values)


def deployed(**given: object) -> dict[str, Any]:
    """The resources a deployment with these parameters makes, by logical id, evaluated."""
    evaluator = _evaluator(given)
    return {
        name: evaluator.evaluate(resource)
        for name, resource in _translated()["Resources"].items()
        if "Condition" not in resource or evaluator.condition(resource["Condition"])
    }


def of_type(resources: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """Properties by logical id of the resources of one type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in resources.items()
        if resource["Type"] == wanted
    }


def environment(function_logical_id: str, **given: object) -> dict[str, str]:
    """The environment a function gets, evaluated; values that are numbers in the template as text."""
    function = _translated()["Resources"][function_logical_id]["Properties"]
    variables = _evaluator(given).evaluate(function["Environment"])["Variables"]
    return {name: str(value) for name, value in variables.items()}


def declared_environment(function_logical_id: str) -> set[str]:
    """The names of the environment variables that the template gives a function."""
    return set(environment(function_logical_id))
