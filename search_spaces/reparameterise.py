"""Structural re-parameterisation (RepVGG, Ding et al. 2021): branches that train apart and run as one.

A module that can be replaced by a cheaper one has a method ``merged()`` that returns it, equal in evaluation mode.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from search_spaces.errors import UsageError


def merge(network: nn.Module) -> nn.Module:
    """Return a copy of ``network`` in evaluation mode, with every part that has ``merged()`` replaced by that.

    Raises:
        UsageError: a norm that is to be folded has no running statistics.
    """
    return _merged(copy.deepcopy(network)).eval()


def _merged(module: nn.Module) -> nn.Module:
    """Return what replaces ``module``, whose parts are replaced unless it is as a whole."""
    whole = getattr(module, "merged", None)
    if whole is not None:
        found: nn.Module = whole()
        return found
    for name, part in module.named_children():
        module.set_submodule(name, _merged(part))
    return module


@torch.no_grad()
def fold(weight: Tensor, bias: Tensor | None, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the weight (out, ...) and bias (out,) of a convolution or linear map with ``norm`` folded into it.

    Raises:
        UsageError: ``norm`` has no running statistics.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise UsageError("a norm without running statistics can't be folded: calibrate the network first")
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    shift = norm.running_mean if bias is None else norm.running_mean - bias
    return weight * scale.view(-1, *[1] * (weight.ndim - 1)), norm.bias - shift * scale


@torch.no_grad()
def centred(kernel: Tensor, size: int, dilation: int = 1) -> Tensor:
    """Return ``kernel`` (out, in, k, k), spread by ``dilation``, in the centre of a kernel of ``size``, zeros around.

    Raises:
        UsageError: the spread kernel is larger.
    """
    extent = dilation * (kernel.shape[-1] - 1) + 1
    if extent > size:
        raise UsageError(f"a kernel of {kernel.shape[-1]} with dilation {dilation} does not fit in one of {size}")
    wide = kernel.new_zeros(*kernel.shape[:2], size, size)
    start = (size - extent) // 2
    places = slice(start, start + extent, dilation)
    wide[..., places, places] = kernel
    return wide


@torch.no_grad()
def filled(conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """Return ``conv`` on the device and in the type of ``weight``, with these values."""
    assert conv.bias is not None
    conv.to(weight)
    conv.weight.copy_(weight)
    conv.bias.copy_(bias)
    return conv
