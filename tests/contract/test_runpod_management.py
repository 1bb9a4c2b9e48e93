"""The client of RunPod's management API: that the simulator answers as it expects, and each refusal."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from cli.endpoint.api import Management, ManagementError
from cli.endpoint.catalogue import catalogue
from cli.endpoint.drift import differences_of_endpoint, differences_of_template
from cli.endpoint.wanted import Choices, Wanted, wanted
from runpod_simulator import Config, Simulator, running_simulator

URL = "https://runpod.invalid"
KEY = "rpa_" + "A1b2C3d4" * 5


def client(url: str = URL, key: str = KEY) -> Management:
    return Management(url, key, backoff_seconds=0.001)


def want(variant: str = "bf16", **more: Any) -> Wanted:
    return wanted(Choices(name="summaries", variant=variant, **more), catalogue())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(Config(api_key=KEY, management_per_minute=1_000)) as running:
        yield running


@pytest.fixture
def runpod() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class TestAgainstTheSimulator:
    def test_it_tells_which_gpus_are_free(self, simulator: Simulator) -> None:
        simulator.set_stock(AMPERE_80="NONE")

        levels = {
            each["pool"]: each["availability"] for each in client(simulator.origin).gpus_in_stock()
        }

        assert (levels["AMPERE_80"], levels["ADA_80_PRO"]) == ("NONE", "HIGH")

    @pytest.mark.parametrize("variant", ["bf16", "fp8", "w4a16"])
    def test_what_is_made_is_what_was_wanted(self, simulator: Simulator, variant: str) -> None:
        api, asked = client(simulator.origin), want(variant)

        template = api.change("POST", "/v2/templates", asked.template)
        body = {**asked.endpoint, "templateId": template["id"]}
        endpoint = api.change("POST", "/v2/serverless", body)

        assert differences_of_template(asked, template) == []
        assert differences_of_endpoint(asked, endpoint) == []

    def test_what_is_made_is_listed_and_found(self, simulator: Simulator) -> None:
        api = client(simulator.origin)
        template = api.change("POST", "/v2/templates", want().template)
        body = {**want().endpoint, "templateId": template["id"]}
        endpoint = api.change("POST", "/v2/serverless", body)

        assert endpoint in api.endpoints()
        assert template in api.templates()
        assert api.endpoint(endpoint["id"]) == endpoint

    def test_a_field_that_runpod_does_not_know_is_named_in_the_error(
        self, simulator: Simulator
    ) -> None:
        with pytest.raises(ManagementError, match="'cachedModel' not allowed"):
            client(simulator.origin).change(
                "POST", "/v2/templates", {**want().template, "cachedModel": "x"}
            )

    def test_an_endpoint_that_is_not_there_is_told_from_other_errors(
        self, simulator: Simulator
    ) -> None:
        with pytest.raises(ManagementError) as caught:
            client(simulator.origin).endpoint("none")

        assert caught.value.status == 404

    def test_a_wrong_key_is_said_to_be_wrong(self, simulator: Simulator) -> None:
        with pytest.raises(ManagementError, match="does not know this key"):
            client(simulator.origin, "rpa_wrong").endpoints()


class TestRefusals:
    def test_a_key_of_the_endpoint_alone_is_said_to_be_too_narrow(self) -> None:
        config = Config(api_key=KEY, management_key="another")
        with (
            running_simulator(config) as simulator,
            pytest.raises(ManagementError, match="restricted to its endpoint"),
        ):
            client(simulator.origin).endpoints()

    def test_never_repeat_the_key(self, runpod: responses.RequestsMock) -> None:
        body = {"title": "Unauthorized", "status": 401, "detail": f"key {KEY} is unknown"}
        runpod.get(f"{URL}/v2/serverless", status=401, json=body)

        with pytest.raises(ManagementError) as caught:
            client().endpoints()

        assert KEY not in str(caught.value)
        assert KEY not in repr(caught.value)

    def test_of_what_stands_before_runpod_tell_the_code(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.get(f"{URL}/v2/serverless", status=520, body="<html>error code: 520</html>")

        with pytest.raises(ManagementError, match="520"):
            client().endpoints()

    def test_an_answer_that_is_no_object_is_an_error(self, runpod: responses.RequestsMock) -> None:
        runpod.get(f"{URL}/v2/serverless", body="[]")

        with pytest.raises(ManagementError, match="no JSON object"):
            client().endpoints()

    def test_an_answer_without_its_list_is_an_error(self, runpod: responses.RequestsMock) -> None:
        runpod.get(f"{URL}/v2/serverless", json={})

        with pytest.raises(ManagementError, match="no list of endpoints"):
            client().endpoints()

    def test_silence_after_a_change_says_that_it_can_be_run_again(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.post(f"{URL}/v2/templates", body=requests.ConnectTimeout("to https://runpod"))

        with pytest.raises(ManagementError, match="run it again"):
            client().change("POST", "/v2/templates", {})


class TestRepeating:
    def test_a_read_is_repeated(self, runpod: responses.RequestsMock) -> None:
        runpod.get(f"{URL}/v2/serverless", status=503)
        runpod.get(f"{URL}/v2/serverless", json={"endpoints": []})

        assert client().endpoints() == []

    def test_a_creation_is_sent_once(self, runpod: responses.RequestsMock) -> None:
        runpod.post(f"{URL}/v2/templates", status=503)

        with pytest.raises(ManagementError):
            client().change("POST", "/v2/templates", {})

        assert len(runpod.calls) == 1

    def test_every_request_has_a_timeout_and_a_name_of_its_own(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.get(f"{URL}/v2/serverless", json={"endpoints": []})

        client().endpoints()

        (call,) = runpod.calls
        assert all(0 < seconds <= 60 for seconds in call.request.req_kwargs["timeout"])
        assert "python" not in call.request.headers["User-Agent"]
