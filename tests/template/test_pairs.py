"""Every allowed value of every parameter works with every other, or the deployment is refused."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.settings import SubmitterSettings, SweeperSettings
from core.summaries.engine import next_round
from core.summaries.goals import goal_of
from core.summaries.messages import prompt_tokens
from core.summaries.passages import Passage, Passages
from core.summaries.rounds import Round
from tests.template.cloudformation import (
    FUNCTIONS,
    SETTINGS,
    Evaluator,
    Refused,
    check_rules,
    parameter_values,
    source,
    translated,
)

PARAMETERS = source()["Parameters"]
KEY = "arn:aws:kms:eu-central-1:123456789012:key"
# Of what is free text: the emptiest and the longest that may be given, or what is awkward about it.
TEXTS = {
    "RunpodApiEndpoint": ["http://localhost/v2", f"https://{'a' * 380}.example/v2"],
    "RunpodApiKeySecretName": ["k", "k" * 256],
    "InputBucketName": ["", "one-bucket", "b" * 63],
    "InputBucketKmsKeyArn": ["", f"{KEY}/{'k' * 64}"],
    "InputPrefix": ["", "summary-words=2500/", "a+b@c/" + "d" * 193 + "/"],
    "InputSuffixes": [".gz", ".TXT", ",".join([".abcdef"] * 50)],
    "OutputBucketName": ["", "one-bucket", "c" * 63],
    "OutputBucketKmsKeyArn": ["", f"{KEY}/{'k' * 64}"],
    "KmsKeyArn": ["", f"{KEY}/{'k' * 64}"],
    "OutputPrefix": ["a/", "o=" + "p" * 97 + "/"],
    "ModelName": ["", "m" * 200],
    "SummaryLanguage": ["", "L" * 40],
    "Glossary": ["", "G" * 1500],
    "AlarmEmail": ["", "ops@example.org"],
    "NoticeEmail": ["", "desk@example.org"],
    "NoticeWebhookUrl": [
        "https://h.example",
        "http://127.0.0.1:1/x?y=%2Fz&a",
        f"https://h.example/{'p' * 580}",
    ],
    "NoticeWebhookSecretName": ["", "s" * 256],
}
LAMBDAS_VARIABLES_BYTES = 4096
VARIABLES = {
    name: translated()["Resources"][name]["Properties"]["Environment"] for name in FUNCTIONS
}


def boundaries(name: str) -> list[str]:
    spec = PARAMETERS[name]
    if name in TEXTS:
        return TEXTS[name]
    if "AllowedValues" in spec:
        return [str(value) for value in spec["AllowedValues"]]
    lowest, highest = spec["MinValue"], spec["MaxValue"]
    fraction = [] if name in {"Temperature", "TopP"} else [f"{lowest}.5"]  # passes as a Number
    return [str(lowest), str(highest), f"{float(highest)}", *fraction]


def environments(given: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """What each function finds if this may be deployed; nothing if it may not."""
    values = parameter_values(given)
    try:
        check_rules(values)
    except Refused:
        return
    evaluator = Evaluator(values)
    for function, described in VARIABLES.items():
        variables = evaluator.evaluate(described)["Variables"]
        yield (
            function,
            {
                name: str(value).replace("${HttpApi.ApiEndpoint}", "https://api.example")
                for name, value in variables.items()
            },
        )


def check(given: dict[str, str]) -> None:
    for function, variables in environments(given):
        settings = SETTINGS[function].from_env(variables)
        size = sum(len(name) + len(value) for name, value in variables.items())
        assert size < LAMBDAS_VARIABLES_BYTES, given
        if isinstance(settings, SubmitterSettings):
            assert settings.retention > settings.retries.job_deadline + timedelta(days=1)  # held
            assert settings.callback_overdue < settings.retries.job_deadline
        if isinstance(settings, SweeperSettings):
            assert settings.work_file_retention > settings.retries.job_deadline + timedelta(days=1)


@pytest.mark.parametrize("first", PARAMETERS)
def test_what_may_be_deployed_in_pairs_is_what_the_functions_start_with(first: str) -> None:
    others = [name for name in PARAMETERS if name > first]
    for value in boundaries(first):
        parameter_values({first: value})  # else the boundary is none: raises Refused
        for second in others:
            for other in boundaries(second):
                check({first: value, second: other})


def test_the_longest_values_of_all_together_fit_into_lambdas_variables() -> None:
    check({name: max(TEXTS[name], key=len) for name in TEXTS})


@pytest.mark.parametrize("context", ["8192", "32768", "131072"])
@pytest.mark.parametrize("most", ["500", "6000", "16384"])
@pytest.mark.parametrize("words", ["50", "4000", "20000"])
def test_whatever_context_answer_and_length_may_be_deployed_the_first_round_fits(
    context: str, most: str, words: str
) -> None:
    given = {"MaxModelLenTokens": context, "MaxTokens": most, "SummaryWords": words}
    settings = SubmitterSettings.from_env(dict(environments(given))["SubmitterFunction"])

    for transcript_words in (1, 100, 15_000, 1_000_000):
        passages = talk(transcript_words)
        goal = goal_of(settings.options, transcript_words, boundary="0" * 32)
        step = next_round(passages, goal, settings.limits, [])

        assert isinstance(step, Round), (given, transcript_words, step)
        assert all(
            prompt_tokens(ask, passages) + ask.max_tokens <= int(context) for ask in step.asks
        )


def talk(words: int) -> Passages:
    """Return passages of so many words in all, two tokens each; their text is of no account."""
    each = min(words, 150)
    count = words // each
    return Passages(
        tuple(Passage(n, "Ann", "And so on.", each, 2 * each) for n in range(1, count + 1))
    )


def test_a_request_lives_at_runpod_until_its_job_is_given_up_and_not_for_days() -> None:
    longest = max(PARAMETERS["JobDeadlineMinutes"]["AllowedValues"])
    runpods_longest = timedelta(days=7)  # of executionTimeout and ttl, as documented

    assert timedelta(minutes=longest) + timedelta(minutes=10) < runpods_longest
    assert timedelta(seconds=PARAMETERS["ExecutionTimeoutSeconds"]["MaxValue"]) < runpods_longest
    assert PARAMETERS["ExecutionTimeoutSeconds"]["MaxValue"] <= 60 * longest
