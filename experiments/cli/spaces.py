"""``nas spaces``: the search spaces, and members of one."""

from __future__ import annotations

import json
from typing import Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table


@app.command()
def spaces(
    name: str | None = typer.Argument(None, help="One space: show its settings, knobs and exact size."),
    settings: list[str] = typer.Option(
        [], "--set", help="A setting of the space, as form=small_image. May be repeated."
    ),
    sample: int = typer.Option(0, "--sample", min=0, help="Print so many random architectures as JSON lines."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the random architectures."),
    member: str | None = typer.Option(None, "--member", help="Print the smallest or the largest architecture."),
    as_json: bool = JsonOption,
) -> None:
    """List the search spaces, or show one."""
    from search_spaces.spaces import space
    from search_spaces.spaces import spaces as registry

    if name is None:
        rows = [{"space": key, "size": space(key).size(), "knobs": len(space(key).knobs)} for key in registry.names()]
        emit(rows) if as_json else print_table(rows)
        return
    found = space(name, **_settings(settings))
    if member or sample:
        _print_members(found, member, sample, seed)
        return
    knobs = [{"knob": k.name, "values": ", ".join(map(str, k.values)), "active": _active(k)} for k in found.knobs]
    if as_json:
        emit({"space": name, "settings": found.settings.model_dump(mode="json"), "size": found.size(), "knobs": knobs})
        return
    print(f"{name}: {found.size():,} architectures; settings {found.settings.model_dump(mode='json')}\n")
    print_table(knobs)


def _active(knob: Any) -> str:
    return f"{knob.parent} in {', '.join(map(str, knob.parent_values))}" if knob.parent else "always"


def _settings(given: list[str]) -> dict[str, Any]:
    from experiments.config import parse_override

    found = {}
    for text in given:
        keys, value = parse_override(text)
        found[".".join(keys)] = value
    return found


def _print_members(space: Any, member: str | None, sample: int, seed: int) -> None:
    import numpy as np

    from search_spaces.errors import UsageError

    if member not in (None, "smallest", "largest"):
        raise UsageError(f"--member got {member!r}: allowed: smallest, largest")
    if member:
        print(json.dumps(json.loads(getattr(space, member)().to_json()), indent=1))
    for architecture in space.decode(space.sample(np.random.default_rng(seed), sample)) if sample else ():
        print(architecture.to_json())
