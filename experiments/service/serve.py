"""Running the service until it is interrupted."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.service.access import make_access
from experiments.service.token import read_digest
from experiments.store.store import Store
from experiments.talk import Talk
from search_spaces.errors import NasError, UsageError, missing_extra

if TYPE_CHECKING:
    from experiments.service.catalogue import Catalogue

NUM_PREPARED = 3


def serve(store: Store, out: Path, host: str, port: int, allowed_hosts: tuple[str, ...], talk: Talk) -> None:
    """Serve ``store`` and the files below ``out`` at ``host``:``port``; 0 takes a free port.

    Raises:
        UsageError: FastAPI is missing, ``host`` is open to others without a token, or the port is taken.
    """
    try:
        import uvicorn

        from experiments.service.app import make_application
        from experiments.service.guard import Guard
    except ModuleNotFoundError as error:
        raise missing_extra(str(error.name), "serve") from None
    access = make_access(host, allowed_hosts, read_digest(out))
    listening = listen(host, port)
    address = f"[{host}]" if ":" in host else host
    talk.say(f"serving {out} at http://{address}:{listening.getsockname()[1]}/ (Ctrl-C ends it)")
    if access.token_sha256 is None:
        talk.say("reading only: nas serve --new-token makes a token, which everything that changes something needs")
    app = make_application(store, out)
    threading.Thread(target=_prepare, args=(app.state.catalogue,), daemon=True).start()
    config = uvicorn.Config(
        Guard(app, access),
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


def _prepare(studies: Catalogue) -> None:
    warm_up()
    # What a person opens first is most often what changed last. A database that fails says so when it is asked again.
    with suppress(NasError):
        newest = sorted(studies.summaries().values(), key=lambda summary: summary.updated_at)[-NUM_PREPARED:]
        for summary in reversed(newest):
            studies.shown(summary.id)


def warm_up() -> None:
    """Load what the first visitor would wait for."""
    import pandas  # noqa: F401 - here it costs nobody a wait

    from experiments.report import page
    from experiments.report.panel import PANELS
    from nas.search import pareto
    from search_spaces.block import blocks
    from search_spaces.population import PopulationCost  # noqa: F401 - the same
    from search_spaces.spaces import spaces

    spaces.names()
    PANELS.names()
    pareto.non_dominated(np.zeros((1, 2)))
    page.plotly_script()
    # Of a study without a report the networks are counted block by block; their files load torch, which takes longest.
    blocks.names()
