"""What several verbs share: options, output as JSON or text, reading architecture files."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.store.store import Store
    from experiments.talk import Talk
    from search_spaces.blueprint import Blueprint

DEFAULT_OUT = Path("runs")

JsonOption = typer.Option(False, "--json", help="Print JSON.")
StorageOption = typer.Option(
    None, "--storage", envvar="NAS_STORAGE", help="Database URL or SQLite file; by default nas.db in the output folder."
)
OutOption = typer.Option(DEFAULT_OUT, "--out", help="Folder of all studies.")
CallbackOption = typer.Option(
    [], "--callback", help="Log to tensorboard, mlflow, wandb or one of yours as well. May be repeated."
)
SetOption = typer.Option([], "--set", help="Override a setting, as training.epochs=10. May be repeated.")


def emit(content: Any) -> None:
    """Print ``content`` as JSON to stdout."""
    json.dump(content, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as aligned columns to stdout."""
    if not rows:
        print("(none)")
        return
    columns = list(rows[0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print one line a key to stdout; sentences of a list on lines of their own."""
    for key, value in facts.items():
        if isinstance(value, list | tuple) and any(isinstance(each, str) and " " in each for each in value):
            print("\n".join([f"{key}:", *(f"  {each}" for each in value)]))
        else:
            print(f"{key}: {_fact(value)}")


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_fact(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value)) or "none"
    return str(value)


def talk_of(context: typer.Context) -> Talk:
    """Return the talk of this command."""
    from experiments.talk import Talk

    return Talk(quiet=bool(context.obj["quiet"]))


def open_store(
    storage: str | None, out: Path, *, create: bool = False, upgrade: bool = False, readonly: bool = False
) -> Store:
    """Return the store that ``--storage`` names, or ``out/nas.db``, which is made only where ``create`` says so."""
    from experiments.store.store import Store

    if storage:
        return Store.open(storage, upgrade=upgrade, readonly=readonly)
    path = out / "nas.db"
    if create:
        from experiments.context import make_folder

        make_folder(out)
    elif not path.exists():
        raise UsageError(f"there is no database {path}: give --storage or --out, or run a study first")
    return Store.open(os.fspath(path), upgrade=upgrade, readonly=readonly)


def read_blueprint(path: Path) -> Blueprint:
    """Return the blueprint of an architecture, blueprint or exported ``architecture.json`` file, or a published name.

    Raises:
        UsageError: the file can't be read or is none of them.
    """
    from search_spaces.blueprint import blueprint_from_dict
    from search_spaces.spaces import load_architecture

    if not path.exists() and str(path) != "-" and path.suffix != ".json":
        return _published(str(path))
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON ({error}): give an architecture or blueprint file") from None
    if isinstance(content, dict) and isinstance(content.get("blueprint"), dict):
        content = content["blueprint"]
    try:
        if isinstance(content, dict) and "stages" in content:
            return blueprint_from_dict(content)
        space, architecture = load_architecture(text)
        return space.blueprint(architecture)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _published(name: str) -> Blueprint:
    from search_spaces.networks import network, networks

    if name in networks.names():
        return network(name)
    close = difflib.get_close_matches(name, networks.names(), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise UsageError(
        f"unknown network {name!r}, and no file of that name: {hint}nas networks lists the {len(networks.names())} "
        "published ones; files are JSON"
    )


def read_text(path: Path) -> str:
    """Return the text of ``path``; "-" is stdin."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}: give the path of a file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text: give a JSON file") from None
