"""A network as systems that mask run it: the widest network of its blocks, activations multiplied by 0 and 1.

It computes what the network computes, at the cost of the widest one. It is here to be measured against; nothing else
uses it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Blueprint
from search_spaces.building import set_mode
from search_spaces.sharing import SharedWeights
from search_spaces.space import SearchSpace


def widest(space: SearchSpace, architecture: Architecture) -> Architecture:
    """Return the largest network with the same blocks, depth and resolution: every other ordered knob at its largest.

    Systems that mask skip blocks and shrink images, as here: only widths, heads and kernels are masked.
    """
    genes = space.encode([architecture])
    places = _places(space.blueprint(architecture))
    for column, knob in enumerate(space.knobs):
        grown = genes.copy()
        grown[0, column] = len(knob.values) - 1
        if not knob.ordered or genes[0, column] < 0 or (space.active(grown) != space.active(genes)).any():
            continue
        if _places(space.blueprint(space.decode(grown)[0])) == places:
            genes = grown
    return space.decode(genes)[0]


def _places(blueprint: Blueprint) -> list[tuple[str, str, tuple[int, int]]]:
    return [(placed.name, placed.kind, placed.in_size) for placed in blueprint.placed()]


def masked_network(shared: SharedWeights, architecture: Architecture) -> nn.Module:
    """Return the widest network of ``architecture``, in training mode, masked down to it.

    The weights outside the network are zero, and what every layer gives is multiplied by a mask of its channels, as
    long as it has some to hide.
    """
    space = shared.space
    large = space.blueprint(widest(space, architecture))
    masks = _masks(shared, space.blueprint(architecture), large)
    network = shared.extract(large, statistics=shared.new_statistics(large))
    set_mode(network, "train")
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.mul_(masks[name])
    for name, module in list(network.named_modules()):
        if f"{name}.weight" in masks and not masks[f"{name}.weight"].all():
            _mask(network, name, module, masks[f"{name}.weight"])
    return network


def _masks(shared: SharedWeights, small: Blueprint, large: Blueprint) -> dict[str, Tensor]:
    """Return which elements of each parameter of ``large`` belong to ``small``: found by their place in the shared."""
    places = {name: torch.arange(t.numel(), device=t.device).view(t.shape) for name, t in shared.tensors.items()}
    used = shared.parts(small, places)
    return {name: torch.isin(part, used[name]) for name, part in shared.parts(large, places).items()}


def _mask(network: nn.Module, name: str, module: nn.Module, mask: Tensor) -> None:
    channels = mask.flatten(1).any(1) if mask.ndim > 1 else mask
    if channels.all():
        return
    if isinstance(module, nn.LayerNorm):
        network.set_submodule(name, MaskedLayerNorm(module, channels))
    elif isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.Linear):
        shape = (-1,) if isinstance(module, nn.Linear) else (1, -1, 1, 1)
        factor = channels.float().view(shape)
        module.register_forward_hook(lambda _module, _inputs, output: output * factor)


class MaskedLayerNorm(nn.Module):
    """LayerNorm over the channels that are not masked (ViT-ResNAS scales the statistics by their share likewise)."""

    def __init__(self, norm: nn.LayerNorm, channels: Tensor) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.register_buffer("mask", channels.float(), persistent=False)
        self.num = int(channels.sum())

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (..., channels), zero where masked, normalised."""
        mask: Tensor = self.get_buffer("mask")
        centred = (x - x.sum(-1, keepdim=True) / self.num) * mask
        variance = centred.square().sum(-1, keepdim=True) / self.num
        return centred * (variance + self.eps).rsqrt() * self.weight + self.bias
