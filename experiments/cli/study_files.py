"""``nas study frame``, ``optuna`` and ``prune``: what leaves a study, as tables, as trials, or for good."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from experiments.cli.common import JsonOption, OutOption, StorageOption, emit, open_store, print_table
from experiments.cli.study import NameArgument, study_app
from search_spaces.errors import UsageError

FORMATS = ("csv", "json", "parquet")


@study_app.command()
def frame(
    name: str = NameArgument,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    form: str = typer.Option("csv", "--format", help="csv, json or parquet."),
    to: Path = typer.Option(None, "--to", help="File to write instead of stdout; parquet needs one."),
    wide: bool = typer.Option(False, "--wide", help="One row an evaluation, and one column a quantity."),
) -> None:
    """Give every measurement of a study: one row a network, quantity and target."""
    from nas.files import replacing

    if form not in FORMATS:
        raise UsageError(f"--format got {form!r}: allowed: {', '.join(FORMATS)}")
    if form == "parquet" and to is None:
        raise UsageError("--format parquet is no text: give a file with --to")
    with open_store(storage, out, readonly=True) as store:
        study = store.load(name)
        table = study.values().reset_index() if wide else study.frame()
    if form == "parquet":
        with replacing(to) as path:
            table.to_parquet(path, index=False)
        return
    text = table.to_csv(index=False) if form == "csv" else table.to_json(orient="records") + "\n"
    if to is None:
        sys.stdout.write(text)
        return
    with replacing(to) as path:
        path.write_text(text, encoding="utf-8")


@study_app.command("optuna")
def to_optuna(
    name: str = NameArgument,
    to: str = typer.Option(..., "--to", help="URL of Optuna's storage, as sqlite:///optuna.db."),
    as_name: str = typer.Option(None, "--name", help="Name of the Optuna study; by default this one's."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Export the evaluations of a study as trials of an Optuna storage."""
    from experiments.optuna_export import export_to_optuna

    with open_store(storage, out, readonly=True) as store:
        num = export_to_optuna(store.load(name), to, as_name or name)
    print(f"{num} trials are written")


@study_app.command("prune")
def prune_studies(
    name: str = typer.Argument(None, help="One study alone."),
    older_than: float = typer.Option(30.0, "--older-than", min=0.0, help="Days since the study's last change."),
    yes: bool = typer.Option(False, "--yes", help="Delete; without it nothing is deleted."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Show, and with --yes delete, the training state of ended studies. Reports, fronts and models stay."""
    from experiments.pruning import find_prunable, prune

    with open_store(storage, out, readonly=True) as store:
        if name is not None:
            store.load(name)
        found = find_prunable(store, out, older_than, name)
    rows = [{"study": each.study, "path": str(each.path), "bytes": each.num_bytes, "what": each.why} for each in found]
    emit(rows) if as_json else print_table(rows)
    total = sum(each.num_bytes for each in found)
    if yes:
        prune(found)
    said = (
        "are deleted"
        if yes
        else "would be deleted with --yes; further networks of these studies can't be exported then"
    )
    print(f"{total / 2**20:.1f} MiB {said}", file=sys.stderr)
