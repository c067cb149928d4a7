"""Running the service until it is interrupted."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import numpy as np

from experiments.service.access import make_access
from experiments.service.token import read_digest
from experiments.store.store import Store
from experiments.talk import Talk
from search_spaces.errors import UsageError, missing_extra


def serve(store: Store, out: Path, host: str, port: int, allowed_hosts: tuple[str, ...], talk: Talk) -> None:
    """Serve ``store`` and the files below ``out`` at ``host``:``port``; 0 takes a free port.

    Raises:
        UsageError: FastAPI is missing, ``host`` is open to others without a token, or the port is taken.
    """
    try:
        import uvicorn

        from experiments.service.app import make_service
    except ModuleNotFoundError as error:
        raise missing_extra(str(error.name), "serve") from None
    access = make_access(host, allowed_hosts, read_digest(out))
    listening = listen(host, port)
    address = f"[{host}]" if ":" in host else host
    talk.say(f"serving {out} at http://{address}:{listening.getsockname()[1]}/ (Ctrl-C ends it)")
    if access.token_sha256 is None:
        talk.say("reading only: nas serve --new-token makes a token, which everything that changes something needs")
    # The first drawing of a network needs torch, which takes seconds to load.
    threading.Thread(target=warm_up, daemon=True).start()
    config = uvicorn.Config(
        make_service(store, out, access),
        log_level="warning",
        server_header=False,
        lifespan="off",
        limit_concurrency=256,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        # The address that connects is the caller: no header from it may say another.
        proxy_headers=False,
    )
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; UsageError where it can't."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"can't listen on {host} port {port} ({error.strerror}): give another --host or --port"
        ) from None
    return listening


def warm_up() -> None:
    """Load what the first visitor would wait for."""
    import pandas  # noqa: F401 - here it costs nobody a wait

    from experiments.report import page
    from nas.search import pareto
    from search_spaces.population import PopulationCost  # noqa: F401 - the same
    from search_spaces.spaces import spaces

    spaces.names()
    pareto.non_dominated(np.zeros((1, 2)))
    page.plotly_script()
