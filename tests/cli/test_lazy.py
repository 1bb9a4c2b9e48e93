"""A command starts at once: what other commands need is not imported for it."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main

# What takes long to import, and what of the project only some commands need.
_HEAVY = {
    *("boto3", "s3transfer", "aiohttp", "sumy", "numpy", "docx", "typst", "jinja2", "markdown_it"),
    *("yaml", "tenacity", "pypdf", "jsonschema", "runpod_simulator", "cli.doctor", "cli.endpoint"),
    *("cli.operating.exports", "core.transcripts.reader", "core.summaries.engine", "core.wiring"),
    "aws_lambda_powertools",
}


def imported_by(statement: str) -> set[str]:
    """Return the modules that a new process has after a statement."""
    told = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", ["status", "listing"])
def test_a_glance_imports_nothing_heavy(module: str) -> None:
    assert imported_by(f"import cli.operating.{module}") & _HEAVY == set()


def test_help_imports_no_command() -> None:
    help_of_all = "from cli.__main__ import main\nmain(['--help'], standalone_mode=False)"

    imported = imported_by(help_of_all)

    assert {"cli.__main__", "click"} <= imported
    assert imported & {*_HEAVY, "botocore", "requests", "rich", "cli.operating", "core"} == set()


def test_help_says_of_each_command_what_the_command_says_of_itself() -> None:
    context = click.Context(main)
    told = " ".join(CliRunner().invoke(main, ["--help"]).stdout.split())

    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert f"{name} {command.get_short_help_str(limit=500)}" in told


def test_a_command_that_is_added_later_is_one_of_them() -> None:
    @click.command("another")
    def another() -> None:
        """Do another thing."""

    context = click.Context(main)
    main.add_command(another)
    try:
        assert "another" in main.list_commands(context)
        assert "Do another thing." in CliRunner().invoke(main, ["--help"]).stdout
    finally:
        del main.commands["another"]
