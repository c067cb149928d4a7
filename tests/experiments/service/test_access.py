from __future__ import annotations

import pytest

from experiments.service.access import Access, RateLimit, caller_of, host_name, make_access, refusal
from experiments.service.token import digest
from search_spaces.errors import UsageError

TOKEN = "t" * 43
LOCAL = make_access("127.0.0.1", (), digest(TOKEN))
PUBLIC = make_access("192.0.2.1", ("nas.example",), digest(TOKEN))


def status(access: Access, method: str = "GET", path: str = "/api/studies", **headers: str) -> int | None:
    found = refusal(access, method, path, {"host": "127.0.0.1:8765", **headers})
    return found.status if found else None


def test_reading_on_loopback_is_open_and_elsewhere_is_not() -> None:
    assert status(LOCAL) is None
    assert status(LOCAL, "HEAD") is None
    assert status(PUBLIC) == 401
    assert status(PUBLIC, path="/view/studies/0/panels/x") == 401
    assert status(PUBLIC, path="/static/app.js") is None
    assert status(PUBLIC, authorization=f"bearer {TOKEN}") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"])
def test_every_other_method_needs_the_token_even_on_loopback(method: str) -> None:
    for access in (LOCAL, PUBLIC):
        assert status(access, method) == 401
        assert status(access, method, "/static/app.js") == 401
        assert status(access, method, authorization="Bearer wrong") == 401
        assert status(access, method, authorization=f"Basic {TOKEN}") == 401
        assert status(access, method, authorization=f"Bearer {TOKEN}") is None
    without = make_access("localhost", (), None)
    assert status(without, method, authorization=f"Bearer {TOKEN}") == 401


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "evil.example:8765", "127.0.0.1@x", "[::2]"]
)
def test_another_host_is_refused_whoever_asks(host: str) -> None:
    found = refusal(LOCAL, "GET", "/", {"host": host, "authorization": f"Bearer {TOKEN}"})
    assert found is not None
    assert found.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "LOCALHOST:80", "[::1]", "[::1]:8765"])
def test_the_names_of_loopback_are_served(host: str) -> None:
    assert refusal(LOCAL, "GET", "/", {"host": host}) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "file://", "http://127.0.0.1.evil.example"])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert status(LOCAL, origin=origin, authorization=f"Bearer {TOKEN}") == 403
    assert status(LOCAL, origin="http://127.0.0.1:8765") is None


def test_an_open_server_needs_a_token_and_a_name() -> None:
    with pytest.raises(UsageError, match="--new-token"):
        make_access("192.0.2.1", (), None)
    with pytest.raises(UsageError, match="--allow-host"):
        make_access("0.0.0.0", (), digest(TOKEN))
    access = make_access("0.0.0.0", ("nas.example",), digest(TOKEN))
    assert refusal(access, "GET", "/", {"host": "nas.example:443"}) is None
    assert "0.0.0.0" not in access.hosts


def test_a_caller_may_ask_sixty_times_a_second() -> None:
    limit = RateLimit()
    assert [limit.admits("one", now=0.0) for _ in range(61)] == [True] * 60 + [False]
    assert limit.admits("other", now=0.0)
    assert [limit.admits("one", now=0.5) for _ in range(31)] == [True] * 30 + [False]
    assert all(limit.admits("one", now=10.0) for _ in range(60))


def test_callers_are_told_apart_by_token_then_by_address() -> None:
    assert caller_of({}, "192.0.2.7") == "192.0.2.7"
    assert caller_of({"authorization": f"Bearer {TOKEN}"}, "192.0.2.7") == digest(TOKEN)
    assert host_name("[2001:db8::1]:80") == "2001:db8::1"
