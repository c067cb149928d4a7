"""Convolutional networks on the visible part of an image, as sparse convolutions run them (SparK, arXiv 2301.03580).

A mask of cells, one a position of the coarsest map, says what is visible. Around every convolution and pooling, masked
positions are set to zero, so that nothing grows into them (submanifold sparse convolution); BatchNorm takes its
statistics over visible positions alone. Done by hooks around the network's own modules: no block is written twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from search_spaces.blueprint import Blueprint, PlacedBlock
from search_spaces.building import block_in_mode
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights, covering_set
from search_spaces.space import SearchSpace

Size = tuple[int, int]
Masks = Mapping[Size, Tensor]
"""Map size to a mask, float32 (n, 1, height, width): 1 where visible, 0 where masked."""

SPREADING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def strides(blueprint: Blueprint) -> list[int]:
    """Return for every block before the head by what its output map is smaller than the image."""
    found, total = [], 1
    for placed in list(blueprint.placed())[:-1]:
        total *= int(placed.arguments.get("stride", 1))
        found.append(total)
    return found


def cells_of(blueprint: Blueprint) -> Size:
    """Return the size of the coarsest map, a position of which is one cell.

    Raises:
        UsageError: the map is so small that there is nothing to hide and to leave.
    """
    size = list(blueprint.placed())[-1].in_size
    if min(size) < 2:
        raise UsageError(
            f"masked pre-training got a network whose coarsest map is {size[0]} x {size[1]} (resolution "
            f"{blueprint.resolution[0]} x {blueprint.resolution[1]}): it takes 2 x 2 or more: choose higher resolutions"
        )
    return size


def visible_cells(num: int, size: Size, mask_ratio: float, generator: torch.Generator) -> Tensor:
    """Return which of ``size`` cells are visible, bool (num, 1, *size): as many in each image, neither none nor all."""
    num_cells = size[0] * size[1]
    num_visible = min(max(1, round((1 - mask_ratio) * num_cells)), num_cells - 1)
    order = torch.rand(num, num_cells, generator=generator).argsort(dim=1)
    return (order < num_visible).view(num, 1, *size)


def masks_of(visible: Tensor, resolution: Size, stride: int) -> dict[Size, Tensor]:
    """Return the mask of ``visible`` cells at the size of every map between an image and the coarsest map.

    Args:
        visible: bool (n, 1, height, width), cells of the coarsest map.
        resolution: of the image.
        stride: by what the coarsest map is smaller; position i of a map of stride r lies in cell i // (stride / r).
    """
    found = {}
    for ratio in (each for each in range(1, stride + 1) if stride % each == 0):
        height, width = (-(-side // ratio) for side in resolution)
        rows, columns = (torch.arange(side, device=visible.device) // (stride // ratio) for side in (height, width))
        found[height, width] = visible[:, :, rows][:, :, :, columns].float()
    return found


def encode(
    shared: SharedWeights, blueprint: Blueprint, images: Tensor, masks: Masks, progress: float
) -> dict[int, Tensor]:
    """Return the last map of each resolution, zero at masked positions, from what is visible of ``images``.

    Args:
        shared: the shared weights.
        blueprint: a network of their space; what its head gives is left out.
        images: (n, channels, height, width).
        masks: of ``masks_of``.
        progress: as in ``SharedWeights.run``.

    Returns:
        Stride to map, (n, width, height / stride, width / stride), from the finest.
    """
    with _sparse(masks) as outputs:
        shared.run(blueprint, masked(images, masks), progress=progress)
    placed, maps = list(blueprint.placed()), {}
    for (here, following), stride, x in zip(pairwise(placed), strides(blueprint), outputs, strict=False):
        if not isinstance(x, Tensor) or x.shape != (len(images), here.out_width, *following.in_size):
            raise _no_convolutions(blueprint, here)
        maps[stride] = x
    return maps


def check_space(space: SearchSpace) -> None:
    """Raise UsageError where a network of ``space`` is not convolutional, or has too few cells to hide some.

    A block before the head that mixes positions by linear layers alone (attention, tokens) is not.
    """
    for architecture in (*covering_set(space), space.smallest()):
        blueprint = space.blueprint(architecture)
        _require_convolutions(blueprint)
        cells_of(blueprint)


def _require_convolutions(blueprint: Blueprint) -> None:
    for placed in list(blueprint.placed())[:-1]:
        kinds = [type(module) for module in block_in_mode(placed, "train").modules()]
        if nn.Linear in kinds and nn.Conv2d not in kinds:
            raise _no_convolutions(blueprint, placed)


def masked(x: Tensor, masks: Masks) -> Tensor:
    """Return ``x`` (n, c, height, width) with zeros at masked positions; any other tensor as it is."""
    mask = masks.get((x.shape[2], x.shape[3])) if x.ndim == 4 else None
    return x if mask is None else x * mask.to(x.dtype)


def sparse_norm(x: Tensor, mask: Tensor, eps: float) -> Tensor:
    """Return ``x`` (n, c, height, width) normalised by mean and variance of each channel over visible positions."""
    count = mask.sum()
    x = x.float()
    mean = (x * mask).sum(dim=(0, 2, 3), keepdim=True) / count
    centred = (x - mean) * mask
    variance = centred.square().sum(dim=(0, 2, 3), keepdim=True) / count
    return centred * torch.rsqrt(variance + eps)


@contextmanager
def _sparse(masks: Masks) -> Iterator[list[Any]]:
    """Make the modules that this thread runs sparse; yields a list that the outputs of whole blocks are put in."""
    thread, outputs, depth = threading.get_ident(), list[Any](), 0

    def before(module: nn.Module, inputs: tuple[Any, ...]) -> Any:
        nonlocal depth
        if threading.get_ident() != thread:
            return None
        depth += 1
        # What a block computes without a module of its own (pooling, gates) may have grown into masked positions.
        is_spreading = isinstance(module, (*SPREADING, nn.BatchNorm2d))
        return tuple(masked(each, masks) for each in inputs) if is_spreading else None

    def after(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
        nonlocal depth
        if threading.get_ident() != thread:
            return None
        depth -= 1
        if isinstance(module, nn.BatchNorm2d):
            output = _sparse_batch_norm(module, inputs[0], output, masks)
        elif isinstance(output, Tensor) and (depth == 0 or isinstance(module, SPREADING)):
            output = masked(output, masks)
        # A module that no other one called is a block.
        if depth == 0:
            outputs.append(output)
        return output

    handles = [register_module_forward_pre_hook(before), register_module_forward_hook(after)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _sparse_batch_norm(norm: nn.BatchNorm2d, x: Tensor, output: Tensor, masks: Masks) -> Tensor:
    """Return what ``norm`` gives by statistics of visible positions; ``output``, its own, for maps without a mask."""
    mask = masks.get((x.shape[2], x.shape[3]))
    if mask is None:
        return output
    normed = sparse_norm(x, mask, norm.eps)
    if norm.affine:
        normed = normed * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
    return masked(normed, masks).to(output.dtype)


def _no_convolutions(blueprint: Blueprint, placed: PlacedBlock) -> UsageError:
    return UsageError(
        f"masked pre-training got space {blueprint.family!r}, whose block {placed.name} ({placed.kind}) is no "
        "convolution on one map of the declared size: choose a convolutional space (ofa_mobilenet, resnet, convnext, "
        "...) or leave training.masked_pretraining out"
    )
