"""``nas runner``: runs the studies of the queue; ``nas study run``: one study of the database by name."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from experiments.cli import app
from experiments.cli.common import CallbackOption, OutOption, StorageOption, open_store, talk_of
from experiments.cli.study import NameArgument, study_app


@app.command()
def runner(
    context: typer.Context,
    processes: int = typer.Option(1, "--processes", help="Runners on this machine; one that dies is replaced."),
    until_empty: bool = typer.Option(False, "--until-empty", help="End when no study waits or runs."),
    callback: list[str] = CallbackOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Run the studies of the queue, the highest priority first; those of a runner that died are taken over."""
    from experiments.callback import CALLBACKS
    from experiments.runner import ending_on_sigterm, run_queue

    # An unknown name is no study's fault: it is told before one is taken.
    for each in callback:
        CALLBACKS.get(each)
    with ending_on_sigterm(), open_store(storage, out, create=True) as store:
        if processes == 1:
            num = run_queue(store, out, talk_of(context), until_empty=until_empty, callbacks=callback)
            print(f"{num} studies ran; none waits")
            return
        store.close()
        from experiments.supervisor import supervise

        where = storage or os.fspath(out / "nas.db")
        supervise(where, out, talk_of(context), processes, until_empty=until_empty, callbacks=callback)


@study_app.command()
def run(
    context: typer.Context,
    name: str = NameArgument,
    callback: list[str] = CallbackOption,
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Run, or go on with, one study here and now, from its stored settings."""
    from experiments.job import run_job
    from experiments.runner import ending_on_sigterm, runner_name

    with ending_on_sigterm(), open_store(storage, out) as store:
        run_job(store.load(name), out, talk_of(context), runner_name(), callback)
