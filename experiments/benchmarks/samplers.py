"""Samplers side by side on Fashion-MNIST at equal compute: images x networks passed forward and backward.

Each sampler gets the learning rate and the number of networks a step (so of optimiser steps) that do best in short runs
on the validation images; then the runs that count are judged on 2,000 test images that no choice has seen, by the
hypervolume of the same 50 networks. Runs of one seed are paired: same initial weights, same order of images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from experiments.benchmarks import benchmarks
from experiments.equal_compute import IMAGES, REFERENCE_ERROR_PERCENT, SPACE, Run, train_and_judge
from experiments.journal import Journal
from experiments.talk import Talk
from search_spaces.errors import UsageError

LEAST_NETWORKS = {"sandwich": 3}
"""Networks a step below which a sampler is another one: without a random network there is no sandwich."""
TUNING_SEED = 1000
"""The short runs' seed, of which no run that counts has weights or order."""


@benchmarks.register("samplers")
def run(
    folder: Path,
    data: Path,
    samplers: str = "sorted,sandwich,shiftnas,uniform",
    learning_rates: str = "0.004,0.008,0.016,0.032",
    networks_per_step: str = "4,2",
    network_images: int = 400_000,
    tuning_images: int = 100_000,
    seeds: int = 3,
    batch: int = 64,
    processes: int = 2,
) -> dict[str, Any]:
    """Compare samplers at equal compute on Fashion-MNIST: hypervolume over seeds, and whether differences are real.

    Args:
        folder: of the finished runs: a run that was killed goes on from them.
        data: folder of the four original files of Fashion-MNIST.
        samplers: compared, separated by commas; the sandwich distils in place.
        learning_rates: tried for each, at the first number of networks a step.
        networks_per_step: tried for each, the others than the first at its best learning rate; a sampler that takes
            more at least (sandwich: 3) gets that instead.
        network_images: compute of each run that counts: images x networks passed forward and backward.
        tuning_images: likewise of each short run.
        seeds: of the runs that count.
        batch: images of one network's forward pass.
        processes: runs at a time, each on one thread.
    """
    names, rates = _listed("samplers", samplers, str), _listed("learning_rates", learning_rates, float)
    widths = _listed("networks_per_step", networks_per_step, int)
    if min(network_images, tuning_images, seeds, batch, processes) < 1:
        raise UsageError(
            f"network_images is {network_images}, tuning_images {tuning_images}, seeds {seeds}, batch {batch}, "
            f"processes {processes}: give at least 1 of each"
        )
    work = _Work(Journal(folder / "runs.jsonl"), str(data), processes)
    first = [
        Run(name, _width(name, widths[0]), rate, batch, tuning_images, TUNING_SEED, "validation")
        for name in names
        for rate in rates
    ]
    best = work.best(first)
    others = [
        replace(best[name], networks_per_step=width)
        for name in names
        for width in sorted({_width(name, each) for each in widths} - {best[name].networks_per_step})
    ]
    best = work.best([*first, *others])
    final = [
        replace(best[name], network_images=network_images, seed=seed, split="test")
        for seed in range(seeds)
        for name in names
    ]
    results = work.done(final)
    return _findings(names, final, results, [*first, *others], work)


def _width(sampler: str, width: int) -> int:
    return max(width, LEAST_NETWORKS.get(sampler, 1))


class _Work:
    """Runs, done at most once: those in the journal are read from it."""

    def __init__(self, journal: Journal, data: str, processes: int) -> None:
        self._journal, self._data, self._processes, self._talk = journal, data, processes, Talk()

    def done(self, runs: Sequence[Run]) -> list[dict[str, Any]]:
        """Return the result of each run."""
        from experiments.workers import run_jobs

        missing = [(run, self._data) for run in runs if self._journal.get(asdict(run)) is None]
        for number, ((run, _), result) in enumerate(run_jobs(train_and_judge, missing, self._processes), start=1):
            self._journal.add(asdict(run), result)
            self._talk.say(f"{number} of {len(missing)}: {run.label}: hypervolume {result['hypervolume']:.4f}")
        found = [self._journal.get(asdict(run)) for run in runs]
        return [row for row in found if row is not None]

    def best(self, runs: Sequence[Run]) -> dict[str, Run]:
        """Return each sampler's run of the largest hypervolume."""
        found: dict[str, tuple[float, Run]] = {}
        for run, result in zip(runs, self.done(runs), strict=True):
            if run.sampler not in found or result["hypervolume"] > found[run.sampler][0]:
                found[run.sampler] = (result["hypervolume"], run)
        return {name: run for name, (_, run) in found.items()}


def _findings(
    names: Sequence[str], final: Sequence[Run], results: Sequence[dict[str, Any]], tuning: Sequence[Run], work: _Work
) -> dict[str, Any]:
    import numpy as np

    from experiments.machine import machine, versions

    rows = {name: [r for run, r in zip(final, results, strict=True) if run.sampler == name] for name in names}
    volumes = {name: np.array([row["hypervolume"] for row in rows[name]]) for name in names}
    winner = max(names, key=lambda name: volumes[name].mean())
    table = []
    for name in names:
        run = next(run for run in final if run.sampler == name)
        table.append(
            {
                "sampler": name,
                "learning_rate": run.learning_rate,
                "networks_per_step": run.networks_per_step,
                **_means(rows[name]),
                **spread("hypervolume", volumes[name]),
                **behind(volumes[winner] - volumes[name]),
            }
        )
    return {
        "benchmark": "samplers",
        "space": SPACE,
        "data": IMAGES,
        "reference": f"{REFERENCE_ERROR_PERCENT:g} % error, MACs of the largest network; volume as a share of it",
        "network_images": final[0].network_images,
        "seeds": sorted({run.seed for run in final}),
        "winner": winner,
        "exceeds_spread": {row["sampler"]: row["exceeds_spread"] for row in table if row["sampler"] != winner},
        "samplers": table,
        "runs": [
            {"sampler": run.sampler, "seed": run.seed, "hypervolume": round(row["hypervolume"], 4)}
            for run, row in zip(final, results, strict=True)
        ],
        "tuning": [
            {
                "sampler": run.sampler,
                "learning_rate": run.learning_rate,
                "networks_per_step": run.networks_per_step,
                "hypervolume": round(row["hypervolume"], 4),
            }
            for run, row in zip(tuning, work.done(tuning), strict=True)
        ],
        "machine": machine(),
        "versions": versions(),
    }


def _means(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the compute of a sampler's runs was, and the accuracies beside the volume, as means over seeds."""
    import numpy as np

    def mean(key: str, digits: int) -> float:
        return round(float(np.mean([row[key] for row in rows])), digits)

    return {
        "num_steps": rows[0]["num_steps"],
        "forward_backward_images": round(mean("forward_backward_images", 0)),
        "extra_forward_images": round(mean("forward_images", 0)),
        "mmacs_an_image": mean("mmacs_an_image", 3),
        "seconds": mean("seconds", 1),
        **{f"{name}_accuracy": mean(f"{name}_accuracy", 2) for name in ("smallest", "mean", "largest")},
    }


def spread(name: str, values: Any) -> dict[str, Any]:
    """Return mean and standard deviation (of a sample) of ``values``; None for one value alone."""
    import numpy as np

    deviation = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
    return {name: round(float(np.mean(values)), 4), f"{name}_sd": deviation}


def behind(differences: Any) -> dict[str, Any]:
    """Return mean and spread of paired differences to the winner, and whether the one exceeds the other.

    It does where the mean is larger than the standard deviation over seeds and the winner is ahead in each of them.
    """
    import numpy as np

    found = spread("behind", differences)
    more = len(differences) > 1 and float(np.mean(differences)) > float(np.std(differences, ddof=1))
    return {**found, "exceeds_spread": bool(more and np.min(differences) > 0)}


def _listed(name: str, text: str, kind: Any) -> list[Any]:
    """Return the values of a comma-separated list.

    Raises:
        UsageError: it holds none, one twice, or one that is not of ``kind``.
    """
    try:
        found = [kind(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UsageError(f"{name} got {text!r}: give {kind.__name__} values separated by commas") from None
    if not found or len(set(found)) < len(found):
        raise UsageError(f"{name} got {text!r}: give at least one, each once, separated by commas")
    return found
