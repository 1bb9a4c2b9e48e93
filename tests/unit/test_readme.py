"""The README's commands, files and settings are those that exist."""

import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from core.summaries.models import PROFILES

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *sorted(
    str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")
)]  # fmt: skip
FOLDERS = (
    "submitter|webhook_receiver|sweeper|notifier|webhook_sender|worker|core|cli|local|runpod_simulator|events|samples|tests|docs"
    "|requirements|benchmarks"
)


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page: str) -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", _code_in(page)))

    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_file_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", text))
    named |= set(re.findall(r"`([\w-]+\.(?:md|toml|yaml|mk|example))`", text)) - {
        "board.md",
        "deploy.toml",
    }

    missing = [name for name in named if not list(ROOT.glob(name.rstrip("/")))]
    assert missing == []


def test_the_settings_table_lists_the_parameters_and_their_defaults() -> None:
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    section = (ROOT / "README.md").read_text().split("## Settings")[1].split("\n## ")[0]
    rows = [row.split("|")[1:3] for row in section.splitlines() if row.startswith("| `")]

    documented = {}
    for names, defaults in rows:
        found = re.findall(r"`([A-Z][A-Za-z]+)`", re.sub(r"\(.*?\)", "", names))
        values = [value.strip(" `") for value in defaults.split(", ")] if len(found) > 1 else [
            defaults.strip(" `")
        ]  # fmt: skip
        documented |= dict(zip(found, values, strict=True))

    assert documented.keys() == parameters.keys()
    for name, parameter in parameters.items():
        default = str(parameter.get("Default", "required"))
        if default:
            assert documented[name] == default, name


def _code_in(page: str) -> str:
    text = (ROOT / page).read_text()
    return "\n".join(re.findall(r"```.*?```|`[^`]+`", text, re.S))


def test_the_endpoint_environment_of_each_model_is_the_profiles() -> None:
    by_hand = (ROOT / "docs/deploying.md").read_text().split("**By hand.**")[1]

    for name, profile in PROFILES.items():
        (row,) = [line for line in by_hand.splitlines() if line.startswith(f"| `{name}`")]
        for variable, value in profile.endpoint_environment.items():
            assert f"`{variable}={value}`" in row
