from core.aws.items import call_item, job_item, to_call, to_job
from core.summaries.options import Mode
from tests.builders import a_call, a_job, a_request


def test_a_pull_job_is_stored_as_one() -> None:
    job = a_job(options=a_request(mode=Mode.PULL))

    assert to_job(_without_nothing(job_item(job))).options == job.options


def test_what_was_stored_before_there_was_a_pull_mode_is_push() -> None:
    job, call = job_item(a_job()), call_item(a_call())
    del job["options"]["mode"]
    for attempt in call["attempts"]:
        del attempt["sha256"]

    assert to_job(_without_nothing(job)).options.mode is Mode.PUSH
    assert to_call(_without_nothing(call)).attempt.sha256 == ""


def _without_nothing(item: dict[str, object]) -> dict[str, object]:
    """Leave out what is not stored in DynamoDB."""
    return {name: value for name, value in item.items() if value is not None}
