"""Do two independent measuring runs of the same networks agree? Each has a process and an order of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from predictors.machine_load import load_snapshot, other_load
from search_spaces.errors import UsageError

TARGET_TAU = 0.9
PROTOCOL = "visits in a new order each round; the latency is the 10th percentile of the runs"


@benchmarks.register("measurement")
def run(
    space: str = "ofa_mobilenet",
    form: str = "small_image",
    networks: int = 30,
    target: str = "cpu:fp32:b1",
    rounds: int = 20,
    runs: int = 5,
    threads: int = 1,
    seed: int = 0,
    table: str = "",
) -> dict[str, Any]:
    """Time random networks twice on a target that is here: Kendall's tau of the two runs, and how far they differ.

    Args:
        space: the networks are drawn from it at random.
        form: the form of the space, "" for its own default.
        networks: how many.
        target: where to time them.
        rounds: visits to each network in each of the two runs.
        runs: timed runs of a visit.
        threads: torch threads of a CPU, held on the idlest cores.
        seed: of the networks; the two runs visit them in orders of seed + 1 and seed + 2.
        table: a .csv or .parquet file to write the measured networks to, with both runs and what they depend on.
    """
    if networks < 2 or rounds < 2 or runs < 1:
        raise UsageError(f"networks {networks}, rounds {rounds}, runs {runs}: give at least 2, 2 and 1")
    from scipy.stats import kendalltau

    from experiments.machine import machine, versions

    settings = [space, form, networks, target, rounds, runs, threads, seed]
    before = load_snapshot()
    first, second = (_in_a_process([*settings, seed + number]) for number in (1, 2))
    load = other_load(before, load_snapshot())
    found: dict[str, NDArray[np.float64]] = {
        key: np.array([first[key], second[key]]) for key in ("latency_ms", "median_ms", "spread_ms")
    }
    low, median = found["latency_ms"], found["median_ms"]
    tau = float(kendalltau(*low).statistic)
    if table:
        _write_table(Path(table), target, threads, first, second, load)
    return {
        "benchmark": "measurement",
        "space": space,
        "networks": networks,
        "target": target,
        "protocol": f"{rounds} visits of {runs} runs: {PROTOCOL}",
        "kendall_tau": round(tau, 4),
        "target_tau": TARGET_TAU,
        "met": tau >= TARGET_TAU,
        "kendall_tau_of_medians": round(float(kendalltau(*median).statistic), 4),
        "median_relative_difference": round(float(np.median(np.abs(low[0] / low[1] - 1))), 4),
        "largest_relative_difference": round(float(np.max(np.abs(low[0] / low[1] - 1))), 4),
        "median_over_low_quantile": round(float(np.median(median / low)), 4),
        "latency_ms_range": [round(float(low.min()), 4), round(float(low.max()), 4)],
        "networks_ms": [
            {
                "first_ms": round(float(low[0, index]), 4),
                "second_ms": round(float(low[1, index]), 4),
                "spread_ms": round(float(found["spread_ms"][:, index].max()), 4),
            }
            for index in range(networks)
        ],
        "seconds": [round(first["seconds"], 1), round(second["seconds"], 1)],
        "other_work": load,
        "machine": machine(),
        "versions": versions(),
    }


def _write_table(
    path: Path, target: str, threads: int, first: dict[str, Any], second: dict[str, Any], load: str
) -> None:
    """Write one row a network: the better run of the two is its latency, the other stands beside it."""
    from experiments.machine import machine, versions
    from experiments.measurement_rows import write_rows

    runs = sorted((first, second), key=lambda run: sum(run["latency_ms"]))
    settings = {"num_threads": str(threads), "protocol": PROTOCOL, "other_work": load, **machine(), **versions()}
    rows = [
        {
            "architecture": architecture,
            "target": target,
            "latency_ms": runs[0]["latency_ms"][index],
            "latency_of_the_other_run_ms": runs[1]["latency_ms"][index],
            "median_ms": runs[0]["median_ms"][index],
            "spread_ms": runs[0]["spread_ms"][index],
            "obtained": "measured",
            "versions": settings,
        }
        for index, architecture in enumerate(first["architectures"])
    ]
    write_rows(rows, path)


def _in_a_process(arguments: Sequence[Any]) -> dict[str, Any]:
    """Return one measuring run of a fresh process: nothing is shared with the other run but the machine."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure_once, *arguments).result()


def measure_once(
    space: str, form: str, networks: int, target: str, rounds: int, runs: int, threads: int, seed: int, order_seed: int
) -> dict[str, Any]:
    """Return the latencies of ``networks`` random networks of a space, by one measuring run in this process."""
    import time

    from experiments.measuring import time_in_turn
    from experiments.subjects import network_subject
    from predictors.runtime import pinned_threads
    from predictors.target import target as make_target
    from search_spaces.spaces import space as make_space

    found, where = make_space(space, **({"form": form} if form else {})), make_target(target)
    start = time.perf_counter()
    drawn = found.decode(found.sample(np.random.default_rng(seed), networks))
    with pinned_threads(threads):
        subjects = (network_subject(each.key, found.blueprint(each)) for each in drawn)
        timed = time_in_turn(subjects, where, num_rounds=rounds, num_runs=runs, seed=order_seed, num_threads=threads)
    return {
        "architectures": [each.to_json() for each in drawn],
        "latency_ms": timed.latency_ms.tolist(),
        "median_ms": timed.median_ms.tolist(),
        "spread_ms": timed.spread_ms.tolist(),
        "seconds": time.perf_counter() - start,
    }
