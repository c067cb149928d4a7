"""Contract checks of a search space: ``check_space(space("mine"))``. Each raises AssertionError that says what broke.

They hold what the rest of the software relies on: populations are canonical, sizes and costs exact, every network runs
inside the shared weights exactly as it runs alone. ``testing_blocks.check_block`` does the same for a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces.block import cost
from search_spaces.blueprint import Blueprint
from search_spaces.building import NORMS, block_in_mode, set_mode
from search_spaces.layers import COUNTING
from search_spaces.layout import layout_of, selects
from search_spaces.population import PopulationCost
from search_spaces.sharing import SharedWeights
from search_spaces.space import Genes, SearchSpace

MAX_ENUMERATED = 200_000


def check_space(space: SearchSpace, num: int = 20, seed: int = 0, device: str = "cpu") -> None:
    """Run every check of this file on ``num`` random networks, which compute on ``device``."""
    check_encoding(space, num, seed)
    check_operators(space, num, seed)
    check_size(space)
    check_costs(space, num, seed)
    shared = shaken(SharedWeights(space, seed, device), seed)
    check_covering(shared, max(num, 100), seed)
    check_outputs(shared, num, seed)
    check_gradients(shared, min(num, 3), seed)


def check_encoding(space: SearchSpace, num: int, seed: int = 0) -> None:
    """Check that rows, architectures, JSON and keys name the same networks, whatever inactive knobs hold."""
    rng = np.random.default_rng(seed)
    genes = space.sample(rng, num)
    _assert_canonical(space, genes)
    architectures = space.decode(genes)
    assert np.array_equal(space.encode(architectures), genes), "encode(decode(genes)) is not genes"
    for architecture in architectures:
        assert space.architecture(architecture.values) == architecture, "architecture(values) is another network"
        assert space.read(architecture.to_json()) == architecture, "read(to_json()) is another network"
    noise = rng.integers(0, space.num_choices, size=genes.shape, dtype=np.int16)
    noisy = space.decode(np.where(genes < 0, noise, genes))
    keys = [architecture.key for architecture in architectures]
    assert [architecture.key for architecture in noisy] == keys, "an inactive knob changes a key"
    assert len(set(keys)) == len(np.unique(genes, axis=0)), "two networks have one key"
    assert np.array_equal(space.one_hot(genes).sum(1), (genes >= 0).sum(1)), "one_hot marks inactive knobs"


def check_operators(space: SearchSpace, num: int, seed: int = 0) -> None:
    """Check that mutation and crossover give canonical networks of the space and repeat under a seed."""
    mothers, fathers = (space.sample(np.random.default_rng(seed + shift), num) for shift in (1, 2))
    for probability in (0.0, 0.1, 1.0):
        once, again = (space.mutate(np.random.default_rng(seed), mothers, probability) for _ in range(2))
        _assert_canonical(space, once)
        assert np.array_equal(once, again), "mutate does not repeat under its seed"
    unchanged = space.mutate(np.random.default_rng(seed), mothers, 0.0)
    assert np.array_equal(unchanged, mothers), "mutate with probability 0 changes a network"
    child = space.crossover(np.random.default_rng(seed), mothers, fathers)
    _assert_canonical(space, child)
    known = (child >= 0) & ((mothers >= 0) | (fathers >= 0))
    inherited = (child == mothers) | (child == fathers)
    assert inherited[known].all(), "crossover gives a value that neither parent has"
    same = space.crossover(np.random.default_rng(seed), mothers, mothers)
    assert np.array_equal(same, mothers), "crossover of a network with itself is another network"


def check_size(space: SearchSpace) -> None:
    """Check ``size()`` against the number of distinct canonical rows, where the space is small enough to list."""
    combinations = prod(space.num_choices.tolist())
    assert 1 <= space.size() <= combinations, f"size() is {space.size()}, of {combinations} combinations"
    if combinations <= MAX_ENUMERATED:
        every = np.indices(space.num_choices.tolist(), dtype=np.int16).reshape(len(space.knobs), -1).T
        found = len(np.unique(space.canonical(every), axis=0))
        assert space.size() == found, f"size() is {space.size()}, by enumeration {found}"


def check_costs(space: SearchSpace, num: int, seed: int = 0) -> None:
    """Check that the tables of ``PopulationCost`` give what counting each network alone gives, under every rule."""
    ends = space.encode([space.smallest(), space.largest()])
    genes = np.concatenate([ends, space.sample(np.random.default_rng(seed), num)])
    blueprints = [space.blueprint(architecture) for architecture in space.decode(genes)]
    for counting in COUNTING:
        tables = PopulationCost(space, counting)
        counts, peaks = tables.counts(genes).tolist(), tables.peak_memory_bytes(genes).tolist()
        for blueprint, count, peak in zip(blueprints, counts, peaks, strict=True):
            alone = cost(blueprint, counting)
            expected = [alone.params, alone.macs, alone.activations]
            assert count == expected, f"{counting}: the tables count {count}, the layers {expected}: see position_knobs"
            assert peak == alone.peak_memory_bytes, f"peak memory: tables {peak}, layers {alone.peak_memory_bytes}"


def check_covering(shared: SharedWeights, num: int = 100, seed: int = 0) -> None:
    """Check that every tensor of ``num`` random networks lies in the shared ones; an error names one that does not."""
    for blueprint in _blueprints(shared.space, num, seed):
        shared.parts(blueprint, shared.tensors)


def check_outputs(shared: SharedWeights, num: int, seed: int = 0, batch: int = 2) -> None:
    """Check that a network inside the shared weights gives, bit for bit, what the extracted plain module gives."""
    for number, blueprint in enumerate(_blueprints(shared.space, num, seed)):
        _assert_no_constants(blueprint)
        x = example(blueprint, batch, seed + number).to(device_of(shared))
        statistics = shared.new_statistics(blueprint, x.device)
        with torch.no_grad():
            shared.run(blueprint, x, "calibrate", statistics=statistics)
            inside = shared.run(blueprint, x, "evaluate", statistics=statistics)
            alone = shared.extract(blueprint, statistics=statistics)(x)
        assert inside.device == x.device, f"the output is on {inside.device}: a constant was made on another device"
        assert inside.shape == (batch, blueprint.num_classes), f"the output has shape {tuple(inside.shape)}"
        assert bool(inside.isfinite().all()), "the output is not finite"
        assert torch.equal(inside, alone), "inside the shared weights and alone differ"


def check_gradients(shared: SharedWeights, num: int, seed: int = 0, batch: int = 8) -> None:
    """Check that gradients equal the network's alone bit for bit, are exactly zero outside, and add up."""
    blueprints = list(_blueprints(shared.space, num, seed))
    total: dict[str, Tensor] = {}
    for number, blueprint in enumerate(blueprints):
        inside = _gradients(shared, [(blueprint, seed + number)], batch)
        _assert_gradients_alone(shared, blueprint, inside, seed + number, batch)
        for name, gradient in inside.items():
            total[name] = total[name] + gradient if name in total else gradient
    together = _gradients(shared, [(blueprint, seed + number) for number, blueprint in enumerate(blueprints)], batch)
    assert set(together) == set(total), "accumulated gradients reach other tensors than separate ones"
    for name, gradient in together.items():
        assert torch.equal(gradient, total[name]), f"{name}: accumulated gradients are not the sum of separate ones"


def shaken(shared: SharedWeights, seed: int) -> SharedWeights:
    """Return ``shared`` with noise on every tensor, so that no bias is 0 and no norm's weight 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in shared.tensors.values():
            tensor.add_(0.05 * torch.randn(tensor.shape, generator=generator).to(tensor.device))
    return shared


def device_of(shared: SharedWeights) -> torch.device:
    """Return where the shared tensors are."""
    return next(iter(shared.tensors.values())).device


def example(blueprint: Blueprint, batch: int, seed: int) -> Tensor:
    """Return random images of the blueprint's shape, channels last."""
    shape = (batch, blueprint.in_channels, *blueprint.resolution)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return images.contiguous(memory_format=torch.channels_last)


def _assert_gradients_alone(
    shared: SharedWeights, blueprint: Blueprint, inside: dict[str, Tensor], seed: int, batch: int
) -> None:
    device = device_of(shared)
    network = shared.extract(blueprint, statistics=shared.new_statistics(blueprint, device))
    set_mode(network, "train")
    torch.autograd.backward(_loss(network(example(blueprint, batch, seed).to(device))))
    outside = {name: gradient.clone() for name, gradient in inside.items()}
    places = {
        name: torch.arange(tensor.numel(), dtype=torch.float64, device=device).view(tensor.shape)
        for name, tensor in shared.tensors.items()
    }
    parts = shared.parts(blueprint, places)
    sources = shared.sources(blueprint)
    reached = {name for names in sources.values() for name in names if shared.tensors[name].requires_grad}
    assert set(inside) == reached, "gradients reach other tensors than the network's"
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad == shared.tensors[name].requires_grad, f"{name}: one of them is not trained"
        if not parameter.requires_grad:
            continue
        if not selects(shared.layouts[name], layout_of(parameter)):
            for source in sources[name]:
                _assert_gradient_through(shared, blueprint, (name, source), inside[source], parameter.grad)
            continue
        place = parts[name].long()
        found = inside[name].flatten()[place]
        assert parameter.grad is not None, f"{name}: the network alone gives no gradient"
        assert bool(found.isfinite().all()), f"{name}: the gradient is not finite"
        assert torch.equal(found, parameter.grad), f"{name}: gradients inside and alone differ"
        outside[name].view(-1)[place.flatten()] = 0
        assert not outside[name].any(), f"{name}: the gradient is not zero outside the network's part"


def _assert_gradient_through(
    shared: SharedWeights, blueprint: Blueprint, names: tuple[str, str], inside: Tensor, alone: Tensor | None
) -> None:
    """Check a parameter that is a function of a shared tensor (name, source): its gradient, brought back."""
    name, source = names
    assert alone is not None, f"{name}: the network alone gives no gradient"
    part = shared.parts(blueprint, shared.tensors)[name]
    (brought,) = torch.autograd.grad(part, shared.tensors[source], alone)
    assert torch.equal(brought, inside), f"{source}: gradients inside and alone differ"


def _gradients(shared: SharedWeights, networks: list[tuple[Blueprint, int]], batch: int) -> dict[str, Tensor]:
    """Return the gradients of the summed losses of ``networks`` (blueprint, seed of its images), accumulated."""
    for tensor in shared.tensors.values():
        tensor.grad = None
    for blueprint, seed in networks:
        torch.autograd.backward(_loss(shared.run(blueprint, example(blueprint, batch, seed).to(device_of(shared)))))
    found = {name: tensor.grad for name, tensor in shared.tensors.items() if tensor.grad is not None}
    for tensor in shared.tensors.values():
        tensor.grad = None
    return found


def _loss(logits: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device) % logits.shape[1])


def _blueprints(space: SearchSpace, num: int, seed: int) -> Iterator[Blueprint]:
    return map(space.blueprint, space.decode(space.sample(np.random.default_rng(seed), num)))


def _assert_canonical(space: SearchSpace, genes: Genes) -> None:
    assert np.array_equal(space.canonical(genes), genes), "the rows are not canonical"
    assert np.array_equal(genes >= 0, space.active(genes)), "active knobs lack a value or inactive ones have one"


def _assert_no_constants(blueprint: Blueprint) -> None:
    """Raise where a block keeps a tensor that is neither parameter nor norm statistics: under meta it has no values."""
    for placed in blueprint.placed():
        for path, module in block_in_mode(placed, "evaluate").named_modules():
            kept = [name for name, value in vars(module).items() if isinstance(value, Tensor)]
            buffers = [] if isinstance(module, NORMS) else list(module._buffers)
            names = [f"{path}.{name}" for name in kept + buffers]
            assert not names, f"{placed.kind} keeps constant {names[0]}: make it in forward, on the data's device"
