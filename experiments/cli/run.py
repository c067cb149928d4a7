"""``nas run``, ``nas train`` and ``nas search``: a study as a whole, or up to a stage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from experiments.cli import app
from experiments.cli.common import (
    CallbackOption,
    JsonOption,
    OutOption,
    SetOption,
    StorageOption,
    emit,
    open_store,
    print_facts,
    talk_of,
)
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.run import Until

ConfigArgument = typer.Argument(..., help="TOML file of the study.", metavar="CONFIG")
ProcessesOption = typer.Option(
    1, "--processes", help="Processes that train together, at most training.gradient_shards. Torchrun works too."
)
RayOption = typer.Option(
    None, "--ray", help="Run on the Ray cluster at this address, or local: evaluations, and training with --processes."
)
WorkersOption = typer.Option(None, "--workers", help="Workers on Ray that evaluate; by default one a core or GPU.")
NameOption = typer.Option(None, "--name", help="Name of the study instead of the configuration's.")


def overrides(settings: list[str], name: str | None) -> list[str]:
    """Return the overrides of a command line, the name's too."""
    # Quoted: a name such as 2024 is text, not a number.
    return settings if name is None else [*settings, f"name={json.dumps(name)}"]


def _go(
    context: typer.Context,
    config: Path,
    settings: list[str],
    name: str | None,
    out: Path,
    storage: str | None,
    as_json: bool,
    until: Until,
    processes: int = 1,
    ray: str | None = None,
    workers: int | None = None,
    callbacks: Sequence[str] = (),
) -> None:
    from experiments.callback import CALLBACKS, Run
    from experiments.config import read_config
    from experiments.evaluating import here
    from experiments.processes import follow_torchrun, follows, processes_together
    from experiments.ray_evaluating import ray_evaluating
    from experiments.ray_training import ray_together
    from experiments.run import run_study

    found = read_config(config, overrides(settings, name))
    if follows():
        follow_torchrun(found, out / found.name)
        return
    if workers is not None and ray is None:
        raise UsageError("--workers is for --ray: give that too")
    # A training in one process needs no cluster, unless it is all that is asked for.
    train_on_ray = ray is not None and (processes > 1 or until == "training")
    together = ray_together(ray, processes) if ray and train_on_ray else processes_together(processes)
    evaluating = ray_evaluating(ray, workers) if ray else here
    makers = [CALLBACKS.get(each) for each in callbacks]
    with open_store(storage, out, create=True) as store:
        made = [maker(Run(found.name, out / found.name, found.model_dump(mode="json"))) for maker in makers]
        outcome = run_study(
            found,
            store,
            out,
            talk_of(context),
            until,
            together=together,
            evaluating=evaluating,
            callbacks=made,
        )
    if as_json:
        emit(outcome.summary)
        return
    if outcome.table:
        print(outcome.table)
    print_facts(outcome.summary)
    if until == "report":
        print(f"report: {outcome.folder / 'report.html'}")


@app.command()
def run(
    context: typer.Context,
    config: Path = ConfigArgument,
    settings: list[str] = SetOption,
    name: str | None = NameOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
    processes: int = ProcessesOption,
    ray: str | None = RayOption,
    workers: int | None = WorkersOption,
    dry_run: bool = typer.Option(False, "--dry-run", help="Say the space's size, time, memory and disk, and stop."),
    callback: list[str] = CallbackOption,
) -> None:
    """Run a study: train, learn latency, search, scale, export, report. The same command goes on after a kill."""
    if dry_run:
        from experiments.config import read_config
        from experiments.estimate import estimate_study

        found = estimate_study(read_config(config, overrides(settings, name)))
        if as_json:
            emit(found)
        else:
            print_facts(found)
        return
    _go(context, config, settings, name, out, storage, as_json, "report", processes, ray, workers, callback)


@app.command()
def train(
    context: typer.Context,
    config: Path = ConfigArgument,
    settings: list[str] = SetOption,
    name: str | None = NameOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
    processes: int = ProcessesOption,
    ray: str | None = RayOption,
) -> None:
    """Train the supernetwork of a study, and stop."""
    _go(context, config, settings, name, out, storage, as_json, "training", processes, ray)


@app.command()
def search(
    context: typer.Context,
    config: Path = ConfigArgument,
    settings: list[str] = SetOption,
    name: str | None = NameOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
    processes: int = ProcessesOption,
    ray: str | None = RayOption,
    workers: int | None = WorkersOption,
) -> None:
    """Train if needed and search, write front.json and front.csv, and stop."""
    _go(context, config, settings, name, out, storage, as_json, "search", processes, ray, workers)
