"""Who may ask: the page itself, on this machine, with the token of this run; no other page may."""

import pytest

from cli.page.guard import TOKEN_HEADER
from tests.page.world import HOST, TOKEN, World

READS = [
    "/api/stack",
    "/api/status",
    "/api/jobs",
    "/api/jobs/x",
    "/api/jobs/x/summary",
    "/api/jobs/x/export/html",
]
CHANGES = ["/api/jobs/x/retry", "/api/jobs/x/cancel", "/api/reading", "/api/uploads"]
ALL = [("GET", path) for path in READS] + [("POST", path) for path in CHANGES]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4711", "127.0.0.1.evil.example", "10.0.0.7", " ", "[bad"]
)
def test_a_name_that_somebody_lets_point_to_this_machine_is_refused(
    world: World, host: str
) -> None:
    answer = world.client.get("/", headers={"Host": host})

    assert answer.status_code == 421
    assert answer.json["error"]["code"] == "foreign-host"


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost:4711", "localhost:8080"])
def test_this_machine_by_any_name_and_through_any_port_is_answered(world: World, host: str) -> None:
    assert world.client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:4711"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/api/jobs", "/api/uploads", "/"])
def test_another_page_is_refused_even_with_the_token(
    world: World, path: str, headers: dict[str, str]
) -> None:
    answer = world.ask("POST" if path in CHANGES else "GET", path, headers=headers)

    assert answer.status_code == 403


def test_a_link_to_the_page_is_followed_from_anywhere_and_one_to_what_it_reads_is_not(
    world: World,
) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert world.ask("GET", "/", headers=followed).status_code == 200
    assert world.ask("GET", "/jobs/4828b0cc", headers=followed).status_code == 200
    assert world.ask("GET", "/api/jobs", headers=followed).status_code == 403


@pytest.mark.parametrize(("method", "path"), ALL)
@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", "é"])
def test_without_the_token_of_this_run_nothing_is_read_or_changed(
    world: World, method: str, path: str, token: str
) -> None:
    headers = {"Host": HOST, TOKEN_HEADER: token.encode().decode("latin-1")}

    answer = world.client.open(path, method=method, headers=headers)

    assert answer.status_code == 401
    assert "open the address that the command printed" in answer.json["error"]["message"]


@pytest.mark.parametrize("path", CHANGES)
def test_what_changes_something_is_not_done_by_a_link(world: World, path: str) -> None:
    assert world.ask("GET", path).status_code == 405


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/static/main.js", "/no/such", "/api/jobs/x"])
def test_every_answer_forbids_scripts_and_loads_of_elsewhere(world: World, path: str) -> None:
    headers = world.ask("GET", path).headers
    policy = headers["Content-Security-Policy"]

    for held in (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert held in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)  # fmt: skip
def test_no_path_leads_out_of_the_pages_own_files(world: World, path: str) -> None:
    answer = world.ask("GET", path)

    assert answer.status_code in {308, 404}
    assert b"import" not in answer.data
