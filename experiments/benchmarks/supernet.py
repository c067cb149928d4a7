"""What a training step costs inside the shared weights, as a ratio to the same network alone.

Forward and backward, interleaved pairs in alternating order, both with batch statistics and channels-last images. The
network alone is the extracted plain module; nothing else differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from experiments.talk import Talk
from predictors.machine_load import load_snapshot, other_load
from predictors.runtime import pinned_threads
from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import set_mode
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace
from search_spaces.spaces import space
from search_spaces.testing import example

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ofa_mobilenet imagenet": ("ofa_mobilenet", {"resolutions": (128, 144, 160)}),
    "autoformer tiny": ("autoformer", {"resolution": 96}),
    "autoformer small_image": ("autoformer", {"form": "small_image", "resolution": 32, "num_classes": 10}),
}
MIN_MACS = 10_000_000
TARGET_RATIO = 1.10


@benchmarks.register("supernet")
def run(
    networks: int = 10, batch: int = 64, pairs: int = 5, threads: int = 0, device: str = "cpu", seed: int = 0
) -> dict[str, Any]:
    """Return the ratio of each case: the median over random networks of the median over pairs.

    Args:
        networks: random networks of at least 10 MMACs a case.
        batch: images a step.
        pairs: interleaved pairs a network, after one that warms up.
        threads: of torch; 0 keeps those that it has.
        device: ``cpu`` or ``cuda``.
        seed: of the networks, the weights and the images.
    """
    if min(networks, batch, pairs) < 1:
        raise UsageError(f"networks is {networks}, batch {batch}, pairs {pairs}: give at least 1 of each")
    with pinned_threads(threads or None):
        before, talk = load_snapshot(), Talk()
        cases = [_case(name, networks, batch, pairs, device, seed, talk) for name in CASES]
        return {
            "benchmark": "supernet",
            "batch": batch,
            "pairs": pairs,
            "device": device,
            "cases": cases,
            "target_ratio": TARGET_RATIO,
            "met": all(case["ratio"] <= TARGET_RATIO for case in cases),
            "other_work": other_load(before, load_snapshot()),
            "machine": machine(),
            "versions": versions(),
        }


def _case(name: str, num: int, batch: int, pairs: int, device: str, seed: int, talk: Talk) -> dict[str, Any]:
    kind, settings = CASES[name]
    found = space(kind, **settings)
    shared = SharedWeights(found, seed, device)
    blueprints = list(_networks(found, num, seed))
    measured = []
    for number, blueprint in enumerate(blueprints):
        measured.append(_pairs_ms(shared, blueprint, example(blueprint, batch, seed + number).to(device), pairs))
        talk.say(f"{name}: network {number + 1} of {num}, ratio {np.median(_ratios(measured[-1])):.3f}")
    ratios = [float(np.median(_ratios(each))) for each in measured]
    every = np.concatenate([_ratios(each) for each in measured])
    macs = [cost(blueprint).macs / 1e6 for blueprint in blueprints]
    inside_ms, alone_ms = np.median(np.concatenate(measured), axis=0)
    return {
        "case": name,
        "networks": num,
        "mmacs": [round(value, 1) for value in (min(macs), float(np.median(macs)), max(macs))],
        "ratio": round(float(np.median(ratios)), 4),
        "ratio_of_networks": [round(min(ratios), 4), round(max(ratios), 4)],
        "ratio_of_pairs_quartiles": [round(float(value), 4) for value in np.quantile(every, (0.25, 0.75))],
        "inside_ms": round(float(inside_ms), 2),
        "alone_ms": round(float(alone_ms), 2),
    }


def _networks(found: SearchSpace, num: int, seed: int) -> Iterator[Blueprint]:
    """Yield ``num`` random networks of at least ``MIN_MACS``."""
    rng, given = np.random.default_rng(seed), 0
    while given < num:
        blueprint = found.blueprint(found.decode(found.sample(rng, 1))[0])
        if cost(blueprint).macs >= MIN_MACS:
            given += 1
            yield blueprint


def _pairs_ms(shared: SharedWeights, blueprint: Blueprint, x: Tensor, pairs: int) -> NDArray[np.float64]:
    """Return (pairs, 2) milliseconds of a step: inside, alone."""
    network = shared.extract(blueprint, statistics=shared.new_statistics(blueprint, x.device))
    set_mode(network, "train")
    parameters = [*shared.tensors.values(), *network.parameters()]
    steps: tuple[Callable[[], Tensor], ...] = (lambda: shared.run(blueprint, x), lambda: network(x))
    times = np.empty((pairs + 1, 2))
    for pair in range(pairs + 1):
        for which in (0, 1) if pair % 2 else (1, 0):
            times[pair, which] = _step_ms(steps[which], parameters)
    return times[1:]


def _step_ms(forward: Callable[[], Tensor], parameters: list[nn.Parameter]) -> float:
    for parameter in parameters:
        parameter.grad = None
    start = _now(parameters[0])
    logits = forward()
    labels = torch.arange(len(logits), device=logits.device) % logits.shape[1]
    torch.autograd.backward(nn.functional.cross_entropy(logits, labels))
    return 1e3 * (_now(parameters[0]) - start)


def _now(parameter: Tensor) -> float:
    """Return the clock once the device has done what it was given."""
    if parameter.is_cuda:
        torch.cuda.synchronize(parameter.device)
    return time.perf_counter()


def _ratios(times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(times[:, 0] / times[:, 1])
