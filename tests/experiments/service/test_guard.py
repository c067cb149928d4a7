from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from service_client import BEARER, TOKEN, Client, running

from experiments.service.access import make_access
from experiments.service.guard import MAX_BODY_BYTES, Guard
from experiments.service.token import digest


@pytest.fixture
def client() -> Iterator[Client]:
    app = FastAPI()

    async def echo(request: Request) -> int:
        return len(await request.body())

    app.add_api_route("/api/echo", echo, methods=["POST"])
    app.add_api_route("/api/hello", lambda: "hello")
    with running(Guard(app, make_access("127.0.0.1", (), digest(TOKEN)))) as found:
        yield found


def test_every_answer_has_the_headers_of_safety(client: Client) -> None:
    for method, path, status in (("GET", "/api/hello", 200), ("GET", "/nothing", 404), ("POST", "/api/echo", 401)):
        answer = client(method, path)
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert policy.replace("style-src-attr 'unsafe-inline'", "").count("unsafe") == 0
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers


def test_a_body_over_the_limit_is_refused_by_its_announced_length(client: Client) -> None:
    answer = client("POST", "/api/echo", {**BEARER, "Content-Length": "100000000"}, b"x" * 1000)
    assert answer.status == 413
    assert answer.data["error"]["kind"] == "too_large"
    assert client("POST", "/api/echo", BEARER, b"x" * MAX_BODY_BYTES).data == MAX_BODY_BYTES
    assert client("POST", "/api/echo", BEARER, b"x" * (MAX_BODY_BYTES + 1)).status == 413


def test_a_body_without_a_length_is_counted(client: Client) -> None:
    assert client("POST", "/api/echo", BEARER, (b"x" * 65536 for _ in range(40))).status == 413
    assert client("POST", "/api/echo", BEARER, (b"x" * 65536 for _ in range(4))).data == 4 * 65536


def test_the_sixty_first_request_in_a_second_is_refused(client: Client) -> None:
    answers = [client("GET", "/api/hello") for _ in range(400)]
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers[:60]} == {200}
    for answer in refused:
        assert answer.headers["retry-after"] == "1"
        assert answer.data["error"]["kind"] == "rate"
