"""The outermost layer: refuses what ``access`` refuses, counts bodies, and sets the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from experiments.service.access import Access, RateLimit, Refusal, caller_of, refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 2**20
# Nothing but this server's own files: no inline script or style element, no other host, no frame around it. Plotly sets
# style attributes, which can change how its figures look and nothing else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """The application behind its rules."""

    def __init__(self, app: App, access: Access) -> None:
        self._app = app
        self._access = access
        self._rate = RateLimit()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        found = self._refusal(scope)
        if found is not None:
            await answer.refuse(found)
            return
        await self._app(scope, _counted(receive), answer.send)

    def _refusal(self, scope: MutableMapping[str, Any]) -> Refusal | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope.get("client") or ("unknown", 0)
        if not self._rate.admits(caller_of(headers, str(client[0]))):
            return Refusal(429, "more than 60 requests a second: ask less often", {"retry-after": "1"})
        found = refusal(self._access, scope["method"], scope["path"], headers)
        if found is not None:
            return found
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > MAX_BODY_BYTES:
            return _too_large()
        return None


def _too_large() -> Refusal:
    return Refusal(413, f"the body is over {MAX_BODY_BYTES:,} bytes", {"connection": "close"})


def _counted(receive: Receive) -> Receive:
    """Return ``receive`` that stops at the limit, whatever length the head announced."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY_BYTES:
            # The application answers it, as any refusal of its own.
            raise HTTPException(413, _too_large().message)
        return message

    return counted


class _Answer:
    """Sends an answer with the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", ())}
            extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in present]
            if b"cache-control" not in present:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await self._send(message)

    async def refuse(self, found: Refusal) -> None:
        body = json.dumps(error_content(found.status, found.message)).encode()
        head = {"content-type": "application/json", "content-length": str(len(body)), **found.headers}
        headers = [(name.encode(), value.encode()) for name, value in head.items()]
        await self.send({"type": "http.response.start", "status": found.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


KINDS = {400: "usage", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method", 409: "conflict"}
KINDS |= {413: "too_large", 429: "rate", 503: "storage"}


def error_content(status: int, message: str) -> dict[str, Any]:
    """Return the body of every error: its kind, by status, and one line that says what to do."""
    return {"error": {"kind": KINDS.get(status, "failure"), "message": " ".join(message.split())}}
