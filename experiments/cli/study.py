"""``nas study``: what the database remembers."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from experiments.cli import app
from experiments.cli.common import JsonOption, OutOption, StorageOption, emit, open_store, print_facts, print_table

if TYPE_CHECKING:
    from experiments.store.store import StudySummary

study_app = typer.Typer(help="Queue, list, show, compare, tabulate or delete studies.")
app.add_typer(study_app, name="study")

NameArgument = typer.Argument(..., help="Name of the study.")


@study_app.command("list")
def list_studies(
    out: Path = OutOption,
    storage: str | None = StorageOption,
    state: str = typer.Option(None, "--state", help="Only those in this state, as queued or interrupted."),
    tag: str = typer.Option(None, "--tag", help="Only those with this tag."),
    as_json: bool = JsonOption,
) -> None:
    """List the studies with their state and number of evaluations."""
    with open_store(storage, out, readonly=True) as store:
        found = store.studies(state=state, tag=tag)
    emit([asdict(each) for each in found]) if as_json else print_table([_row(each) for each in found])


def _row(summary: StudySummary) -> dict[str, object]:
    """Return what a line of a terminal holds of a study."""
    return {
        "name": summary.name,
        "state": summary.state,
        "priority": summary.priority,
        "evaluations": summary.num_evaluations,
        "repeated": summary.num_repeated,
        "hours": round(summary.used_hours, 3),
        "updated": f"{summary.updated_at:%Y-%m-%d %H:%M}",
        "runner": summary.runner or "-",
        "tags": ",".join(summary.tags) or "-",
        "reason": summary.reason[:60],
    }


@study_app.command()
def show(
    name: str = NameArgument, out: Path = OutOption, storage: str | None = StorageOption, as_json: bool = JsonOption
) -> None:
    """Show a study: settings, state, work done and done twice, files."""
    with open_store(storage, out, readonly=True) as store:
        study = store.load(name)
        kinds = ("training", "measurement", "evaluation", "export", "stage")
        work = {kind: {"done": len(study.done(kind)), "begun": sum(study.attempts(kind).values())} for kind in kinds}
        content = {
            "name": study.name,
            "state": study.state,
            "seed": study.seed,
            "work": work,
            "files": [
                {"name": a.name, "path": a.path, "bytes": a.num_bytes, "sha256": a.sha256} for a in study.artifacts()
            ],
            "settings": study.settings,
        }
    if as_json:
        emit(content)
        return
    print_facts(content)


@study_app.command()
def pick(
    name: str = NameArgument,
    best: str = typer.Option(
        "",
        "--best",
        help="What to optimise: params, macs, size_bytes, latency_ms@TARGET; by default the metric, as accuracy.",
    ),
    under: list[str] = typer.Option(
        [], "--under", help="A budget, as latency_ms@t4=2 or params=3e6; of accuracy the least. May be repeated."
    ),
    knee: str = typer.Option("", "--knee", help="Instead of the best: the knee of the front on this target."),
    out: Path = OutOption,
    as_json: bool = JsonOption,
) -> None:
    """Choose one network of a finished search within budgets, as: the best under 2 ms on a T4."""
    from experiments.front_networks import read_networks
    from experiments.picking import pick as pick_from

    found = pick_from(read_networks(out / name / "front.json", name), best, under, knee)
    emit(found) if as_json else print_facts(found)


@study_app.command()
def delete(
    name: str = NameArgument,
    out: Path = OutOption,
    storage: str | None = StorageOption,
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Delete a study from the database; its files stay."""
    with open_store(storage, out) as store:
        store.load(name)
        if not yes:
            typer.confirm(f"Delete study {name!r} and all that is stored of it?", abort=True, err=True)
        store.delete(name)
    print(
        f"study {name!r} is deleted; its files stay in {out / name}: with the same training settings, a new study of "
        "this name goes on from its checkpoints",
        file=sys.stderr,
    )
