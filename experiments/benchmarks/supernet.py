"""What a training step costs inside the shared weights, as a ratio to the same network alone, and masked beside it.

Forward and backward, interleaved in alternating order, all with batch statistics and channels-last images. The network
alone is the extracted plain module; masked is the widest network of its blocks, activations multiplied by 0 and 1, as
other systems train it. The optimiser's step (AdamW) is timed after each and added for the ratio of whole steps: inside,
it moves every shared tensor that the network uses, in full.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks import benchmarks
from experiments.machine import machine, versions
from experiments.talk import Talk
from nas.training.settings import TrainingSettings
from predictors.machine_load import load_snapshot, other_load
from predictors.runtime import pinned_threads
from search_spaces.architecture import Architecture
from search_spaces.block import cost
from search_spaces.errors import UsageError
from search_spaces.space import SearchSpace
from search_spaces.spaces import space

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from search_spaces.sharing import SharedWeights

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ofa_mobilenet imagenet": ("ofa_mobilenet", {"resolutions": (128, 144, 160)}),
    "autoformer tiny": ("autoformer", {"resolution": 96}),
    "autoformer small_image": ("autoformer", {"form": "small_image", "resolution": 32, "num_classes": 10}),
}
MIN_MACS = 10_000_000
TARGET_RATIO = 1.05
INSIDE, ALONE, MASKED = range(3)


@benchmarks.register("supernet")
def run(
    networks: int = 10,
    batch: int = 64,
    pairs: int = 5,
    masked_pairs: int = 1,
    threads: int = 0,
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, Any]:
    """Time training steps inside the shared weights against the same networks alone: median ratio of each case.

    Args:
        networks: random networks of at least 10 MMACs a case.
        batch: images a step.
        pairs: interleaved pairs a network, after one that warms up.
        masked_pairs: of them, those that time the masked network too; 0 leaves it out.
        threads: of torch; 0 keeps those that it has.
        device: ``cpu`` or ``cuda``.
        seed: of the networks, the weights and the images.
    """
    if min(networks, batch, pairs) < 1 or not 0 <= masked_pairs <= pairs:
        raise UsageError(
            f"networks is {networks}, batch {batch}, pairs {pairs}, masked_pairs {masked_pairs}: give at least 1 of "
            "the first three, and of the last 0 to pairs"
        )
    with pinned_threads(threads or None):
        before, talk = load_snapshot(), Talk()
        times = (pairs, masked_pairs)
        cases = [_case(name, networks, batch, times, device, seed, talk) for name in CASES]
        return {
            "benchmark": "supernet",
            "batch": batch,
            "pairs": pairs,
            "masked_pairs": masked_pairs,
            "device": device,
            "cases": cases,
            "target_ratio": TARGET_RATIO,
            "met": all(case["ratio"] <= TARGET_RATIO for case in cases),
            "other_work": other_load(before, load_snapshot()),
            "machine": machine(),
            "versions": versions(),
        }


def _case(
    name: str, num: int, batch: int, times: tuple[int, int], device: str, seed: int, talk: Talk
) -> dict[str, Any]:
    from search_spaces.sharing import SharedWeights
    from search_spaces.testing import example

    kind, settings = CASES[name]
    found = space(kind, **settings)
    shared = SharedWeights(found, seed, device)
    measured, macs = [], []
    for number, architecture in enumerate(_networks(found, num, seed)):
        blueprint = found.blueprint(architecture)
        x = example(blueprint, batch, seed + number).to(device)
        measured.append(_milliseconds(_variants(shared, architecture, x), *times))
        macs.append(cost(blueprint).macs / 1e6)
        talk.say(f"{name}: network {number + 1} of {num}, ratio {np.median(_ratios(measured[-1])):.3f}")
    return {"case": name, "networks": num, "mmacs": _spread(macs), **_summary(measured)}


def _summary(measured: list[NDArray[np.float64]]) -> dict[str, Any]:
    """Return the figures of a case from the milliseconds of its networks, each (pairs, variants, 2)."""
    ratios = [float(np.median(_ratios(each))) for each in measured]
    every = np.concatenate([_ratios(each) for each in measured])
    steps = [float(np.median(_ratios(each.sum(axis=2, keepdims=True)))) for each in measured]
    inside_ms, alone_ms = np.median(np.concatenate(measured)[:, :MASKED, 0], axis=0)
    found = {
        "ratio": round(float(np.median(ratios)), 4),
        "ratio_of_networks": [round(min(ratios), 4), round(max(ratios), 4)],
        "ratio_of_pairs_quartiles": [round(float(value), 4) for value in np.quantile(every, (0.25, 0.75))],
        "ratio_with_optimiser": round(float(np.median(steps)), 4),
        "inside_ms": round(float(inside_ms), 2),
        "alone_ms": round(float(alone_ms), 2),
    }
    masked = [float(np.nanmedian(_ratios(each, MASKED))) for each in measured if np.isfinite(each[0, MASKED, 0])]
    if masked:
        found["masked_ratio"] = round(float(np.median(masked)), 4)
        found["masked_ratio_of_networks"] = [round(min(masked), 4), round(max(masked), 4)]
        found["masked_ms"] = round(float(np.nanmedian(np.concatenate(measured)[:, MASKED, 0])), 2)
    return found


def _spread(values: list[float]) -> list[float]:
    """Return the least, the median and the largest value."""
    return [round(value, 1) for value in (min(values), float(np.median(values)), max(values))]


def _networks(found: SearchSpace, num: int, seed: int) -> Iterator[Architecture]:
    """Yield ``num`` random networks of at least ``MIN_MACS``."""
    rng, given = np.random.default_rng(seed), 0
    while given < num:
        (architecture,) = found.decode(found.sample(rng, 1))
        if cost(found.blueprint(architecture)).macs >= MIN_MACS:
            given += 1
            yield architecture


@dataclass(frozen=True)
class _Variant:
    """One way to train a network: its forward pass on the images, its parameters by name and their optimiser."""

    forward: Callable[[], Tensor]
    parameters: dict[str, nn.Parameter]
    optimiser: torch.optim.Optimizer


def _variants(shared: SharedWeights, architecture: Architecture, x: Tensor) -> tuple[_Variant, ...]:
    """Return the three ways: inside, alone, masked."""
    from experiments.masked import masked_network
    from search_spaces.building import set_mode

    blueprint = shared.space.blueprint(architecture)
    alone = shared.extract(blueprint, statistics=shared.new_statistics(blueprint, x.device))
    set_mode(alone, "train")
    masked = masked_network(shared, architecture)
    return (
        _variant(lambda: shared.run(blueprint, x), shared.tensors),
        _variant(lambda: alone(x), dict(alone.named_parameters())),
        _variant(lambda: masked(x), dict(masked.named_parameters())),
    )


def _variant(forward: Callable[[], Tensor], parameters: dict[str, nn.Parameter]) -> _Variant:
    from nas.training.optimiser import make_optimiser

    return _Variant(forward, parameters, make_optimiser(parameters, TrainingSettings()))


def _milliseconds(variants: tuple[_Variant, ...], pairs: int, masked_pairs: int) -> NDArray[np.float64]:
    """Return (pairs, variants, 2) milliseconds: of forward and backward, and of the optimiser; NaN: not timed.

    One pair more warms up and is left out.
    """
    times = np.full((pairs + 1, len(variants), 2), np.nan)
    for pair in range(pairs + 1):
        order = (INSIDE, ALONE) if pair % 2 else (ALONE, INSIDE)
        for which in (*order, MASKED) if 1 <= pair <= masked_pairs else order:
            times[pair, which] = _step_ms(variants[which])
    return times[1:]


def _step_ms(variant: _Variant) -> tuple[float, float]:
    """Return the milliseconds of forward and backward, and of the optimiser's step."""
    import torch
    from torch import nn

    variant.optimiser.zero_grad(set_to_none=True)
    parameter = next(iter(variant.parameters.values()))
    start = _now(parameter)
    logits = variant.forward()
    labels = torch.arange(len(logits), device=logits.device) % logits.shape[1]
    torch.autograd.backward(nn.functional.cross_entropy(logits, labels))
    middle = _now(parameter)
    variant.optimiser.step()
    return 1e3 * (middle - start), 1e3 * (_now(parameter) - middle)


def _now(parameter: Tensor) -> float:
    """Return the clock once the device has done what it was given."""
    if parameter.is_cuda:
        import torch

        torch.cuda.synchronize(parameter.device)
    return time.perf_counter()


def _ratios(times: NDArray[np.float64], which: int = INSIDE) -> NDArray[np.float64]:
    """Return the milliseconds of a variant over those of the network alone, (pairs,)."""
    return np.asarray(times[:, which, 0] / times[:, ALONE, 0])
