"""The template's parameters, and whether a value is one that CloudFormation will take."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.template_text import read_template

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Parameter:
    name: str
    description: str
    fields: dict[str, Any]

    @property
    def is_required(self) -> bool:
        return "Default" not in self.fields

    @property
    def is_secret(self) -> bool:
        """Does CloudFormation show its value to nobody?"""
        return bool(self.fields.get("NoEcho", False))

    def problem_with(self, value: str) -> str:
        """Return why this value is refused, or "" if it is not."""
        allowed = [_text(each) for each in self.fields.get("AllowedValues", [])]
        if allowed and value not in allowed:
            return f"{self.name} must be one of {', '.join(allowed)}"
        if self.fields["Type"] == "Number":
            return self._problem_with_number(value)
        if len(value) > int(self.fields.get("MaxLength", 4096)):
            return f"{self.name} must have {self.fields['MaxLength']} characters at most"
        # CloudFormation's patterns are Java's; those of this template mean the same to Python.
        if not re.fullmatch(str(self.fields.get("AllowedPattern", ".*")), value):
            words = self.fields.get("ConstraintDescription") or (
                f"must match {self.fields['AllowedPattern']}"
            )
            return f"{self.name} {words}"
        return ""

    def _problem_with_number(self, value: str) -> str:
        least, most = self.fields.get("MinValue"), self.fields.get("MaxValue")
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            return f"{self.name} must be a number"
        is_small = least is not None and float(value) < float(least)
        is_large = most is not None and float(value) > float(most)
        return f"{self.name} must be from {least} to {most}" if is_small or is_large else ""


@cache
def parameters() -> dict[str, Parameter]:
    """Return the template's parameters by their names."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    template = read_template(text)
    return {
        name: Parameter(name, str(fields.get("Description", "")).strip(), fields)
        for name, fields in template["Parameters"].items()
    }


def problems_with(values: dict[str, str]) -> list[str]:
    """Return a sentence for each value that the template does not take."""
    known = parameters()
    unknown = [f"{name} is no parameter of template.yaml" for name in values if name not in known]
    missing = [
        f"{each.name} is required"
        for each in known.values()
        if each.is_required and each.name not in values
    ]
    checked = [known[name].problem_with(value) for name, value in values.items() if name in known]
    return [*unknown, *missing, *filter(None, checked), *_without_effect(values)]


# As the template's Rules have it; here, before minutes are spent on a build.
_OF_OWN_BUCKETS = {
    "TranscriptRetentionDays": "InputBucketName",
    "SummaryRetentionDays": "OutputBucketName",
}


def _without_effect(values: dict[str, str]) -> list[str]:
    return [
        f"{retention} works on a bucket that the stack makes, and {values[bucket]} is given: set it to 0,"
        " and give that bucket a lifecycle rule (docs/deploying.md)"
        for retention, bucket in _OF_OWN_BUCKETS.items()
        if values.get(retention, "0") != "0" and values.get(bucket)
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
