"""``nas calibrate``: measure some networks of a space on a target, fit a latency model, check it, store it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, emit, print_facts, talk_of

if TYPE_CHECKING:
    from search_spaces.space import SearchSpace


@app.command()
def calibrate(
    context: typer.Context,
    target: str = typer.Argument(..., help="A target whose device is present, as cpu:fp32:b1."),
    space: str | None = typer.Option(None, "--space", help="A space by name; --set gives its settings."),
    config: Path | None = typer.Option(None, "--config", help="A study's configuration: the space for its data."),
    settings: list[str] = typer.Option(
        [], "--set", help="A setting of the space, as form=small_image, or of the configuration. May be repeated."
    ),
    budget: int = typer.Option(20, "--budget", min=5, help="Networks that are measured and fitted."),
    held_out: int = typer.Option(10, "--held-out", min=0, help="Further networks that check the model alone."),
    sampler: str = typer.Option("best", "--sampler", help="Or variance, information, kmeans, random."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the choice of networks and the order of measuring."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="Threads of a CPU, held on cores."),
    out: Path | None = typer.Option(None, "--out", help="Folder of the model; by default one in your own folder."),
    as_json: bool = JsonOption,
) -> None:
    """Learn how fast every network of a space is on a target; give the folder to a study as latency.models."""
    from experiments.calibrated import write_calibrated
    from experiments.calibrating import calibrate as make
    from predictors.target import target as find_target

    found_space = _space(space, config, settings)
    where = find_target(target)
    found = make(found_space, where, budget, held_out, seed, threads, sampler, talk_of(context).say)
    folder = write_calibrated(found, out or _own_folder(where.name, found_space))
    content: dict[str, Any] = {
        "target": where.name,
        "space": found_space.name,
        "measured_networks": len(found.measured_ms),
        "latency_ms_range": [float(found.measured_ms.min()), float(found.measured_ms.max())],
        **found.checks,
        "folder": str(folder),
    }
    if as_json:
        emit(content)
    else:
        print_facts(content)


def _space(name: str | None, config: Path | None, settings: list[str]) -> SearchSpace:
    """Return the space that is named, or that of a study for its data."""
    from search_spaces.errors import UsageError

    if (name is None) == (config is None):
        raise UsageError("give --space NAME or --config FILE, not both and not neither")
    from experiments.config import parse_override, read_config

    if config is None:
        from search_spaces.spaces import space

        given = {".".join(keys): value for keys, value in map(parse_override, settings)}
        return space(str(name), **given)
    from experiments.study_space import data_and_space

    study = read_config(config, settings)
    return data_and_space(study)[1]


def _own_folder(target: str, space: SearchSpace) -> Path:
    """Return where the model of a target and a space is kept unless another place is given."""
    from predictors.user_folder import user_folder

    key = hashlib.sha256(space.settings_json.encode()).hexdigest()[:8]
    return user_folder() / "latency" / f"{target.replace(':', '_')}--{space.name}-{key}"
