"""``nas targets``: the devices that latency is known for, and adding one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_facts, print_table

if TYPE_CHECKING:
    from predictors.device import Device

FORM = "DEVICE[:PRECISION][:bBATCH][:RUNTIME][:LAYOUT], as h100:bf16:b32"


class _ShowByName(TyperGroup):
    """``nas targets NAME`` means ``nas targets show NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


verbs = typer.Typer(cls=_ShowByName, help=f"List the devices, show a target, add a device. A target is {FORM}.")
app.add_typer(verbs, name="targets")


@verbs.callback(invoke_without_command=True)
def targets(context: typer.Context, as_json: bool = JsonOption) -> None:
    """List the devices, show a target, add a device."""
    if context.invoked_subcommand is not None:
        return
    from predictors.target import DEVICES, RUNTIMES, list_devices

    rows = []
    for device in list_devices():
        entry = DEVICES.get(device)
        runtimes = RUNTIMES if entry.kind == "gpu" else RUNTIMES[:-1]
        rows.append(
            {
                "device": device,
                "kind": entry.kind,
                "precisions": ", ".join(entry.precisions),
                "runtimes": ", ".join(runtimes),
            }
        )
    emit(rows) if as_json else print_table(rows)


@verbs.command()
def show(name: str = typer.Argument(..., help=FORM), as_json: bool = JsonOption) -> None:
    """Show a target: its facts, their source, and what is doubtful about them."""
    from predictors.target import is_present, target

    found = target(name)
    content = {
        "target": found.name,
        "present": is_present(found),
        "runtime": found.runtime,
        "layout": found.layout,
        **found.device.model_dump(mode="json"),
    }
    _tell(content, as_json)


@verbs.command()
def add(
    file: Path | None = typer.Argument(None, help="A TOML file of a device's facts, as those of this software."),
    from_present: bool = typer.Option(False, "--from-present", help="Measure the device that is here instead."),
    name: str | None = typer.Option(None, "--name", help="Its name in targets; needed with --from-present."),
    as_json: bool = JsonOption,
) -> None:
    """Add a device: it is checked and stored in your own folder ($NAS_HOME, or nas in your settings)."""
    from predictors.device import read_device
    from predictors.user_targets import add_device
    from search_spaces.errors import UsageError

    if (file is None) != from_present:
        raise UsageError("give either a TOML file or --from-present --name NAME, not both and not neither")
    if (from_present or name is not None) and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name or ""):
        raise UsageError(f"--name got {name!r}: give lower-case letters, digits, - and _, as --name my-workstation")
    device = _present(str(name)) if file is None else read_device(file)
    if name is not None:
        device = device.model_copy(update={"name": name})
    path = add_device(device)
    _tell({"target": device.name, "file": str(path), "source": device.source}, as_json)


def _present(name: str) -> Device:
    import torch

    from predictors.calibration import gpu_device, named_cpu

    return gpu_device(0, name) if torch.cuda.is_available() else named_cpu(name)


def _tell(content: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(content)
        return
    print_facts({key: value for key, value in content.items() if value is not None})
