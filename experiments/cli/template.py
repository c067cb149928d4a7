"""``nas template``: settings that studies are submitted from, by name."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, SetOption, StorageOption, emit, open_store, print_table

template_app = typer.Typer(help="Keep settings by name, to submit studies from.")
app.add_typer(template_app, name="template")

NameArgument = typer.Argument(..., help="Name of the template.")


@template_app.command()
def save(
    name: str = NameArgument,
    config: Path = typer.Argument(..., help="TOML file of a study."),
    settings: list[str] = SetOption,
    note: str = typer.Option("", "--note", help="Free text."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Store the settings of a configuration under a name; what had the name is replaced."""
    from experiments.job import read_job

    content = read_job(config, settings).model_dump(mode="json", exclude_defaults=True)
    with open_store(storage, out, create=True) as store:
        store.labels.save_template(name, content, note)
    print(f"template {name!r} is saved: nas study submit --template {name} submits a study of it")


@template_app.command("list")
def list_templates(out: Path = OutOption, storage: str | None = StorageOption, as_json: bool = JsonOption) -> None:
    """List the templates."""
    with open_store(storage, out, readonly=True) as store:
        found = store.labels.templates()
    rows = [{"name": each.name, "note": each.note, "settings": each.settings} for each in found]
    emit(rows) if as_json else print_table([{"name": row["name"], "note": row["note"]} for row in rows])


@template_app.command()
def delete(name: str = NameArgument, out: Path = OutOption, storage: str | None = StorageOption) -> None:
    """Delete a template; studies that were submitted from it stay."""
    with open_store(storage, out) as store:
        store.labels.delete_template(name)
