"""What is read from RunPod and of the webhook URL: with which key, where it goes, and what is not told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

import pytest
import requests
import responses

from cli.doctor.aws import Account, Unreadable
from cli.doctor.gather import Clocks
from cli.doctor.readings import Function, Readings
from cli.doctor.runpod import Outside, Reach
from cli.endpoint.api import ManagementError
from runpod_simulator import Config, Simulator, running_simulator

KEY, OTHERS_KEY = "rpa_" + "A1b2C3d4" * 5, "rpa_" + "Z9y8X7w6" * 5
HOOK = "https://hooks.example/webhook"


@dataclass
class Secrets:
    """Stands in for the account: all that is asked of it here is the key."""

    key: str = KEY
    problem: str = ""

    def secret(self, _name: str) -> tuple[str, str]:
        return self.key, self.problem


def outside(
    url: str, *, key: str = KEY, problem: str = "", reach: Reach | None = None, hook: str = HOOK
) -> Outside:
    settings = {
        "RUNPOD_API_ENDPOINT": url,
        "WEBHOOK_URL": hook,
        "RUNPOD_API_KEY_SECRET": "runpod/api-key",
    }
    first = Readings(held={"functions": {"submitter": Function(name="s", environment=settings)}})
    account = cast("Account", Secrets(key, problem))
    return Outside(account, first, reach or Reach(), Clocks().note)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    config = Config(api_key=KEY, management_key=OTHERS_KEY, management_per_minute=1_000)
    with running_simulator(config) as running:
        yield running


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class TestRunPod:
    def test_health_is_asked_with_the_stacks_key(self, simulator: Simulator) -> None:
        read = outside(simulator.url).health()

        assert (read.status, read.workers["idle"]) == (200, 3)

    def test_a_key_of_one_endpoint_is_restricted(self, simulator: Simulator) -> None:
        assert outside(simulator.url).is_key_restricted() is True

    def test_a_key_of_the_account_is_not(self, simulator: Simulator) -> None:
        assert outside(simulator.url, key=OTHERS_KEY).is_key_restricted() is False

    def test_the_endpoint_is_read_with_the_key_for_it(self, simulator: Simulator) -> None:
        endpoint = outside(simulator.url, reach=Reach(management_key=OTHERS_KEY)).endpoint()

        assert endpoint is not None
        assert endpoint["id"] == simulator.config.endpoint

    def test_without_one_it_says_where_to_put_it(self, simulator: Simulator) -> None:
        with pytest.raises(Unreadable, match="RUNPOD_API_KEY"):
            outside(simulator.url).endpoint()

    def test_a_wrong_one_is_told_as_such(self, simulator: Simulator) -> None:
        with pytest.raises(ManagementError, match="401"):
            outside(simulator.url, reach=Reach(management_key="wrong")).endpoint()

    def test_an_endpoint_that_is_not_there_is_none(self, simulator: Simulator) -> None:
        read = outside(f"{simulator.origin}/v2/gone", reach=Reach(management_key=OTHERS_KEY))

        assert read.endpoint() is None

    def test_a_pool_has_the_stock_of_its_best_card(self, web: responses.RequestsMock) -> None:
        gpus = [{"pool": "P", "availability": level} for level in ("NONE", "MEDIUM", "LOW")]
        web.get("https://api.runpod.io/v2/catalog/gpus", json={"gpus": gpus})

        assert outside("https://api.runpod.ai/v2/ep1").stock() == {"P": "MEDIUM"}

    def test_without_a_usable_key_nothing_is_asked(self, web: responses.RequestsMock) -> None:
        read = outside("https://api.runpod.ai/v2/ep1", key="REPLACE-ME")

        assert "placeholder" in read.key_secret()
        with pytest.raises(Unreadable, match="no usable key"):
            read.health()
        assert len(web.calls) == 0


class TestWebhook:
    def test_it_is_called_back_with_a_token_that_cannot_be_right(
        self, web: responses.RequestsMock
    ) -> None:
        web.post(f"{HOOK}/doctor/doctor/1/doctor", status=401, json={"outcome": "unauthorized"})

        read = outside("https://api.runpod.ai/v2/ep1").webhook()

        assert (read.status, read.is_from_receiver) == (401, True)
        assert "Authorization" not in web.calls[0].request.headers

    def test_a_redirect_is_not_followed(self, web: responses.RequestsMock) -> None:
        url = f"{HOOK}/doctor/doctor/1/doctor"
        web.post(url, status=302, headers={"Location": "https://elsewhere.example/"})

        assert outside("https://api.runpod.ai/v2/ep1").webhook().status == 302

    def test_who_does_not_answer_is_told_without_the_url(self, web: responses.RequestsMock) -> None:
        web.post(f"{HOOK}/doctor/doctor/1/doctor", body=requests.ConnectTimeout("to " + HOOK))

        assert outside("https://api.runpod.ai/v2/ep1").webhook().problem == "ConnectTimeout"

    def test_a_name_of_this_machine_needs_no_name_server(self, web: responses.RequestsMock) -> None:
        web.post("http://127.0.0.1:4566/webhook/doctor/doctor/1/doctor", status=401)

        hook = "http://abc.execute-api.localhost:4566/webhook"
        outside("http://127.0.0.1:9/v2/local", hook=hook).webhook()

        assert web.calls[0].request.headers["Host"] == "abc.execute-api.localhost:4566"


class TestClocks:
    @pytest.mark.parametrize("seconds", [-400, 0, 400])
    def test_the_date_of_an_answer_tells_how_far_off_ours_is(self, seconds: int) -> None:
        clocks = Clocks()
        theirs = datetime.now(UTC) - timedelta(seconds=seconds)

        clocks.note("AWS", format_datetime(theirs, usegmt=True))

        assert clocks.ahead["AWS"] == pytest.approx(seconds, abs=2)

    @pytest.mark.parametrize("header", ["", "yesterday"])
    def test_an_answer_without_a_date_tells_nothing(self, header: str) -> None:
        clocks = Clocks()

        clocks.note("AWS", header)

        assert clocks.ahead == cast("dict[str, Any]", {})
