"""``nas sweep``: one study for each combination of values, seeds among them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import (
    JsonOption,
    OutOption,
    SetOption,
    StorageOption,
    emit,
    open_store,
    print_table,
    talk_of,
)
from experiments.cli.run import ConfigArgument
from search_spaces.errors import PartialError

VaryOption = typer.Option(
    [],
    "--vary",
    metavar="KEY=VALUES",
    help="A setting and its values, as seed=0,1,2 or training.sampler=sorted,uniform; lists and tables as in TOML. May "
    "be repeated: every combination is a study.",
)


@app.command()
def sweep(
    context: typer.Context,
    config: Path = ConfigArgument,
    vary: list[str] = VaryOption,
    ray: str | None = typer.Option(
        None, "--ray", metavar="local|ADDRESS", help="Run studies at once on Ray: started here, or a cluster's address."
    ),
    settings: list[str] = SetOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Run one study for each combination of values and compare them over the seeds. The same command goes on."""
    from experiments.sweep.plan import read_sweep
    from experiments.sweep.run import sweep as run_sweep
    from experiments.tuning import require_installed

    if ray is not None:
        require_installed("ray")
    plan = read_sweep(config, vary, settings)
    with open_store(storage, out, create=True):
        where = storage or os.fspath(out / "nas.db")
    found = run_sweep(plan, where, out, talk_of(context), ray)
    emit(found) if as_json else _print(found)
    if found["unfinished"]:
        raise PartialError(
            f"{len(found['unfinished'])} of {len(found['studies'])} studies did not finish "
            f"({', '.join(found['unfinished'][:5])}): the same command goes on with them"
        )


def _print(found: Mapping[str, Any]) -> None:
    one_front = len({row.get("front") for row in found["studies"]}) == 1
    _print_rows([{k: v for k, v in row.items() if k != "front" or not one_front} for row in found["studies"]])
    if max(row["seeds"] for row in found["strategies"]) > 1:
        print("\nover the seeds:")
        _print_rows([_with_spreads(row) for row in found["strategies"]])
    for column, least in found["smallest_difference"].items():
        if least is not None:
            print(f"differences of {column} below {least:.3g} are not shown by so many seeds")
    print("\n" + "\n".join(found["notes"]))


def _print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    columns = dict.fromkeys(column for row in rows for column in row)
    print_table([{name: "-" if row.get(name) is None else row[name] for name in columns} for row in rows])


def _with_spreads(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a strategy's row with each spread behind its mean."""
    found = {}
    for name, value in row.items():
        if name.endswith("_spread"):
            continue
        spread = row.get(f"{name}_spread")
        found[name] = value if spread is None else f"{value:.4g} +- {spread:.2g}"
    return found
