"""``nas learn``: the compound scaling rule of a study's data and device, learned from its shared weights."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, SetOption, emit, print_facts
from experiments.cli.run import ConfigArgument


@app.command()
def learn(
    config: Path = ConfigArgument,
    networks: int = typer.Option(150, "--networks", min=30, help="Networks evaluated with the shared weights."),
    cost: str | None = typer.Option(None, "--cost", help="A target of the study, by default its first, or macs."),
    growth: float = typer.Option(4.0, "--growth", help="Growth of the cost for which the exponents are best."),
    write: Path | None = typer.Option(None, "--write", help="Write the rule as JSON, for --rule learned:FILE."),
    table: Path | None = typer.Option(None, "--table", help="Write the evaluated networks as CSV."),
    settings: list[str] = SetOption,
    out: Path = OutOption,
    as_json: bool = JsonOption,
) -> None:
    """Learn how depth, width and resolution should grow together; the study is trained first as far as it is not."""
    from experiments.alone import trained_study
    from experiments.config import read_config
    from experiments.learning_rules import learned_rule
    from experiments.shape_table import shape_rows
    from nas.files import write_text

    found = read_config(config, settings)
    spent = cost or found.latency.targets[0]
    with trained_study(found, out) as (context, trained):
        rows = shape_rows(context, trained, networks, spent)
    rule = {**learned_rule(rows, spent, growth, found.seed), "study": found.name}
    if write:
        write_text(write, json.dumps(rule, indent=1) + "\n")
    if table:
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        write_text(table, "\n".join(lines) + "\n")
    if as_json:
        emit(rule)
    else:
        print_facts(rule)
