"""``nas networks``: the published networks that can be counted, scaled and built by name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_table

if TYPE_CHECKING:
    from search_spaces.networks import PublishedNetwork


def _chosen(found: dict[str, PublishedNetwork], wanted: str) -> dict[str, PublishedNetwork]:
    """Return the networks of a family, or those whose names a pattern with ``*`` and ``?`` matches, as timm's do."""
    return {name: entry for name, entry in found.items() if entry.family == wanted or fnmatchcase(name, wanted)}


@app.command()
def networks(
    family: str | None = typer.Argument(
        None, help="Only those of one family, or a pattern of names: 'efficientnet_b*'."
    ),
    as_json: bool = JsonOption,
) -> None:
    """List the published networks by name, with the resolution and the source of each."""
    from search_spaces.errors import unknown
    from search_spaces.networks import networks as registry

    found = {name: registry.get(name) for name in registry.names()}
    families = {entry.family for entry in found.values()}
    if family is not None:
        found = _chosen(found, family)
        if not found:
            raise unknown("family or name of published networks", family, families)
    rows = [
        {
            "network": name,
            "family": entry.family,
            "resolution": f"{entry.resolution[0]}x{entry.resolution[1]}",
            "source": entry.source,
        }
        for name, entry in found.items()
    ]
    emit(rows) if as_json else print_table(rows)
