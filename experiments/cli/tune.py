"""``nas tune``: learning rate, weight decay and sampler settings by short trainings."""

from __future__ import annotations

from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import (
    JsonOption,
    OutOption,
    SetOption,
    StorageOption,
    emit,
    open_store,
    print_facts,
    print_table,
    talk_of,
)
from experiments.cli.run import ConfigArgument

TuneOption = typer.Option(
    [],
    "--tune",
    metavar="KEY=VALUES",
    help="What to vary, as training.learning_rate=0.001..0.03 or training.sampler_settings.floor=0.1,0.2. May be "
    "repeated; by default learning rate and weight decay.",
)


@app.command()
def tune(
    context: typer.Context,
    config: Path = ConfigArgument,
    trials: int = typer.Option(20, "--trials", min=1, help="Finished trials to end with, earlier calls' included."),
    epochs: int = typer.Option(0, "--epochs", min=0, help="Of a trial; 0 is a quarter of the configuration's."),
    ranges: list[str] = TuneOption,
    ray: str | None = typer.Option(
        None, "--ray", metavar="local|ADDRESS", help="Run trials at once on Ray: started here, or a cluster's address."
    ),
    settings: list[str] = SetOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Choose settings of the training by short trainings (Optuna, early stopping). The same command goes on."""
    from experiments.config import read_config
    from experiments.tuning import TuningPlan
    from experiments.tuning import tune as run_tuning
    from experiments.tuning_ranges import read_ranges

    found = read_config(config, settings)
    length = epochs or max(1, found.training.epochs // 4)
    plan = TuningPlan(found, trials, length, read_ranges(ranges, found), ray)
    with open_store(storage, out, create=True) as store:
        result = run_tuning(plan, store, out, talk_of(context))
    if as_json:
        emit(result)
        return
    print_table(result.pop("all"))
    print_facts(result)
