"""``nas targets``: the devices that latency is known for."""

from __future__ import annotations

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table


@app.command()
def targets(
    name: str | None = typer.Argument(None, help="One target, as h100:bf16:b32: show its facts and their source."),
    as_json: bool = JsonOption,
) -> None:
    """List the devices, or show a target. A target is DEVICE[:PRECISION][:bBATCH], as h100:bf16:b32."""
    from predictors.target import DEVICES, is_present, list_devices, target

    if name is not None:
        found = target(name)
        content = {"target": found.name, "present": is_present(found), **found.device.model_dump(mode="json")}
        if as_json:
            emit(content)
        else:
            for key, value in content.items():
                print(f"{key}: {value}")
        return
    rows = []
    for device in list_devices():
        entry = DEVICES.get(device)
        rows.append({"device": device, "precisions": ", ".join(entry.precisions)})
    emit(rows) if as_json else print_table(rows)
