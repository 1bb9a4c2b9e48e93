"""cfn-lint sees some mistakes only before SAM's translation and some only after it."""

import json

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.template.cloudformation import ROOT, translated


def findings(template: str) -> list[str]:
    """Errors and warnings, for one Region: ten times faster than for all of them."""
    matches = lint(template, config=ManualArgs(regions=["us-east-1"]))
    return [f"{match.rule.id} {match.message}" for match in matches]


@pytest.mark.parametrize("stage", ["written", "translated"])
def test_cfn_lint_finds_nothing(stage: str) -> None:
    written = (ROOT / "template.yaml").read_text()

    assert findings(written if stage == "written" else json.dumps(translated())) == []


def test_cfn_lint_sees_an_action_that_does_not_exist() -> None:
    template = translated()
    role = template["Resources"]["SweeperRole"]["Properties"]
    role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] = "dynamodb:Qurey"

    (finding,) = findings(json.dumps(template))

    assert finding.startswith("W3037")
