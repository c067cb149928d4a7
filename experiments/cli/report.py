"""``nas report``: write a study's report again from what is stored."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import OutOption, read_text
from search_spaces.errors import UsageError


@app.command()
def report(
    name: str = typer.Argument(..., help="Name of a study that was run to its end."),
    out: Path = OutOption,
    to: Path | None = typer.Option(
        None, "--to", help="Where to write it; by default report.html in the study's folder."
    ),
) -> None:
    """Write the report of a study again: one HTML file that needs no network."""
    from experiments.report.data import read_report_data
    from experiments.report.page import write_report

    source = out / name / "report.json"
    if not source.exists():
        raise UsageError(f"study {name!r} has no {source}: run it to its end with nas run, or give --out")
    path = to or out / name / "report.html"
    write_report(read_report_data(read_text(source)), path)
    print(path)
