"""Do networks rank inside the shared weights as they do when each is trained alone? Kendall's tau, and the gap.

Members are drawn at random and trained alone by the study's own trainer, recipe and number of images; both accuracies
are of the test images, with BatchNorm statistics of the calibration images.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.alone import AloneRun, finished, inherited_accuracies, recipe, trained_study
from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError

BAND_SAMPLE = 20_000


@benchmarks.register("ranking")
def run(
    config: Path,
    out: Path = Path("runs"),
    settings: str = "",
    members: int = 10,
    images: int = 0,
    learning_rate: float = 0.0,
    seed: int = 0,
    processes: int = 2,
    mmacs: float = 0.0,
    tolerance: float = 0.2,
) -> dict[str, Any]:
    """Train random networks of a study alone: Kendall's tau of inherited and own accuracies, and the gap.

    Args:
        config: TOML file of the study; its supernetwork is trained first as far as it is not.
        out: folder of all studies; members that are finished are kept there, and a run that was killed goes on.
        settings: overrides, separated by spaces: "data.path=FOLDER training.epochs=3".
        members: random networks to train alone.
        images: passed forward and backward by each member alone; 0 is as many as the whole supernetwork took.
        learning_rate: of the members; 0 is the study's.
        seed: of the members and of their weights.
        processes: members at a time, each on one thread.
        mmacs: members are drawn near so many million MACs; 0 is anywhere.
        tolerance: how far from it, as a share.
    """
    if min(members, processes) < 1 or min(images, seed, learning_rate, mmacs, tolerance) < 0:
        raise UsageError(
            f"members is {members}, processes {processes}, images {images}, learning_rate {learning_rate:g}, seed "
            f"{seed}, mmacs {mmacs:g}, tolerance {tolerance:g}: give at least 1 of the first two and no negative number"
        )
    from experiments.config import read_config
    from experiments.machine import machine, versions

    found = read_config(config, shlex.split(settings))
    with trained_study(found, out) as (context, trained):
        band = (mmacs * (1 - tolerance), mmacs * (1 + tolerance)) if mmacs else None
        architectures = context.space.decode(random_members(context.space, members, seed, band))
        inherited = [inherited_accuracies(context, trained, each)["test"] for each in architectures]
        num_images, folder = images or trained.points[-1]["network_images"], context.folder / "alone"
        blueprints = [context.space.blueprint(each) for each in architectures]
    rate = learning_rate or found.training.learning_rate
    content = found.model_dump(mode="json")
    runs = [AloneRun(content, dict(each.choices), rate, num_images, seed, folder) for each in architectures]
    alone = [row["test_accuracy"] for row in finished(runs, folder, processes)]
    return {
        "benchmark": "ranking",
        "study": found.name,
        "recipe_alone": recipe(found, rate, num_images),
        "accuracy_of": "test images, percent",
        **agreement(inherited, alone),
        "networks": _rows(architectures, blueprints, inherited, alone),
        "machine": machine(),
        "versions": versions(),
    }


def random_members(space: Any, num: int, seed: int, band: tuple[float, float] | None = None) -> Any:
    """Return the genes of ``num`` distinct random networks, of million MACs within ``band`` if that is given.

    Raises:
        UsageError: the space holds fewer, or a sample of it has too few within the band.
    """
    import numpy as np

    from search_spaces.population import PopulationCost

    if num > space.size():
        raise UsageError(f"members is {num}: the space holds {space.size()} networks: give at most so many")
    rng = np.random.default_rng(seed)
    if band is not None:
        sample = np.unique(space.sample(rng, BAND_SAMPLE), axis=0)
        mmacs = PopulationCost(space).counts(sample)[:, 1] / 1e6
        within = sample[(mmacs >= band[0]) & (mmacs <= band[1])]
        if len(within) < num:
            raise UsageError(
                f"{len(within)} of {len(sample)} random networks have {band[0]:g} to {band[1]:g} million MACs, the "
                f"median has {np.median(mmacs):.3g}: give another mmacs, a larger tolerance or fewer members than {num}"
            )
        return rng.permutation(within)[:num]
    rows: dict[tuple[int, ...], None] = {}
    while len(rows) < num:
        rows |= dict.fromkeys(map(tuple, space.sample(rng, num).tolist()))
    return np.array(list(rows)[:num], dtype=np.int16)


def agreement(inherited: Sequence[float], alone: Sequence[float]) -> dict[str, Any]:
    """Return Kendall's tau-b, and mean, standard deviation and range of alone minus inherited, in points.

    Tau is None where it is not defined: for a single network, or when all have one accuracy.
    """
    import numpy as np
    from scipy.stats import kendalltau

    gap = np.subtract(alone, inherited)
    varied = min(len(set(inherited)), len(set(alone))) > 1
    tau = float(kendalltau(inherited, alone).statistic) if varied else None
    return {
        "kendall_tau": None if tau is None else round(tau, 3),
        "gap_mean": round(float(gap.mean()), 3),
        "gap_sd": round(float(gap.std(ddof=1)), 3) if len(gap) > 1 else None,
        "gap_range": [round(float(gap.min()), 3), round(float(gap.max()), 3)],
    }


def _rows(architectures: Any, blueprints: Any, inherited: Any, alone: Any) -> list[dict[str, Any]]:
    from search_spaces.block import cost

    rows = zip(architectures, blueprints, inherited, alone, strict=True)
    return [
        {
            "network": architecture.key[:12],
            "mmacs": round(cost(blueprint).macs / 1e6, 3),
            "inherited": round(before, 2),
            "alone": round(after, 2),
        }
        for architecture, blueprint, before, after in rows
    ]
