from datetime import timedelta

import pytest

from core.errors import SettingsError
from core.settings import ReceiverSettings, SubmitterSettings, SweeperSettings, longest_discovery
from tests.builders import minutes
from tests.fakes.aws import AN_ENVIRONMENT

ALL = (SubmitterSettings, ReceiverSettings, SweeperSettings)


@pytest.mark.parametrize("settings", ALL)
def test_a_complete_environment_is_read(settings: type[SubmitterSettings]) -> None:
    assert settings.from_env(AN_ENVIRONMENT).resources.jobs_table == "jobs"


@pytest.mark.parametrize("settings", ALL)
def test_no_variable_has_a_silent_default(settings: type[SubmitterSettings]) -> None:
    for name in AN_ENVIRONMENT:
        without = {key: value for key, value in AN_ENVIRONMENT.items() if key != name}
        try:
            settings.from_env(without)
        except SettingsError as exc:
            assert name in str(exc)
        else:
            assert settings.from_env(without) == settings.from_env(AN_ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUMMARY_WORDS", "many"),
        ("SUMMARY_WORDS", "0"),
        ("MAX_TOKENS", "32000"),
        ("RETENTION_DAYS", "inf"),
        ("RETENTION_DAYS", "0.5"),
        ("MAX_MODEL_LEN", "500000"),
        ("TEMPERATURE", "hot"),
        ("TEMPERATURE", "nan"),
        ("MODEL_PROFILE", "gpt-2"),
        ("RUNPOD_API_ENDPOINT", "http://api.runpod.ai/v2/abc"),
        ("RUNPOD_API_ENDPOINT", "api.runpod.ai"),
        ("WEBHOOK_URL", "http://hooks.invalid"),
        ("JOBS_TABLE", " "),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        SubmitterSettings.from_env(AN_ENVIRONMENT | {name: value})


def test_an_answer_never_takes_more_than_half_of_the_context() -> None:
    small = {"MAX_MODEL_LEN": "8192", "MAX_TOKENS": "16384"}

    assert SubmitterSettings.from_env(AN_ENVIRONMENT | small).options.max_tokens == 4096


def test_a_whole_number_may_be_written_with_a_fraction() -> None:
    """CloudFormation takes 90.0 and 90.5 for a Number, and nothing in a template can refuse them."""
    for written in ("90", "90.0", "90.5"):
        settings = SubmitterSettings.from_env(AN_ENVIRONMENT | {"RETENTION_DAYS": written})
        assert settings.retention == timedelta(days=90)


def test_plain_http_is_for_this_machine() -> None:
    local = {
        "RUNPOD_API_ENDPOINT": "http://127.0.0.1:4000/v2/local",
        "WEBHOOK_URL": "http://abc.execute-api.localhost:4566/webhook",
    }

    settings = SubmitterSettings.from_env(AN_ENVIRONMENT | local)

    assert settings.runpod.endpoint == "http://127.0.0.1:4000/v2/local"


def test_suffixes_are_compared_in_lower_case() -> None:
    assert SubmitterSettings.from_env(AN_ENVIRONMENT).upload_filter.suffixes == (".txt", ".md")


def test_the_profile_names_the_model_unless_the_operator_does() -> None:
    named = SubmitterSettings.from_env(AN_ENVIRONMENT | {"MODEL_NAME": "mine"})

    assert SubmitterSettings.from_env(AN_ENVIRONMENT).options.model.startswith("mistralai/")
    assert named.options.model == "mine"


def test_a_flag_is_true_or_false() -> None:
    assert ReceiverSettings.from_env(AN_ENVIRONMENT).verifies_with is None
    assert ReceiverSettings.from_env(AN_ENVIRONMENT | {"VERIFY_CALLBACKS": "true"}).verifies_with
    with pytest.raises(SettingsError, match="VERIFY_CALLBACKS"):
        ReceiverSettings.from_env(AN_ENVIRONMENT | {"VERIFY_CALLBACKS": "perhaps"})


@pytest.mark.parametrize("name", ["push", "pull"])
def test_the_mode_is_one_of_two(name: str) -> None:
    settings = SubmitterSettings.from_env(AN_ENVIRONMENT | {"MODE": name})

    assert settings.options.mode == name
    with pytest.raises(SettingsError, match="push or pull"):
        SubmitterSettings.from_env(AN_ENVIRONMENT | {"MODE": f"{name}s"})


class TestDiscoveryOfALostCallback:
    @pytest.mark.parametrize(
        "unsafe",
        [
            {"JOB_DEADLINE_MINUTES": "180", "MAX_POLLING_ATTEMPTS": "5"},
            {
                "POLLING_INTERVAL": "300",
                "SWEEP_SCHEDULE_MINUTES": "10",
                "MAX_POLLING_ATTEMPTS": "4",
            },
        ],
    )
    def test_settings_that_could_miss_a_result_are_refused(self, unsafe: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match="lost callback"):
            SweeperSettings.from_env(AN_ENVIRONMENT | unsafe)

    def test_is_the_widest_gap_and_a_sweep(self) -> None:
        longest = longest_discovery(
            overdue=minutes(5),
            deadline=minutes(60),
            polls=12,
            poll_interval=timedelta(seconds=5),
            schedule=minutes(2),
        )

        assert longest == minutes(7)
