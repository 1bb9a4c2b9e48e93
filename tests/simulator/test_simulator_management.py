"""RunPod's management API, as the simulator plays it: by its schema, and what is known beside it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from cli.endpoint.catalogue import catalogue
from runpod_simulator import Config, Simulator, running_simulator
from runpod_simulator.management.bodies import problems_with
from tests.cli.endpoint.bodies_schema import (
    CREATE_ENDPOINT,
    CREATE_TEMPLATE,
    UPDATE_ENDPOINT,
    UPDATE_TEMPLATE,
    problems,
)

SMALLEST = {
    "name": "one",
    "type": "QUEUE",
    "image": "worker:1",
    "gpu": {"pools": ["ADA_24"]},
    "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4},
}


@dataclass
class Account:
    """Somebody who manages endpoints."""

    simulator: Simulator
    key: str

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.simulator.origin}/v2/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"} if self.key else {},
            timeout=20,
        )

    def made(self, path: str = "serverless", **changes: Any) -> dict[str, Any]:
        body = {name: value for name, value in {**SMALLEST, **changes}.items() if value is not None}
        if path == "templates":
            body = {"name": "one", "image": "worker:1", **changes}
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def changed(self, endpoint: dict[str, Any], **body: Any) -> dict[str, Any]:
        answer = self.send("PATCH", f"serverless/{endpoint['id']}", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        answer = self.send(method, path, body)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        problem = answer.json()
        assert problem["status"] == answer.status_code
        return answer.status_code, problem


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with running_simulator(Config(management_per_minute=10_000)) as simulator:
        yield simulator


@pytest.fixture
def account(shared: Simulator) -> Account:
    return Account(shared, shared.api_key)


class TestKeys:
    def test_without_a_key_or_with_another_one_the_answer_is_401(self, shared: Simulator) -> None:
        for key in ("", "another"):
            status, problem = Account(shared, key).refused("GET", "serverless")
            assert (status, problem["title"]) == (401, "Unauthorized")

    def test_a_key_that_is_of_the_endpoint_alone_gets_403(self) -> None:
        with running_simulator(Config(management_key="the-account's")) as simulator:
            status, _ = Account(simulator, simulator.api_key).refused("GET", "serverless")
            assert status == 403
            assert Account(simulator, "the-account's").send("GET", "serverless").ok

    def test_above_the_quota_the_answer_is_429_and_says_how_long_to_wait(self) -> None:
        with running_simulator(Config(management_per_minute=1)) as simulator:
            account = Account(simulator, simulator.api_key)
            assert "r=0" in account.send("GET", "serverless").headers["RateLimit"]

            answer = account.send("GET", "serverless")

            assert answer.status_code == 429
            assert 0 < int(answer.headers["Retry-After"]) <= 60


class TestBodies:
    @pytest.mark.parametrize("path", ["serverless", "templates"])
    def test_an_unknown_field_is_422_and_named(self, account: Account, path: str) -> None:
        status, problem = account.refused("POST", path, {**SMALLEST, "bogus": 1})

        assert status == 422
        assert "$: additional properties 'bogus' not allowed" in problem["errors"]

    def test_an_unknown_field_of_a_part_is_422(self, account: Account) -> None:
        endpoint = account.made()

        status, problem = account.refused(
            "PATCH", f"serverless/{endpoint['id']}", {"workers": {"idle": 5}}
        )

        assert status == 422
        assert problem["errors"] == ["$.workers: additional properties 'idle' not allowed"]

    @pytest.mark.parametrize("field", ["name", "type", "scaling", "image"])
    def test_what_is_required_is_422_without_it(self, account: Account, field: str) -> None:
        body = {name: value for name, value in SMALLEST.items() if name != field}

        assert account.refused("POST", "serverless", body)[0] == 422

    def test_a_refusal_repeats_no_value(self, account: Account) -> None:
        body = {**SMALLEST, "env": {"HF_TOKEN": ["hf_s3cret"]}}

        assert "hf_s3cret" not in account.send("POST", "serverless", body).text

    def test_no_json_is_400(self, shared: Simulator) -> None:
        answer = requests.post(
            f"{shared.origin}/v2/serverless",
            data=b"{",
            headers={"Authorization": f"Bearer {shared.api_key}"},
            timeout=20,
        )

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "body",
        [
            {**SMALLEST, "gpu": None} | {"gpu": {"pools": []}},
            {**SMALLEST, "gpu": {"count": 1}},
            {**SMALLEST, "gpu": {"pools": ["A"], "minCudaVersion": "13"}},
            {**SMALLEST, "gpu": {"pools": ["A"], "excludedTypes": ["x", "x"]}},
            {**SMALLEST, "gpu": {"pools": ["A"], "bogus": 1}},
            {**SMALLEST, "scaling": {"type": "QUEUE_DELAY"}},
            {**SMALLEST, "scaling": {"type": "QUEUE_DELAY", "queueDelay": 0.1}},
            {**SMALLEST, "workers": {"idleTimeout": 0}},
            {**SMALLEST, "flashboot": "ON"},
            {**SMALLEST, "timeout": "900000"},
            {**SMALLEST, "env": {"A": 1}},
            {**SMALLEST, "image": None},
            {**SMALLEST, "name": ""},
            {**SMALLEST, "templateId": "t"},
            SMALLEST,
            {},
            [],
        ],
    )
    def test_are_taken_or_refused_as_runpods_schema_says(self, body: Any) -> None:
        for operation, schema in {
            "createEndpoint": CREATE_ENDPOINT,
            "updateEndpoint": UPDATE_ENDPOINT,
            "createTemplate": CREATE_TEMPLATE,
            "updateTemplate": UPDATE_TEMPLATE,
        }.items():
            assert bool(problems_with(operation, body)) == bool(problems(schema, body)), operation


class TestCreating:
    def test_takes_the_apis_defaults_which_are_not_the_consoles(self, account: Account) -> None:
        endpoint = account.made()

        assert (endpoint["flashboot"], endpoint["timeout"]) == ("OFF", 0)
        assert endpoint["workers"] == {"min": 0, "max": 3, "idleTimeout": 10}

    def test_tells_where_jobs_go(self, account: Account, shared: Simulator) -> None:
        endpoint = account.made()

        assert endpoint["requestUrls"]["run"] == f"{shared.origin}/v2/{endpoint['id']}/run"

    def test_copies_its_template_and_lets_the_body_go_over_it(self, account: Account) -> None:
        template = account.made("templates", serverless=True, disk=99, env={"A": "1", "B": "1"})

        endpoint = account.made(image=None, templateId=template["id"], env={"B": "2"})

        assert (endpoint["image"], endpoint["disk"]) == ("worker:1", 99)
        assert endpoint["env"] == {"A": "1", "B": "2"}

    def test_from_an_unknown_template_is_404_and_from_one_for_pods_422(
        self, account: Account
    ) -> None:
        for_pods = account.made("templates")["id"]

        assert account.refused("POST", "serverless", {**SMALLEST, "templateId": "none"})[0] == 404
        assert account.refused("POST", "serverless", {**SMALLEST, "templateId": for_pods})[0] == 422

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"cpu": [{"id": "cpu5c", "vcpuCount": 4}]}, 400),
            (
                {
                    "gpu": {
                        "pools": ["A"],
                        "allowedCudaVersions": ["13.0"],
                        "minCudaVersion": "12.8",
                    }
                },
                400,
            ),
            (
                {
                    "scaling": {"type": "REQUEST_COUNT", "requestCount": 1},
                    "workers": {"idleTimeout": 5},
                },
                422,
            ),
        ],
    )
    def test_refuses_settings_that_contradict_each_other(
        self, account: Account, change: dict[str, Any], status: int
    ) -> None:
        assert account.refused("POST", "serverless", {**SMALLEST, **change})[0] == status


class TestChanging:
    def test_leaves_what_the_body_does_not_name(self, account: Account) -> None:
        endpoint = account.made(env={"A": "1"})

        changed = account.changed(endpoint, workers={"max": 7})

        assert changed == {**endpoint, "workers": {**endpoint["workers"], "max": 7}}

    def test_replaces_the_environment_whole(self, account: Account) -> None:
        assert account.changed(account.made(env={"A": "1"}), env={"B": "2"})["env"] == {"B": "2"}

    def test_clears_the_cards_left_out_when_it_names_pools(self, account: Account) -> None:
        endpoint = account.made(gpu={"pools": ["ADA_48_PRO"], "excludedTypes": ["NVIDIA L40"]})

        kept = account.changed(endpoint, gpu={"minCudaVersion": "13.0"})
        cleared = account.changed(endpoint, gpu={"pools": ["ADA_48_PRO"]})

        assert kept["gpu"]["excludedTypes"] == ["NVIDIA L40"]
        assert "excludedTypes" not in cleared["gpu"]

    def test_a_template_later_leaves_the_endpoint_as_it_is(self, account: Account) -> None:
        template = account.made("templates", serverless=True)
        endpoint = account.made(image=None, templateId=template["id"])

        account.send("PATCH", f"templates/{template['id']}", {"image": "worker:2"})

        now = account.send("GET", f"serverless/{endpoint['id']}").json()
        assert now["image"] == "worker:1"

    def test_what_is_not_there_is_404(self, account: Account) -> None:
        for method in ("GET", "PATCH", "DELETE"):
            for kind in ("serverless", "templates"):
                assert account.refused(method, f"{kind}/none", {})[0] == 404


class TestDeleting:
    def test_an_endpoint_takes_its_template_with_it(self, account: Account) -> None:
        template = account.made("templates", serverless=True)["id"]
        endpoint = account.made(image=None, templateId=template)["id"]
        assert account.refused("DELETE", f"templates/{template}")[0] == 400

        answer = account.send("DELETE", f"serverless/{endpoint}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert account.send("GET", f"serverless/{endpoint}").status_code == 404
        assert account.send("GET", f"templates/{template}").status_code == 404


class TestCatalogue:
    IN_STOCK = "catalog/gpus?include=AVAILABILITY&product=SERVERLESS"

    def test_each_gpu_has_its_pool_and_what_is_free(self, account: Account) -> None:
        listed = account.send("GET", self.IN_STOCK).json()["gpus"]

        assert {each["availability"] for each in listed} == {"HIGH"}
        assert "ADA_80_PRO" in {each["pool"] for each in listed}

    def test_every_pool_of_our_models_is_in_it(self, account: Account) -> None:
        listed = account.send("GET", "catalog/gpus").json()["gpus"]

        assert catalogue().pools.keys() <= {each["pool"] for each in listed}

    def test_what_is_free_is_told_only_where_it_was_asked_for(self, account: Account) -> None:
        listed = account.send("GET", "catalog/gpus").json()["gpus"]

        assert not any("availability" in each for each in listed)

    def test_availability_is_of_a_product(self, account: Account) -> None:
        assert account.refused("GET", "catalog/gpus?include=AVAILABILITY")[0] == 422

    def test_a_pool_can_be_emptied_and_filled_again(self, account: Account) -> None:
        def levels() -> dict[str, str]:
            listed = account.send("GET", self.IN_STOCK).json()["gpus"]
            return {each["pool"]: each["availability"] for each in listed}

        account.simulator.set_stock(ADA_80_PRO="NONE")
        empty = levels()
        account.simulator.set_stock()

        assert (empty["ADA_80_PRO"], empty["AMPERE_80"]) == ("NONE", "HIGH")
        assert levels()["ADA_80_PRO"] == "HIGH"


def test_health_can_be_told_to_show_other_workers(account: Account) -> None:
    def workers() -> dict[str, int]:
        url = f"{account.simulator.url}/health"
        headers = {"Authorization": f"Bearer {account.simulator.api_key}"}
        return dict(requests.get(url, headers=headers, timeout=20).json()["workers"])

    before = workers()
    account.simulator.show_workers(throttled=2, idle=0)
    shown = workers()
    account.simulator.show_workers()

    assert (shown["throttled"], shown["idle"]) == (2, 0)
    assert workers() == before


def test_the_endpoint_that_is_simulated_is_among_the_listed(account: Account) -> None:
    listed = account.send("GET", "serverless").json()["endpoints"]

    assert account.simulator.config.endpoint in [each["id"] for each in listed]


def test_its_jobs_are_answered_as_before(start: Callable[..., Any]) -> None:
    caller = start()

    assert caller.get("/health").ok
    assert caller.when_over(caller.run())["status"] == "COMPLETED"
