"""``nas init``: a commented configuration to begin with."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from search_spaces.errors import ConflictError


@app.command()
def init(
    path: Path = typer.Argument(Path("nas.toml"), help="The file to write."),
) -> None:
    """Write a commented configuration into the current folder; its study takes under a minute on a CPU."""
    from nas.files import write_text

    if path.exists():
        raise ConflictError(f"{path} is there already: give another name, or move it away")
    source = Path(__file__).parent.parent / "configs" / "first.toml"
    write_text(path, source.read_text(encoding="utf-8"))
    print(f"{path} is written; now: nas run {path}")
