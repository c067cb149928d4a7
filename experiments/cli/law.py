"""``nas law``: fit a scaling law to a table of measured errors, and hold it against larger points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_facts, print_table

XOption = typer.Option([], "--x", help="Column of an input; once for each that the law has, in its order.")
WhereOption = typer.Option([], "--where", metavar="COLUMN=VALUE", help="Only rows with that value. May be repeated.")
PredictOption = typer.Option([], "--predict", metavar="X[,X]", help="Predict at these inputs. May be repeated.")


def _list_forms(asked: bool) -> None:
    if asked:
        from scaling.law import LAWS

        print_table([{"form": name, "inputs": ", ".join(LAWS.get(name).columns)} for name in LAWS.names()])
        raise typer.Exit


@app.command()
def law(
    file: Path = typer.Argument(..., help="CSV file with a header; - is stdin."),
    form: str = typer.Option("power", "--form", help="One that --forms lists."),
    x: list[str] = XOption,
    y: str = typer.Option(..., "--y", help="Column of the error or loss (not an accuracy)."),
    where: list[str] = WhereOption,
    label: str | None = typer.Option(None, "--label", help="Column that names rows; by default their numbers."),
    hold_out_above: float | None = typer.Option(
        None, "--hold-out-above", help="Fit rows whose first input is at most this, and predict the larger ones."
    ),
    predict: list[str] = PredictOption,
    noise: float = typer.Option(0.0, "--noise", min=0, help="A rise of the error up to this is taken for noise."),
    draws: int = typer.Option(200, "--draws", min=20, help="Of the bootstrap behind the intervals."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the bootstrap."),
    as_json: bool = JsonOption,
    _forms: bool = typer.Option(False, "--forms", callback=_list_forms, is_eager=True, help="List the forms."),
) -> None:
    """Fit a scaling law by Huber loss in logs, with 90 % bootstrap intervals; refuses errors that rise with size."""
    from experiments.law_table import read_points
    from scaling.law import LAWS
    from scaling.law_report import law_report

    found = LAWS.get(form)
    points, extra = read_points(found, file, x, y, where, label, predict)
    report = law_report(found, points, extra, hold_out_above, noise, draws, seed)
    if as_json:
        emit(report)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    tables = ("parameters", "held_out", "predictions")
    print_facts({key: value for key, value in report.items() if key not in tables})
    for key in tables:
        if report.get(key):
            print(f"{key}:")
            print_table(report[key])
