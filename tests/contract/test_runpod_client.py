"""The RunPod client: how it handles each answer, and that the simulator answers as it expects."""

import re
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
import responses

from core.errors import (
    RunPodBusy,
    RunPodError,
    RunPodFailed,
    RunPodKeyUnusable,
    RunPodRefused,
    RunPodSilent,
)
from core.jobs.ports import RunPod
from core.runpod.client import HttpRunPod
from core.runpod.reports import RunPodStatus
from runpod_simulator import Config, Simulator, running_simulator
from tests.builders import API_KEY, completed_body
from tests.fakes.memory import MemoryRunPod

URL = "https://runpod.invalid/v2/e"
REQUEST = {
    "input": {
        "openai_route": "/v1/chat/completions",
        "openai_input": {
            "messages": [{"role": "user", "content": "About 20 words. Mara: The pump holds."}],
            "max_tokens": 64,
        },
    }
}


class Key:
    """An API key that was replaced once."""

    def __init__(self, *values: str) -> None:
        self._values = list(values)

    def value(self) -> str:
        return self._values[0]

    def refetched(self) -> str:
        if len(self._values) > 1:
            self._values.pop(0)
        return self._values[0]


def client(*keys: str, url: str = URL) -> HttpRunPod:
    return HttpRunPod(url, Key(*(keys or (API_KEY,))), backoff_seconds=0.001)


@pytest.fixture
def runpod() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class TestConnections:
    def test_are_each_requests_own(self, runpod: responses.RequestsMock) -> None:
        runpod.get(f"{URL}/status/rp-1", json=completed_body())

        client().status("rp-1")

        assert runpod.calls[0].request.headers["Connection"] == "close"

    def test_are_kept_while_much_is_asked_but_for_what_must_not_be_lost(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.get(f"{URL}/status/rp-1", json=completed_body())
        runpod.post(f"{URL}/cancel/rp-1", json={})
        runpod.post(f"{URL}/run", json={"id": "rp-1"})
        asking = client()

        with asking.keeping_connections():
            asking.status("rp-1")
            asking.cancel("rp-1")
            asking.run(REQUEST)
        asking.status("rp-1")

        headers = [call.request.headers.get("Connection") for call in runpod.calls]
        assert headers == ["keep-alive", "keep-alive", "close", "close"]


class TestRun:
    def test_gives_every_request_a_timeout(self, runpod: responses.RequestsMock) -> None:
        runpod.post(f"{URL}/run", json={"id": "rp-1"})
        runpod.get(f"{URL}/status/rp-1", json=completed_body())

        client().run(REQUEST)
        client().status("rp-1")

        for call in runpod.calls:
            to_connect, to_answer = call.request.req_kwargs["timeout"]
            assert 0 < to_connect <= 10
            assert 0 < to_answer <= 30

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, RunPodRefused),
            (401, RunPodKeyUnusable),
            (403, RunPodBusy),
            (404, RunPodRefused),
            (408, RunPodFailed),
            (425, RunPodFailed),
            (302, RunPodRefused),
            (500, RunPodFailed),
            (502, RunPodFailed),
            (524, RunPodFailed),
        ],
    )
    def test_is_sent_once_where_runpod_may_have_taken_it_or_never_will(
        self, runpod: responses.RequestsMock, status: int, error: type[RunPodError]
    ) -> None:
        runpod.post(
            f"{URL}/run",
            status=status,
            body="no",
            headers={"Location": "https://elsewhere.invalid"},
        )

        with pytest.raises(error, match=str(status)):
            client().run(REQUEST)
        assert len(runpod.calls) == 1

    def test_is_sent_again_when_there_was_no_room(self, runpod: responses.RequestsMock) -> None:
        runpod.post(f"{URL}/run", status=429)
        runpod.post(f"{URL}/run", status=429)
        runpod.post(f"{URL}/run", json={"id": "rp-1"})

        assert client().run(REQUEST) == "rp-1"

    def test_gives_up_when_there_is_no_room_again_and_again(
        self, runpod: responses.RequestsMock
    ) -> None:
        for _ in range(4):
            runpod.post(f"{URL}/run", status=429)

        with pytest.raises(RunPodBusy):
            client().run(REQUEST)

    @pytest.mark.parametrize(
        "body",
        [{"error": "boom"}, {"id": ""}, {"id": 7}, {"id": "../purge-queue"}],
        ids=["error", "empty", "number", "path"],
    )
    def test_an_answer_without_an_id_is_refused(
        self, runpod: responses.RequestsMock, body: dict[str, object]
    ) -> None:
        runpod.post(f"{URL}/run", json=body)

        with pytest.raises(RunPodRefused, match="without a job id"):
            client().run(REQUEST)

    @pytest.mark.parametrize("body", ["<html>", "[]", "null", ""])
    def test_an_answer_that_is_no_object_may_mean_anything(
        self, runpod: responses.RequestsMock, body: str
    ) -> None:
        runpod.post(f"{URL}/run", body=body)

        with pytest.raises(RunPodFailed):
            client().run(REQUEST)

    def test_no_connection_means_that_it_was_not_taken(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]

        with pytest.raises(RunPodBusy):
            client(url=f"http://127.0.0.1:{port}/v2/e").run(REQUEST)

    def test_a_connection_that_breaks_may_mean_that_it_was_taken(self) -> None:
        taken: list[bytes] = []

        class HangingUp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                taken.append(self.request.recv(65_536))

        with socketserver.TCPServer(("127.0.0.1", 0), HangingUp) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                with pytest.raises(RunPodSilent):
                    client(url=f"http://127.0.0.1:{server.server_address[1]}/v2/e").run(REQUEST)
            finally:
                server.shutdown()
                thread.join()

        assert len(taken) == 1  # so it is not sent again

    def test_a_key_that_was_replaced_is_fetched_afresh(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.post(f"{URL}/run", status=401)
        runpod.post(f"{URL}/run", json={"id": "rp-1"})

        assert client("old", "new").run(REQUEST) == "rp-1"
        assert runpod.calls[1].request.headers["Authorization"] == "Bearer new"

    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    def test_no_error_contains_a_secret(self, runpod: responses.RequestsMock, status: int) -> None:
        for _ in range(4 if status == 429 else 1):
            runpod.post(f"{URL}/run", status=status, body=f"{API_KEY} webhook=https://x/token")

        with pytest.raises(RunPodError) as raised:
            client().run(REQUEST | {"webhook": "https://x/token"})

        assert API_KEY not in str(raised.value)
        assert "token" not in str(raised.value)


class TestStatus:
    def test_is_a_report(self, runpod: responses.RequestsMock) -> None:
        runpod.get(f"{URL}/status/rp-1", json=completed_body("Text.") | {"workerId": "w"})

        assert client().status("rp-1").text == "Text."

    def test_of_a_request_that_is_unknown_is_gone(self, runpod: responses.RequestsMock) -> None:
        body = {"status": 404, "title": "Not Found", "detail": "job not found"}
        runpod.get(f"{URL}/status/rp-1", status=404, json=body)

        assert client().status("rp-1").status is RunPodStatus.GONE

    def test_of_an_id_that_looks_like_a_path_stays_within_the_endpoint(
        self, runpod: responses.RequestsMock
    ) -> None:
        runpod.get(re.compile(f"{re.escape(URL)}/status/.*"), status=404)

        client().status("../../other?id=1#x/status/rp-1")

        assert runpod.calls[0].request.url == (
            f"{URL}/status/..%2F..%2Fother%3Fid%3D1%23x%2Fstatus%2Frp-1"
        )

    @pytest.mark.parametrize("body", [{}, {"status": "COMPLETED"}, {"id": "rp-1"}])
    def test_that_is_no_job_is_an_error(
        self, runpod: responses.RequestsMock, body: dict[str, str]
    ) -> None:
        runpod.get(f"{URL}/status/rp-1", json=body)

        with pytest.raises(RunPodFailed):
            client().status("rp-1")


class TestCancel:
    def test_of_a_request_that_is_gone_is_no_error(self, runpod: responses.RequestsMock) -> None:
        runpod.post(f"{URL}/cancel/rp-1", status=404)

        client().cancel("rp-1")

    def test_that_fails_is_an_error(self, runpod: responses.RequestsMock) -> None:
        runpod.post(f"{URL}/cancel/rp-1", status=500)

        with pytest.raises(RunPodFailed):
            client().cancel("rp-1")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator(Config(time_scale=0.02)) as simulator:
        yield simulator


@pytest.fixture
def simulated(simulator: Simulator) -> HttpRunPod:
    simulator.clear()
    return client(simulator.api_key, url=simulator.url)


class TestAgainstTheSimulator:
    def test_a_request_runs_to_its_end(self, simulated: HttpRunPod, simulator: Simulator) -> None:
        runpod_id = simulated.run(REQUEST)
        simulator.wait_until(lambda _: simulated.status(runpod_id).status.is_final)

        report = simulated.status(runpod_id)

        assert report.status is RunPodStatus.COMPLETED
        assert "pump" in report.text
        assert report.completion_tokens > 0

    @pytest.mark.parametrize(
        ("scenario", "code"),
        [
            ("execution-timeout", "execution-timeout"),
            ("worker-lost", "worker-lost"),
            ("handler-error", "worker-error"),
            ("context-length", "context-length"),
            ("timed-out", "timed-out"),
            ("completed-without-output", "no-output"),
        ],
    )
    def test_each_failure_is_recognised(
        self, simulated: HttpRunPod, simulator: Simulator, scenario: str, code: str
    ) -> None:
        simulator.use(scenario)
        runpod_id = simulated.run(REQUEST)
        simulator.wait_until(lambda _: simulated.status(runpod_id).status.is_final)

        failure = simulated.status(runpod_id).failure

        assert failure is not None
        assert failure.code == code

    @pytest.mark.parametrize(
        ("scenario", "error"),
        [
            ("server-error", RunPodFailed),
            ("accepted-but-no-answer", RunPodSilent),
            ("ok-without-id", RunPodRefused),
            ("unauthorized", RunPodKeyUnusable),
        ],
    )
    def test_each_error_of_run_is_recognised(
        self,
        simulated: HttpRunPod,
        simulator: Simulator,
        scenario: str,
        error: type[RunPodError],
    ) -> None:
        simulator.use(scenario)

        with pytest.raises(error):
            simulated.run(REQUEST)

    def test_a_short_wait_for_room_is_sat_out(
        self, simulated: HttpRunPod, simulator: Simulator
    ) -> None:
        simulator.use("rate-limited")

        assert simulated.run(REQUEST)


@pytest.fixture(params=["memory", "simulator"])
def any_runpod(request: pytest.FixtureRequest) -> RunPod:
    if request.param == "memory":
        return MemoryRunPod()
    port: RunPod = request.getfixturevalue("simulated")
    return port


class TestTheRunPodPort:
    def test_every_request_has_an_id_of_its_own(self, any_runpod: RunPod) -> None:
        assert any_runpod.run(REQUEST) != any_runpod.run(REQUEST)

    def test_an_unknown_request_is_gone(self, any_runpod: RunPod) -> None:
        assert any_runpod.status("rp-unknown").status is RunPodStatus.GONE

    def test_cancelling_is_harmless(self, any_runpod: RunPod) -> None:
        any_runpod.cancel(any_runpod.run(REQUEST))
        any_runpod.cancel("rp-unknown")
