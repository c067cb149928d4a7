"""Weights & Biases: one run a study; ``WANDB_MODE=offline`` keeps it on this machine."""

from __future__ import annotations

from experiments.callback import CALLBACKS, RUN, Callback, Finished, Run
from search_spaces.errors import missing_extra


@CALLBACKS.register("wandb")
def wandb(run: Run) -> Callback:
    """Return a logger into a run that is named after the study; a resumed study goes on with its run."""
    try:
        import wandb as package
    except ModuleNotFoundError:
        raise missing_extra("wandb", "wandb") from None
    logged = package.init(project="nas", name=run.name, config=dict(run.settings), dir=str(run.folder), resume="allow")

    def log(finished: Finished) -> None:
        if finished.kind == RUN:
            logged.finish()
            return
        # Its own step counter: those of training and search would run against each other.
        logged.log({**finished.scalars(), f"{finished.kind}/step": finished.step})

    return log
