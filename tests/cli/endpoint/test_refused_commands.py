"""What goes wrong with `endpoint`: wrong choices, wrong keys; and what every command of it has."""

import click
import pytest
import requests
from moto import mock_aws

from cli.answers import Answers, write
from cli.endpoint import endpoint as group
from tests.cli.endpoint.desk import KEY, Desk


class TestWhatGoesWrong:
    def test_a_choice_that_can_not_work_is_wrong_usage(self, desk: Desk) -> None:
        result = desk.run("plan", "--variant", "q2")

        assert result.exit_code == 2
        assert "fp8" in result.output

    def test_a_parameter_that_the_template_refuses_is_wrong_usage(self, desk: Desk) -> None:
        assert desk.run("plan", "--parameter", "ExecutionTimeoutSeconds=5").exit_code == 2

    def test_a_misspelt_choice_in_the_answers_is_named(self, desk: Desk) -> None:
        desk.file.write_text("[endpoint]\nworker_max = 5\n", encoding="utf-8")

        result = desk.run("plan")

        assert result.exit_code == 2
        assert "worker_max" in result.output

    def test_a_list_in_place_of_a_text_in_the_answers_is_named(self, desk: Desk) -> None:
        desk.file.write_text('[endpoint]\nname = ["a", "b"]\n', encoding="utf-8")

        result = desk.run("plan")

        assert result.exit_code == 2
        assert "name" in result.output

    @pytest.mark.parametrize("options", [("--name", ""), ("--queue-delay-seconds", "nan")])
    def test_a_value_that_is_none_is_wrong_usage(
        self, desk: Desk, options: tuple[str, str]
    ) -> None:
        result = desk.run("plan", *options)

        assert result.exit_code == 2
        assert options[0] in result.output

    def test_a_number_that_is_none_in_the_answers_is_named(self, desk: Desk) -> None:
        desk.file.write_text('[endpoint]\nworkers_max = "five"\n', encoding="utf-8")

        assert "workers_max must be a number" in desk.run("plan").output

    def test_a_key_is_not_sent_in_the_clear(self, desk: Desk) -> None:
        for url in ("http://api.runpod.invalid", "http://127.0.0.1.example.org", "ftp://x"):
            assert desk.run("plan", "--management-url", url).exit_code == 2

    def test_an_endpoint_that_is_gone_says_who_names_it(self, applied: Desk) -> None:
        requests.delete(
            f"{applied.simulator.origin}/v2/serverless/{applied.endpoint_id}",
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=20,
        )

        result = applied.run("plan")

        assert result.exit_code == 1
        assert "RunpodApiEndpoint" in result.output

    def test_a_key_that_runpod_does_not_know_fails_without_showing_it(self, desk: Desk) -> None:
        desk.key = "rpa_" + "Z9" * 20

        result = desk.run("plan")

        assert result.exit_code == 1
        assert "does not know this key" in result.output
        assert desk.key not in result.output

    def test_a_secret_given_as_a_variable_is_refused_without_showing_it(self, desk: Desk) -> None:
        for wrong in ("HF_TOKEN=hf_s3cret", "hf_s3cret"):
            result = desk.run("plan", "--env", wrong)

            assert result.exit_code == 2
            assert "s3cret" not in result.output


class TestTheKey:
    def test_is_taken_from_the_stacks_secret_when_the_environment_has_none(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cli.checks.key_in", lambda _aws, name: KEY if name == "mine" else None)
        write(desk.file, Answers(parameters={"RunpodApiKeySecretName": "mine"}))

        with mock_aws():
            desk.done("plan", "--region", "us-east-1", RUNPOD_API_KEY="")

    def test_that_is_nowhere_says_both_places(self, desk: Desk) -> None:
        with mock_aws():
            result = desk.run("plan", "--region", "us-east-1", RUNPOD_API_KEY="")

        assert result.exit_code == 1
        assert "RUNPOD_API_KEY" in result.output
        assert "runpod/api-key" in result.output


@pytest.mark.parametrize("command", group.commands.values(), ids=lambda command: command.name)
class TestEveryCommand:
    def test_has_a_twin_in_the_environment_for_every_option(self, command: click.Command) -> None:
        assert [each.name for each in command.params if not each.envvar] == []

    def test_prints_json(self, command: click.Command) -> None:
        assert "as_json" in [each.name for each in command.params]
