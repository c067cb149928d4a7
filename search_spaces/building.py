"""From a blueprint to an ordinary ``torch.nn.Module``; on the meta device, blocks are cached by place and settings.

Initialisation is one rule, used for stand-alone networks and for shared tensors alike: by the kind of module that owns
the parameter, each tensor from a generator of its own (seed and name), at whatever shape it has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from search_spaces.block import module_of
from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.pyramid import Pyramid

Mode = Literal["train", "calibrate", "evaluate"]
"""``train``: batch statistics, nothing updated. ``calibrate``: running statistics are cumulative averages.
``evaluate``: running statistics are used."""

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Network(nn.Module):
    """Stem, blocks and head in order. Parameters are named by role: ``stage2.block3.mbconv.expand.conv.weight``."""

    def __init__(self, modules: list[tuple[PlacedBlock, nn.Module]]) -> None:
        super().__init__()
        self._order = modules
        for placed, module in modules:
            parent: nn.Module = self
            for part in placed.name.split("."):
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = parent.get_submodule(part)
            parent.add_module(placed.kind, module)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head gives for images (N, C, H, W)."""
        return self.with_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """Return the input of the head (a map or tokens) for images (N, C, H, W); the head does not run."""
        for _, module in self._order[:-1]:
            x = module(x)
        return x

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (output, input of the head: a map, tokens, or a tuple of several) for images (N, C, H, W)."""
        features, pyramid = x, Pyramid([placed for placed, _ in self._order], x)
        for placed, module in self._order:
            features = pyramid.input_of(placed, x)
            x = module(features)
            pyramid.add(placed, x)
        return x, features


def build(blueprint: Blueprint, device: str | torch.device = "cpu", seed: int = 0) -> Network:
    """Return the network of ``blueprint``, initialised, in training mode, ready for use and export.

    Raises:
        UsageError: a block can't stand where the blueprint puts it; the message names the setting.
    """
    network = assemble(blueprint, device)
    owners = dict(parameter_owners(network))
    for name, parameter in network.named_parameters():
        initialise(owners[name], name, parameter, seed)
    return network


def assemble(blueprint: Blueprint, device: str | torch.device = "cpu") -> Network:
    """Return the network of ``blueprint`` with fresh statistics and parameters that are not filled yet.

    Raises:
        UsageError: a block can't stand where the blueprint puts it; the message names the setting.
    """
    with torch.device("meta"):
        network = Network([(placed, module_of(placed)) for placed in blueprint.placed()])
    network.to_empty(device=device)
    for module in network.modules():
        if isinstance(module, NORMS):
            module.reset_running_stats()
    return network


def parameter_owners(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield (full parameter name, module that owns it)."""
    for prefix, module in network.named_modules():
        for name, _ in module.named_parameters(recurse=False):
            yield (f"{prefix}.{name}" if prefix else name), module


@torch.no_grad()
def initialise(owner: nn.Module, name: str, tensor: Tensor, seed: int) -> None:
    """Fill ``tensor``, the parameter ``name`` of ``owner``, as its kind of module is initialised.

    Convolutions: normal, variance 2 / fan-out (He et al. 2015), groups counted. Linear: truncated normal, 0.02 for
    weights of transformers and classifiers alike. Norms: 1 and 0. Biases: 0. A block's own parameters: its
    ``initialise``. Drawn on the CPU, so that every device starts from the same numbers.
    """
    local = name.rpartition(".")[2]
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    own = getattr(owner, "initialise", None)
    if own is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator.initial_seed())
            values = torch.empty(tensor.shape)
            own(local, values)
            tensor.copy_(values)
    elif local == "bias":
        tensor.zero_()
    elif isinstance(owner, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        fan_out = tensor[0, 0].numel() * tensor.shape[0] // owner.groups
        if owner.groups > 1 and tensor.shape[1] == 1:
            fan_out = tensor[0, 0].numel()
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2.0 / fan_out) ** 0.5)
    elif isinstance(owner, nn.Linear):
        tensor.copy_(nn.init.trunc_normal_(torch.empty(tensor.shape), std=0.02, generator=generator))
    else:
        tensor.fill_(1.0)


def block_in_mode(placed: PlacedBlock, mode: Mode) -> nn.Module:
    """Return the module of ``placed`` on the meta device, set to ``mode``."""
    with torch.device("meta"):
        block = module_of(placed)
    set_mode(block, mode)
    return block


def set_progress(network: nn.Module, progress: float) -> None:
    """Tell the blocks of ``network`` that have a schedule (a ``progress``) how far training has come, 0 to 1."""
    for module in network.modules():
        if hasattr(module, "progress"):
            setattr(module, "progress", progress)  # noqa: B010 - typed as a submodule


def set_mode(network: nn.Module, mode: Mode) -> None:
    """Set ``network`` to run as it does inside the shared weights; ``train`` drops the statistics of its norms.

    In ``calibrate`` the norms alone are in training mode: units dropped at random would shift the statistics.
    """
    network.train(mode == "train")
    for module in network.modules():
        if isinstance(module, NORMS):
            if mode == "train":
                module.track_running_stats = False
                module.running_mean = module.running_var = module.num_batches_tracked = None
            else:
                module.train(mode == "calibrate")
                module.momentum = None
