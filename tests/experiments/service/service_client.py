"""A real server on loopback, and a client that sends what it is told byte for byte (httpx would tidy addresses up)."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from experiments.service.guard import Guard
from experiments.service.serve import listen
from experiments.store.store import Store

TOKEN = "t" * 43
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Unlimited:
    """Tests ask more often than people do; the limit has tests of its own."""

    def admits(self, caller: str) -> bool:
        return True


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def data(self) -> Any:
        return json.loads(self.content)


@dataclass
class Client:
    port: int

    def __call__(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        given = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            chunked = body is not None and not isinstance(body, bytes)
            if body is not None and "Content-Length" not in given:
                name, value = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
                given[name] = value
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                for part in body if chunked else [body or b""]:
                    connection.send(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
                if chunked:
                    connection.send(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # The server has refused it and closed; what it said can still be read.
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, b"" if method == "HEAD" else got.read())
        finally:
            connection.close()


@contextmanager
def running(guard: Guard) -> Iterator[Client]:
    """Serve ``guard`` in a thread."""
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(guard, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Client(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@dataclass
class Service:
    """A running service over a copy of the tiny study."""

    client: Client
    app: Any
    store: Store
    out: Path
    study_id: int
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.base = f"http://127.0.0.1:{self.client.port}"

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client("GET", path)
        assert answer.status == status, answer.text
        return answer.data if "json" in answer.headers.get("content-type", "") else answer
