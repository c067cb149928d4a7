"""Who may ask what: hosts, origins, token and rate, decided from a request's head before anything else sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.service.token import LOOPBACK, digest, matches
from search_spaces.errors import UsageError

READS = ("GET", "HEAD")
RATE_PER_S = 60.0
MAX_CALLERS = 10_000


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Attributes:
        hosts: names, without port, that the Host header may have.
        token_sha256: digest of the token, or None: nothing can be changed then.
        open_reads: whether reading needs no token, as on loopback.
    """

    hosts: frozenset[str]
    token_sha256: str | None
    open_reads: bool


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


def make_access(host: str, allowed_hosts: tuple[str, ...], token_sha256: str | None) -> Access:
    """Return the rules for a server on ``host``.

    Raises:
        UsageError: ``host`` is not loopback, and there is no token, or no name under which it is reached.
    """
    if host in LOOPBACK:
        return Access(frozenset((*LOOPBACK, *allowed_hosts)), token_sha256, open_reads=True)
    if token_sha256 is None:
        raise UsageError(
            f"--host {host} can be reached from other machines and there is no token: run nas serve --new-token first, "
            "or leave --host out"
        )
    names = {name for name in (host, *allowed_hosts) if name not in ("0.0.0.0", "::")}  # noqa: S104 - compared only
    if not names:
        raise UsageError(f"--host {host} names no host: give --allow-host NAME, as browsers write it in the address")
    return Access(frozenset((*LOOPBACK, *names)), token_sha256, open_reads=False)


def refusal(access: Access, method: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    """Return why the request may not pass, or None. ``headers`` has lower-case names.

    Only reading is ever open: a method that is not known to read is treated as one that changes something.
    """
    if host_name(headers.get("host", "")) not in access.hosts:
        return Refusal(
            403, "this Host is not served: use an address that nas serve printed, or start it with --allow-host"
        )
    origin = headers.get("origin")
    if origin is not None and not _same_site(origin, access.hosts):
        return Refusal(403, "requests from other sites are refused")
    if method in READS and (access.open_reads or not path.startswith(("/api", "/view"))):
        return None
    if matches(bearer(headers), access.token_sha256):
        return None
    if access.token_sha256 is None:
        what = "nothing can be changed without a token: make one with nas serve --new-token and start nas serve again"
    else:
        what = "give the token as the header Authorization: Bearer TOKEN; nas serve --new-token makes a new one"
    return Refusal(401, what, {"www-authenticate": "Bearer"})


def bearer(headers: Mapping[str, str]) -> str:
    """Return the bearer token of a request, or ""."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case; an IPv6 address without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _same_site(origin: str, hosts: frozenset[str]) -> bool:
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and host_name(rest) in hosts


class RateLimit:
    """A bucket for each caller: ``RATE_PER_S`` requests a second, as many again in one burst."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def admits(self, caller: str, now: float | None = None) -> bool:
        """Return whether ``caller`` may ask once more at ``now`` (seconds of a monotonic clock)."""
        now = time.monotonic() if now is None else now
        left, since = self._buckets.get(caller, (RATE_PER_S, now))
        left = min(RATE_PER_S, left + (now - since) * RATE_PER_S)
        if len(self._buckets) > MAX_CALLERS:
            self._buckets = {name: each for name, each in self._buckets.items() if now - each[1] < 1.0}
        self._buckets[caller] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0


def caller_of(headers: Mapping[str, str], address: str) -> str:
    """Return who is counted: the token that was given, or else the address."""
    token = bearer(headers)
    return digest(token) if token else address
