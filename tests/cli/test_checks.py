"""The check of endpoint and key, against the simulated RunPod."""

from cli.checks import problem_with_endpoint, problem_with_key
from runpod_simulator import Config, running_simulator


def test_an_endpoint_and_a_key_that_are_right_are_taken_and_others_are_not() -> None:
    with running_simulator(Config(api_key="local-" + "a1" * 16)) as runpod:
        other = runpod.url.rsplit("/", 1)[0] + "/another"

        assert problem_with_endpoint(runpod.url, runpod.api_key) == ""
        assert "refuses the key" in problem_with_endpoint(runpod.url, "rpa_wrong")
        assert problem_with_endpoint(other, runpod.api_key) != ""
        assert problem_with_key(runpod.api_key) == ""
