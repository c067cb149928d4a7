"""The connection to a Ray cluster, or one that is started here for the time being."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from search_spaces.errors import UsageError, missing_extra

LOCAL = "local"
ADVICE = "give local, or the address of a running cluster as HOST:PORT"
# Before ray is imported: it reads them then. No statistics leave the machine; Ray Tune would take the handlers of
# signals, and print boxes of its own where the result goes.
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def import_ray() -> Any:
    """Return the ray package.

    Raises:
        UsageError: it is not installed.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise missing_extra("ray", "ray") from None
    return ray


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster, or start Ray here, and leave it again at the end; yields the ray package.

    A connection that is there already is used and kept.

    Raises:
        UsageError: no cluster answers at ``address``, or ray is not installed.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    if address != LOCAL:
        require_reachable(address)
    # Without "local" Ray would join a cluster that another process of this machine has begun.
    settings: dict[str, Any] = {"address": address, **({"include_dashboard": False} if address == LOCAL else {})}
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **settings)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"--ray got {address!r}: {reason}: {ADVICE}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def require_reachable(address: str) -> None:
    """Raise UsageError unless something listens at HOST:PORT: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--ray got {address!r}: {ADVICE}")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise UsageError(f"--ray got {address!r}: {error.strerror or error}: {ADVICE}") from None
