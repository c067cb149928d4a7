"""``nas compare``: scaling rules from one base at equal achieved cost, timed and, if asked, trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, SetOption, emit, print_table, talk_of
from experiments.cli.run import ConfigArgument


@app.command()
def compare(
    context: typer.Context,
    config: Path = ConfigArgument,
    processes: int = typer.Option(1, "--processes", min=1, help="Trials at a time, each on one thread."),
    ray: str | None = typer.Option(
        None, "--ray", metavar="local|ADDRESS", help="Trials on Ray Tune: started here, or a cluster's address."
    ),
    settings: list[str] = SetOption,
    out: Path = OutOption,
    as_json: bool = JsonOption,
) -> None:
    """Compare scaling rules: writes compare.json, compare.csv and compare.html. The same command goes on."""
    from experiments.comparison.run import compare as run_comparison
    from experiments.comparison.settings import read_compare_config
    from experiments.tuning import require_installed

    if ray is not None:
        require_installed("ray")
    content = run_comparison(read_compare_config(config, settings), out, talk_of(context), processes, ray)
    if as_json:
        emit(content)
        return
    rows = [_shown(row) for row in content["rows"]]
    columns = dict.fromkeys(column for row in rows for column in row)
    print_table([{column: row.get(column, "-") for column in columns} for row in rows])
    for found in content["equal_latency"]:
        _print_reading(found)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    growth = row.get("growth", {"macs": 1.0, "params": 1.0, "activations": 1.0})
    law = row.get("predicted_growth", growth)
    return {
        "rule": row["rule"] + (f" (= {row['same_as']})" if "same_as" in row else ""),
        "x": row["factor"],
        "side": row["resolution"][0],
        "depths": " ".join(map(str, row["depths"])),
        "widths": " ".join(map(str, row["widths"])),
        **{f"{name} x (law)": f"{growth[name]:.2f} ({law[name]:.2f})" for name in ("macs", "params", "activations")},
        "peak_memory_bytes": row["peak_memory_bytes"],
        **{f"ms {name}": _latency(found) for name, found in row["latency"].items()},
        **({"training_s": row["training_s"], "test %": _accuracy(row)} if "test_accuracy" in row else {}),
    }


def _latency(found: Mapping[str, Any]) -> str:
    if found["obtained"] == "analytic":
        return f"{found['latency_ms']:.3g} analytic [{found['low_ms']:.3g}, {found['high_ms']:.3g}]"
    return f"{found['latency_ms']:.3g} +- {found['spread_ms']:.2g} {found['obtained']}"


def _accuracy(row: Mapping[str, Any]) -> str:
    spread = row["test_accuracy_spread"]
    return f"{row['test_accuracy']:.2f}" + (f" +- {spread:.2f}" if spread is not None else " (one seed)")


def _print_reading(found: Mapping[str, Any]) -> None:
    least = found["smallest_difference"]
    told = (
        "one seed: no difference is shown" if least is None else f"differences below {least:.2f} points are not shown"
    )
    for reading in found["readings"]:
        print(f"\nat {reading['latency_ms']:.3g} ms on {found['target']}, {found['seeds']} seeds ({told}):")
        print_table(reading["rules"])
