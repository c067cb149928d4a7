"""``nas doctor``: what is here, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, StorageOption, emit, print_facts


@app.command()
def doctor(out: Path = OutOption, storage: str | None = StorageOption, as_json: bool = JsonOption) -> None:
    """Say versions, processor, GPU, database and disk; exit 4 if the database can't be read."""
    import shutil

    from experiments.machine import machine, versions

    database = _database(storage, out)
    extras = {name: _installed(name) for name in ("fvcore", "psycopg", "ray", "optuna", "playwright")}
    free = shutil.disk_usage(out if out.exists() else Path()).free
    found: dict[str, Any] = {
        "versions": versions(),
        "machine": machine(),
        "extras": extras,
        "database": database,
        "free_disk_bytes": free,
        "telemetry": "none is ever sent",
    }
    if as_json:
        emit(found)
    else:
        print_facts(found)
    if database.startswith("error"):
        raise typer.Exit(4)


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def _database(storage: str | None, out: Path) -> str:
    from experiments.store.store import Store
    from search_spaces.errors import NasError

    path = out / "nas.db"
    if not storage and not path.exists():
        return f"none yet ({path} is made by the first study)"
    try:
        with Store.open(storage or str(path), readonly=True) as store:
            return f"ok, {len(store.studies())} studies"
    except NasError as error:
        return f"error: {error}"
