"""``nas export``: any network of a finished search as files."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, StorageOption, emit, open_store, print_facts, talk_of


@app.command()
def export(
    context: typer.Context,
    name: str = typer.Argument(..., help="Name of a study whose search is done."),
    network: str = typer.Argument(..., help="Key or label of a network in front.json, as N3."),
    to: Path | None = typer.Option(
        None, "--to", help="Folder to write; by default models/LABEL in the study's folder."
    ),
    formats: list[str] = typer.Option(
        [], "--format", help="onnx and safetensors are always written; torch-export as well. May be repeated."
    ),
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Extract, fine-tune or re-train, test and write a network: safetensors, architecture, ONNX (checked), card."""
    from experiments.export_one import export_one

    with open_store(storage, out) as store:
        found = export_one(store, out, name, network, to, talk_of(context), formats)
    if as_json:
        emit(found)
        return
    print_facts(found)
