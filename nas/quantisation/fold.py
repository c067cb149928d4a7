"""BatchNorm folded into the convolution before it, as exporters do (Jacob et al. 2018, section 3.2)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.building import NORMS

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


@torch.no_grad()
def folded(network: nn.Module, example: Tensor) -> nn.Module:
    """Return a copy of ``network`` in evaluation mode in which norms that follow a convolution are folded into it.

    Args:
        network: with running statistics.
        example: images (n, channels, height, width); a forward pass shows which norm reads which convolution's output.
    """
    found = copy.deepcopy(network).eval()
    pairs = _pairs(found, example)
    for convolution, norm in pairs:
        _fold(convolution, norm)
    norms = {id(norm) for _, norm in pairs}
    for parent in list(found.modules()):
        for name, child in parent.named_children():
            if id(child) in norms:
                setattr(parent, name, nn.Identity())
    return found


def _pairs(network: nn.Module, example: Tensor) -> list[tuple[Any, Any]]:
    """Return (convolution, norm) wherever the norm alone reads the convolution's output, as one forward pass shows."""
    made: dict[int, tuple[nn.Module, Tensor]] = {}
    found: list[tuple[Any, Any]] = []

    def note(module: nn.Module, _: Any, output: Tensor) -> None:
        made[id(output)] = (module, output)

    def match(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if id(inputs[0]) in made:
            found.append((made[id(inputs[0])][0], module))

    hooks = [module.register_forward_hook(note) for module in network.modules() if isinstance(module, CONVOLUTIONS)]
    hooks += [module.register_forward_pre_hook(match) for module in network.modules() if isinstance(module, NORMS)]
    network(example)
    for hook in hooks:
        hook.remove()
    return found


def _fold(convolution: Any, norm: Any) -> None:
    """Set w' = w gamma / sqrt(var + eps), b' = beta + (b - mean) gamma / sqrt(var + eps), channel by channel."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = torch.zeros_like(norm.running_mean) if convolution.bias is None else convolution.bias
    shape = (-1, *[1] * (convolution.weight.ndim - 1))
    convolution.weight = nn.Parameter(convolution.weight * scale.view(shape))
    convolution.bias = nn.Parameter(norm.bias + (bias - norm.running_mean) * scale)
