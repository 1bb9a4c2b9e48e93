"""`endpoint plan|apply|show|drift` as an operator runs them, against the simulated management API."""

from typing import Any

import pytest

from cli.answers import Answers, read, write
from cli.endpoint.api import Management
from tests.cli.endpoint.desk import Desk


class TestPlan:
    def test_prints_the_requests_and_sends_none(self, desk: Desk) -> None:
        output = desk.done("plan")

        assert f"POST {desk.simulator.origin}/v2/serverless" in output
        assert '"flashboot": "FLASHBOOT"' in output
        assert desk.written() == 0

    def test_prints_what_apply_then_sends(self, desk: Desk) -> None:
        _, creating = desk.told("plan")["requests"]
        made = desk.told("apply", "--yes")["endpoint"]

        body = {name: value for name, value in creating["body"].items() if name != "templateId"}
        assert body.items() <= made.items()

    def test_says_what_was_measured_and_what_not(self, desk: Desk) -> None:
        output = desk.done("plan", "--variant", "w4a16")

        assert "measured: nothing" in output
        assert "AMPERE_48 (A40, RTX A6000: $0.00034 a second)" in output

    def test_names_a_secret_by_its_reference_alone(self, desk: Desk) -> None:
        output = desk.done(
            "plan", "--parameter", "ModelProfile=llama-3.3-70b", "--hf-token-secret", "hugging_face"
        )

        assert '"HF_TOKEN": "{{ RUNPOD_SECRET_hugging_face }}"' in output

    def test_leaves_no_trace_in_the_answers(self, desk: Desk) -> None:
        desk.done("plan", "--variant", "fp8")

        assert not desk.file.exists()


class TestApply:
    def test_makes_the_endpoint_and_tells_the_stack_of_it(self, desk: Desk) -> None:
        made = desk.told("apply", "--yes")

        assert made["differences"] == []
        assert made["requests_sent"] == 2
        assert read(desk.file).parameters["RunpodApiEndpoint"] == made["url"]

    def test_again_sends_nothing_that_writes(self, applied: Desk) -> None:
        before = applied.written()

        output = applied.done("apply")

        assert "nothing to send" in output
        assert applied.written() == before

    def test_keeps_what_was_chosen_so_that_nothing_is_typed_twice(self, desk: Desk) -> None:
        desk.done(
            "apply", "--yes", "--variant", "fp8", "--workers-max", "5", "--env", "MAX_NUM_SEQS=64"
        )
        before = desk.written()

        assert desk.run("drift").exit_code == 0
        desk.done("apply", "--yes")
        assert desk.written() == before

    def test_keeps_parameters_of_the_stack_where_deploy_finds_them(self, desk: Desk) -> None:
        desk.done("apply", "--yes", "--parameter", "MaxModelLenTokens=65536")

        assert read(desk.file).parameters["MaxModelLenTokens"] == "65536"

    def test_leaves_other_answers_as_they_are(self, desk: Desk) -> None:
        write(desk.file, Answers(stack_name="other", parameters={"AlarmEmail": "ops@example.org"}))

        desk.done("apply", "--yes", "--region", "eu-west-1")

        answers = read(desk.file)
        assert (answers.stack_name, answers.region) == ("other", "")
        assert answers.parameters["AlarmEmail"] == "ops@example.org"

    def test_puts_right_what_somebody_changed_and_only_that(self, applied: Desk) -> None:
        applied.change(workers={"max": 0}, flashboot="OFF")

        (request,) = applied.told("plan")["requests"]
        applied.done("apply", "--yes")

        assert request["method"] == "PATCH"
        assert request["body"].keys() == {"workers", "flashboot"}
        assert applied.run("drift").exit_code == 0

    @pytest.mark.parametrize(
        "in_the_console",
        [
            {"scaling": {"type": "REQUEST_COUNT", "requestCount": 1}},
            {"gpu": {"pools": ["ADA_80_PRO"], "excludedTypes": ["NVIDIA H100 NVL"]}},
            {"gpu": {"minCudaVersion": "", "allowedCudaVersions": ["12.8"]}},
            {"gpu": {"count": 2}},
            {"workers": {"min": 1, "max": 1, "idleTimeout": 600}},
            {"env": {"MODEL_NAME": "another", "THEIRS": "x"}},
            {"args": "--enforce-eager", "disk": 20, "timeout": 0},
        ],
    )
    def test_leaves_no_drift_whatever_was_changed(
        self, applied: Desk, in_the_console: dict[str, Any]
    ) -> None:
        applied.change(**in_the_console)
        assert applied.run("drift").exit_code == 1

        applied.done("apply", "--yes")

        assert applied.run("drift").exit_code == 0

    def test_is_1_and_says_what_remains_if_runpod_takes_it_otherwise(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = Management.change

        def without_flashboot(api: Management, *request: Any) -> dict[str, Any]:
            return {**change(api, *request), "flashboot": "OFF"}

        monkeypatch.setattr(Management, "change", without_flashboot)

        result = desk.run("apply", "--yes")

        assert result.exit_code == 1
        assert 'flashboot: wanted "FLASHBOOT", is "OFF"' in result.output

    def test_takes_over_an_endpoint_that_was_made_by_hand_and_leaves_its_name(
        self, desk: Desk
    ) -> None:
        write(desk.file, Answers(parameters={"RunpodApiEndpoint": desk.simulator.url}))

        desk.done("apply", "--yes")

        assert desk.run("drift").exit_code == 0
        shown = desk.told("show")["endpoint"]
        assert (shown["id"], shown["name"]) == ("local", "local")

    def test_goes_on_where_one_before_was_cut_off(self, desk: Desk) -> None:
        template = desk.told("plan")["requests"][0]["body"]
        desk.send("POST", "templates", template)

        desk.done("apply", "--yes")

        assert len(desk.send("GET", "templates")["templates"]) == 1

    def test_with_dry_run_sends_nothing(self, desk: Desk) -> None:
        desk.done("apply", "--yes", "--dry-run")

        assert desk.written() == 0

    def test_without_yes_and_without_a_terminal_changes_nothing_and_is_wrong_usage(
        self, desk: Desk
    ) -> None:
        result = desk.run("apply")

        assert result.exit_code == 2
        assert "--yes" in result.output
        assert desk.written() == 0

    def test_says_so_when_the_stack_uses_another_endpoint(self, applied: Desk) -> None:
        before = read(applied.file)

        result = applied.run("apply", "--yes", "--endpoint-id", "local")

        assert "The stack is told of another endpoint" in result.output
        assert read(applied.file).parameters == before.parameters


class TestShow:
    def test_prints_no_secret_that_somebody_has_put_in(self, applied: Desk) -> None:
        environment = applied.told("show")["endpoint"]["env"]
        applied.change(env={**environment, "HF_TOKEN": "hf_s3cret", "THEIRS": "s3cret-too"})

        for output in (applied.done("show"), applied.done("show", "--json")):
            assert "s3cret" not in output
            assert "MAX_MODEL_LEN" in output

    def test_without_an_endpoint_says_how_to_make_one(self, desk: Desk) -> None:
        result = desk.run("show")

        assert result.exit_code == 1
        assert "endpoint apply" in result.output


class TestDrift:
    def test_is_0_for_an_endpoint_as_wanted(self, applied: Desk) -> None:
        assert "as wanted" in applied.done("drift")

    def test_is_1_and_names_every_field(self, applied: Desk) -> None:
        applied.change(
            image="runpod/worker-v1-vllm:v2.23.0",
            scaling={"type": "REQUEST_COUNT", "requestCount": 1},
            timeout=0,
        )

        result = applied.run("drift")

        assert result.exit_code == 1
        for field in ("image", "scaling.type", "timeout"):
            assert f"{field}: wanted" in result.stdout

    def test_as_json_is_for_a_script(self, applied: Desk) -> None:
        applied.change(timeout=0)

        (difference,) = applied.told("drift")["differences"]

        assert difference == {"field": "timeout", "wanted": 900_000, "actual": 0}

    def test_names_the_templates_fields_too_so_that_it_agrees_with_plan(
        self, applied: Desk
    ) -> None:
        (template,) = applied.send("GET", "templates")["templates"]
        applied.send("PATCH", f"templates/{template['id']}", {"disk": 20})

        (difference,) = applied.told("drift")["differences"]

        assert difference["field"] == "template.disk"

    def test_follows_the_stacks_parameters(self, applied: Desk) -> None:
        write(applied.file, read(applied.file).having(MaxModelLenTokens="65536"))

        fields = [each["field"] for each in applied.told("drift")["differences"]]

        assert fields == ["env.MAX_MODEL_LEN", "template.env.MAX_MODEL_LEN"]


def test_lists_in_the_environment_are_separated_by_semicolons(desk: Desk) -> None:
    told = desk.told(
        "plan",
        SUMMARIES_ENDPOINT_ENV="HF_TOKEN={{ RUNPOD_SECRET_x }};MAX_NUM_SEQS=64",
        SUMMARIES_ENDPOINT_POOL="ADA_80_PRO;AMPERE_80",
        SUMMARIES_ENDPOINT_WORKERS_MAX="5",
    )

    template, endpoint = (each["body"] for each in told["requests"])
    assert template["env"]["HF_TOKEN"] == "{{ RUNPOD_SECRET_x }}"
    assert endpoint["gpu"]["pools"] == ["ADA_80_PRO", "AMPERE_80"]
    assert endpoint["workers"]["max"] == 5
