"""``nas serve``: the API and the page."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import OutOption, StorageOption, open_store, talk_of


@app.command()
def serve(
    context: typer.Context,
    host: str = typer.Option("127.0.0.1", "--host", help="Address to listen on; any but loopback needs a token."),
    port: int = typer.Option(8765, "--port", min=0, max=65535, help="0 takes a free one."),
    allow_host: list[str] = typer.Option(
        [], "--allow-host", help="A further name under which browsers reach it. May be repeated."
    ),
    new_token: bool = typer.Option(
        False, "--new-token", help="Make a token, print it once, and stop; only its SHA-256 is kept, in --out."
    ),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Serve the studies: a page and an API. On loopback reading is open; changing anything needs the token."""
    if new_token:
        from experiments.context import make_folder
        from experiments.service.token import make_token

        print(make_token(make_folder(out)))
        return
    from experiments.service.serve import serve as run

    with open_store(storage, out, create=True) as store:
        run(store, out, host, port, tuple(allow_host), talk_of(context))
