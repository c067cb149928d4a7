"""``nas study submit``, ``pause``, ``resume``, ``stop``, ``cancel``: the queue, and what people write on studies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from experiments.cli.common import JsonOption, OutOption, SetOption, StorageOption, emit, open_store, print_table
from experiments.cli.study import NameArgument, study_app
from search_spaces.errors import UsageError

if TYPE_CHECKING:
    from experiments.store.store import Budget

PriorityOption = typer.Option(0, "--priority", help="The highest runs first.")
EvaluationsOption = typer.Option(None, "--max-evaluations", help="Budget: stop after so many evaluations.")
HoursOption = typer.Option(None, "--max-hours", help="Budget: stop after so many hours of running.")


@study_app.command()
def submit(
    config: Path = typer.Argument(None, help="TOML file of the study; or give --template.", metavar="[CONFIG]"),
    template: str = typer.Option(None, "--template", help="Settings that nas template save stored, by name."),
    settings: list[str] = SetOption,
    name: str = typer.Option(None, "--name", help="Name of the study instead of the configuration's."),
    priority: int = PriorityOption,
    max_evaluations: int = EvaluationsOption,
    max_hours: float = HoursOption,
    tags: list[str] = typer.Option([], "--tag", help="A word to find it by. May be repeated."),
    note: str = typer.Option("", "--note", help="Free text."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Put a study into the queue; nas runner runs it."""
    from experiments.cli.run import overrides
    from experiments.job import make_job, read_job, submit_job

    if (config is None) == (template is None):
        raise UsageError("nas study submit got both or none of CONFIG and --template: give one of them")
    with open_store(storage, out, create=True) as store:
        if template is None:
            job = read_job(config, overrides(settings, name))
        else:
            stored = store.labels.template(template)
            job = make_job(stored.settings, f"template {template!r}", overrides(settings, name))
        budget = _budget(max_evaluations, max_hours)
        submit_job(store, job, priority=priority, budget=budget, tags=tags, note=note)
    print(f"study {job.name!r} is queued: nas runner runs it")


def _budget(max_evaluations: int | None, max_hours: float | None) -> Budget:
    from experiments.store.store import Budget

    return Budget(max_evaluations, max_hours)


def _verb(verb: str, summary: str) -> None:
    """Enter ``nas study VERB NAME``."""

    def move(name: str = NameArgument, out: Path = OutOption, storage: str | None = StorageOption) -> None:
        with open_store(storage, out) as store:
            state = getattr(store.queue, verb)(name)
        print(f"study {name!r} is {state}")

    study_app.command(verb, help=summary)(move)


_verb("pause", "Let no more work of a queued or running study begin, until nas study resume.")
_verb("resume", "Put a paused, interrupted or failed study back into the queue.")
_verb("stop", "End a study for good once the work that runs is finished.")
_verb("cancel", "End a study now and for good; the work that runs is thrown away.")


@study_app.command()
def change(
    name: str = NameArgument,
    priority: int = typer.Option(None, "--priority", help="The highest runs first."),
    max_evaluations: int = EvaluationsOption,
    max_hours: float = HoursOption,
    unlimited: bool = typer.Option(False, "--unlimited", help="Take the budget away."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Change the priority or the budget of a study, also while it runs."""
    given = max_evaluations is not None or max_hours is not None
    if given and unlimited:
        raise UsageError("nas study change got a budget and --unlimited: give one of them")
    budget = _budget(max_evaluations, max_hours) if given or unlimited else None
    with open_store(storage, out) as store:
        store.queue.change(name, priority=priority, budget=budget)


@study_app.command()
def tag(
    name: str = NameArgument,
    tags: list[str] = typer.Argument(..., help="Words to put on it."),
    remove: bool = typer.Option(False, "--remove", help="Take them off instead."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Put tags on a study, or take them off."""
    with open_store(storage, out) as store:
        (store.labels.untag if remove else store.labels.tag)(name, tags)


@study_app.command()
def note(
    name: str = NameArgument,
    text: str = typer.Argument(..., help='The new note; "" takes it off, - reads it from stdin.'),
    out: Path = OutOption,
    storage: str | None = StorageOption,
) -> None:
    """Replace the note of a study."""
    with open_store(storage, out) as store:
        store.labels.note(name, sys.stdin.read() if text == "-" else text)


@study_app.command()
def compare(
    first: str = typer.Argument(..., help="Name of a study."),
    second: str = typer.Argument(..., help="Name of another."),
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Compare the fronts and the settings of two studies."""
    from experiments.cli.bench import print_findings
    from experiments.comparing import compare_studies

    with open_store(storage, out, readonly=True) as store:
        found = compare_studies(store.load(first), store.load(second))
    emit(found) if as_json else print_findings(found)


@study_app.command()
def events(
    name: str = NameArgument,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    as_json: bool = JsonOption,
) -> None:
    """Tell what happened to a study, also to a deleted one."""
    from dataclasses import asdict

    with open_store(storage, out, readonly=True) as store:
        rows = [asdict(event) for event in store.events(name, limit=100_000)]
    emit(rows) if as_json else print_table([{key: row[key] for key in ("at", "event", "detail")} for row in rows])
