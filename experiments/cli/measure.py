"""``nas measure``: time networks, blocks and kernels on a target that is present, or on one elsewhere by a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from experiments.cli import app
from experiments.cli.common import DEFAULT_OUT, JsonOption, emit, open_store, print_table, read_blueprint

if TYPE_CHECKING:
    from experiments.subjects import Subject, SubjectKind
    from predictors.target import Target

SHOWN = ("name", "kind", "count", "target", "latency_ms", "spread_ms", "p95_ms", "num_runs", "stable", "obtained")


@app.command()
def measure(
    names: list[str] = typer.Argument(None, help="Published networks by name, architecture or blueprint files."),
    target: str = typer.Option("cpu:fp32:b1", "--target", help="A target whose device is present."),
    runtime: str | None = typer.Option(None, "--runtime", help="eager, compiled, onnxruntime or tensorrt."),
    batch: int | None = typer.Option(None, "--batch", min=1, help="Images at once, in place of the target's."),
    blocks: bool = typer.Option(False, "--blocks", help="The distinct blocks of the networks instead."),
    block: str | None = typer.Option(None, "--block", help="The distinct blocks of this kind alone."),
    kernels: bool = typer.Option(False, "--kernels", help="The distinct kernels (layers) of the networks instead."),
    memory: bool = typer.Option(False, "--memory", help="Peak memory instead of latency, beside its estimate."),
    budget_s: float = typer.Option(1.0, "--budget-s", min=0.01, help="Seconds of timed runs each."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="Threads of a CPU, held on cores."),
    output: Path | None = typer.Option(None, "--output", "-o", help="Also write the rows to a .parquet or .csv file."),
    storage: str | None = typer.Option(
        None, "--storage", envvar="NAS_STORAGE", help="Also add the rows to this database (URL or SQLite file)."
    ),
    ray: str | None = typer.Option(
        None, "--ray", metavar="local|ADDRESS", help="Time on a node of this Ray cluster that has the device."
    ),
    bundle: Path | None = typer.Option(None, "--bundle", help="Write ONNX files and a script to run elsewhere, here."),
    result: Path | None = typer.Option(None, "--import", help="Read the result.json of a bundle instead."),
    as_json: bool = JsonOption,
) -> None:
    """Time networks: median of warmed-up runs, half the interquartile range, the 95th percentile, and doubts."""
    from search_spaces.errors import UsageError

    if (result is None) == (not names):
        raise UsageError("give networks to measure, or --import result.json, not both and not neither")
    if ray is not None and (memory or bundle is not None or result is not None):
        raise UsageError("--ray is for timing: give it without --memory, --bundle and --import")
    if result is not None:
        from experiments.bundle import read_result

        _keep(read_result(result), output, storage, as_json)
        return
    where, part = _target(target, runtime, batch), _part(blocks or block is not None, kernels)
    networks = [(name, read_blueprint(Path(name))) for name in names]
    if ray is not None:
        from experiments.ray_measuring import time_on_ray

        rows = time_on_ray(ray, networks, part, block, where, budget_s, threads)
        _keep(rows, output, storage, as_json)
        return
    from experiments.subjects import subjects_of

    subjects = [subject for name, blueprint in networks for subject in subjects_of(name, blueprint, part, block)]
    if bundle is not None:
        from experiments.bundle import write_bundle

        folder = write_bundle(subjects, where, bundle)
        told = {"bundle": str(folder), "networks": len(subjects), "target": where.name, "run": "python run.py"}
        emit(told) if as_json else print_table([told])
    elif memory:
        from experiments.measuring import memory_of, memory_row

        rows = [memory_row(subject, where, memory_of(subject, where)) for subject in subjects]
        emit(rows) if as_json else print_table(rows)
    else:
        _keep(_time(subjects, where, budget_s, threads), output, storage, as_json)


def _target(text: str, runtime: str | None, batch: int | None) -> Target:
    """Return the target of the options; ``--runtime`` and ``--batch`` take the place of what the name says."""
    from predictors.target import RUNTIME_LAYOUT, RUNTIMES, parse_target, target
    from search_spaces.errors import unknown

    name = parse_target(text)
    if runtime is not None:
        chosen = next((each for each in RUNTIMES if each == runtime), None)
        if chosen is None:
            raise unknown("runtime", runtime, RUNTIMES)
        name = name._replace(runtime=chosen, layout=RUNTIME_LAYOUT[chosen])
    return target(name._replace(batch_size=batch or name.batch_size).text)


def _part(blocks: bool, kernels: bool) -> SubjectKind:
    from search_spaces.errors import UsageError

    if blocks and kernels:
        raise UsageError("give --blocks (or --block KIND) or --kernels, not both")
    return "kernel" if kernels else "block" if blocks else "network"


def _time(subjects: list[Subject], where: Target, budget_s: float, threads: int | None) -> list[dict[str, Any]]:
    from experiments.measuring import row_of, time_subject
    from predictors.timing import TimingPlan

    plan = TimingPlan(budget_s=budget_s)
    return [row_of(subject, where, time_subject(subject, where, plan, threads)) for subject in subjects]


def _keep(rows: list[dict[str, Any]], output: Path | None, storage: str | None, as_json: bool) -> None:
    """Print the rows, and write them to the file and the database that were named."""
    if output is not None:
        from experiments.measurement_rows import write_rows

        write_rows(rows, output)
    if storage is not None:
        from experiments.measurement_rows import store_rows

        with open_store(storage, DEFAULT_OUT, create=True) as store:
            store_rows(rows, store)
    if as_json:
        emit(rows)
        return
    print_table([{key: row[key] for key in SHOWN} for row in rows])
    for row in rows:
        if row["notes"]:
            print(f"{row['name']}: {row['notes']}")
