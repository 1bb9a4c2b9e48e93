"""The variables each function finds in its environment, and where their values come from."""

import re

import pytest

from core.variables import Variables
from tests.template.cloudformation import (
    FUNCTIONS,
    ROOT,
    SETTINGS,
    declared_environment,
    environment,
    source,
)

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reads_the_variables_that_the_template_declares_and_no_others(
    function: str,
) -> None:
    deployed = {
        name: value.replace("${HttpApi.ApiEndpoint}", "https://abc.example")
        for name, value in environment(function).items()
    }
    variables = Variables(deployed)

    SETTINGS[function].read(variables)

    assert variables.read | POWERTOOLS == declared_environment(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_has_a_value_that_the_template_knows(function: str) -> None:
    known = {*source()["Resources"], *source()["Parameters"]}

    referred = {
        name.partition(".")[0]
        for value in environment(function).values()
        for name in re.findall(r"\$\{([^}]+)\}", value)
    }

    assert referred <= known


def test_the_callback_url_is_the_address_of_the_api() -> None:
    assert environment("SubmitterFunction")["WEBHOOK_URL"] == "${HttpApi.ApiEndpoint}/webhook"


def test_the_functions_get_the_buckets_that_the_stack_makes() -> None:
    submitter = environment("SubmitterFunction")

    assert submitter["INPUT_BUCKET"] == "${TranscriptsBucket}"
    assert submitter["OUTPUT_BUCKET"] == "${SummariesBucket}"


def test_the_functions_get_the_buckets_that_were_given() -> None:
    submitter = environment(
        "SubmitterFunction", InputBucketName="given-in", OutputBucketName="given-out"
    )

    assert submitter["INPUT_BUCKET"] == "given-in"
    assert submitter["OUTPUT_BUCKET"] == "given-out"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_secrets_reach_a_function_by_name_only(function: str) -> None:
    variables = environment(
        function, RunpodApiKeySecretName="team/runpod", NoticeWebhookSecretName="team/hook"
    )

    names = {
        "RUNPOD_API_KEY_SECRET": "team/runpod",
        "CALLBACK_SECRET": "${CallbackSecret.Id}",
        "NOTICE_WEBHOOK_SECRET": "team/hook",
    }
    secrets = {name: value for name, value in variables.items() if "SECRET" in name}
    assert secrets.items() <= names.items()


@pytest.mark.parametrize("function", ["NotifierFunction", "WebhookSenderFunction"])
def test_who_tells_of_jobs_knows_nothing_of_runpod_and_its_callbacks(function: str) -> None:
    assert not {"RUNPOD_API_KEY_SECRET", "CALLBACK_SECRET"} & declared_environment(function)


@pytest.mark.parametrize("name", ["template.yaml", "samconfig.toml"])
def test_no_key_is_written_into_the_configuration(name: str) -> None:
    looks_like_a_key = re.compile(r"rpa_\w{8}|AKIA\w{8}|-----BEGIN|sk-\w{8}|\b[A-Za-z0-9+/]{40,}\b")

    assert not looks_like_a_key.search((ROOT / name).read_text())
