"""``nas storage``: the database itself."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import OutOption, StorageOption, open_store

storage_app = typer.Typer(help="Bring the database up to date.")
app.add_typer(storage_app, name="storage")


@storage_app.command()
def upgrade(out: Path = OutOption, storage: str | None = StorageOption) -> None:
    """Bring the schema of an older database to this program's; nothing is lost."""
    with open_store(storage, out, upgrade=True):
        print("the database is up to date")
