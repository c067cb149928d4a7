"""``nas measure``: time networks on a target that is present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table, read_blueprint


@app.command()
def measure(
    files: list[Path] = typer.Argument(..., help="Architecture or blueprint files."),
    target: str = typer.Option("cpu:fp32:b1", "--target", help="A target whose device is present."),
    budget_s: float = typer.Option(1.0, "--budget-s", min=0.01, help="Seconds of timed runs a network."),
    as_json: bool = JsonOption,
) -> None:
    """Time networks: median of warmed-up runs, half the interquartile range, the 95th percentile, and doubts."""
    import torch

    from predictors.roofline import latency_ms
    from predictors.target import is_present, torch_device
    from predictors.target import target as find_target
    from predictors.timing import TimingPlan, time_module
    from search_spaces.block import network_layers
    from search_spaces.building import build
    from search_spaces.errors import UsageError

    blueprints = [read_blueprint(file) for file in files]
    found = find_target(target)
    device = torch_device(found.device)
    if device is None or not is_present(found):
        raise UsageError(
            f"--target got {target!r}: that device is not here: measure cpu, or run this on a machine with it"
        )
    rows: list[dict[str, Any]] = []
    for file, blueprint in zip(files, blueprints, strict=True):
        images = torch.randn(found.batch_size, blueprint.in_channels, *blueprint.resolution, device=device)
        timing = time_module(build(blueprint, device), images, found.precision, plan=TimingPlan(budget_s=budget_s))
        rows.append(
            {
                "file": str(file),
                "target": found.name,
                "latency_ms": timing.median_ms,
                "spread_ms": timing.spread_ms,
                "p95_ms": timing.p95_ms,
                "runs": timing.num_runs,
                "stable": timing.stable,
                "obtained": "measured",
                "roofline_ms": latency_ms(network_layers(blueprint), found),
                "notes": "; ".join(timing.notes),
                **({"versions": dict(timing.versions)} if as_json else {}),
            }
        )
    emit(rows) if as_json else print_table(rows)
