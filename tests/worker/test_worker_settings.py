import pytest

from core.errors import SettingsError
from worker.settings import WorkerSettings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert WorkerSettings.from_environment({"MAX_PARALLEL_CALLS": " "}) == WorkerSettings()


def test_what_is_given_is_taken() -> None:
    settings = WorkerSettings.from_environment(
        {
            "MODEL_URL": "http://127.0.0.1:9000/",
            "MODEL_KEY": "a-key",
            "MAX_TRANSCRIPT_BYTES": "7",
            "MAX_PARALLEL_CALLS": "3",
            "MAX_PARALLEL_ORDERS": "2",
            "MODEL_ANSWER_SECONDS": "60",
            "MODEL_START_SECONDS": "5",
        }
    )

    assert settings == WorkerSettings(
        model_url="http://127.0.0.1:9000",
        model_key="a-key",
        most_transcript_bytes=7,
        parallel_calls=3,
        parallel_orders=2,
        model_answer_seconds=60,
        model_start_seconds=5,
    )
    assert "a-key" not in repr(settings)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_what_is_no_number_stops_the_worker_and_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="MAX_PARALLEL_CALLS"):
        WorkerSettings.from_environment({"MAX_PARALLEL_CALLS": value})
