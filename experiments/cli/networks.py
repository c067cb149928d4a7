"""``nas networks``: the published networks that can be counted, scaled and built by name."""

from __future__ import annotations

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table


@app.command()
def networks(
    family: str | None = typer.Argument(None, help="Only those of one family."),
    as_json: bool = JsonOption,
) -> None:
    """List the published networks by name, with the resolution and the source of each."""
    from search_spaces.errors import unknown
    from search_spaces.networks import networks as registry

    found = {name: registry.get(name) for name in registry.names()}
    families = {entry.family for entry in found.values()}
    if family is not None and family not in families:
        raise unknown("family of published networks", family, families)
    rows = [
        {
            "network": name,
            "family": entry.family,
            "resolution": f"{entry.resolution[0]}x{entry.resolution[1]}",
            "source": entry.source,
        }
        for name, entry in found.items()
        if family in (None, entry.family)
    ]
    emit(rows) if as_json else print_table(rows)
