"""Contract checks of a token mixer: ``check_mixer("mine")``. They are those of the block that holds it, and its own.

Its module maps (N, C, H, W) to the same shape, is nested in a wider one, costs what its layers say and keeps no
constants; a map or a width that it can't take is a UsageError of both twins.
"""

from __future__ import annotations

from itertools import product

import torch

from search_spaces.block import module_of
from search_spaces.blueprint import PlacedBlock
from search_spaces.building import NORMS
from search_spaces.mixers import mixers
from search_spaces.testing_blocks import check_block, fill, images, place

SIDES = {"kernel": (3, 5, 7), "window": (2, 4), "none": (0,)}
"""What the checks set ``kernel`` or ``window`` to."""


def placed_mixer(name: str, width: int, size: tuple[int, int], side: int = 0, shifted: bool = False) -> PlacedBlock:
    """Return the block that holds the mixer, with its kernel or window set to ``side``."""
    reach = mixers.get(name).reach
    settings = {reach: side} if reach != "none" else {}
    return place("token_mixer", width, width, size, mixer=name, shifted=shifted, **settings)


def check_mixer(name: str, size: tuple[int, int] = (8, 8), widths: tuple[int, int] = (16, 32)) -> None:
    """Run every check of this file on the mixer ``name``."""
    for side, shifted in product(SIDES[mixers.get(name).reach], (False, True)):
        small, large = (placed_mixer(name, width, size, side, shifted) for width in widths)
        check_block(small, large)
        check_module(small)


def check_module(placed: PlacedBlock) -> None:
    """Check that the block keeps the shape of its map, is finite, answers each image alone and keeps no constants."""
    generator = torch.Generator().manual_seed(0)
    block = module_of(placed).eval()
    fill(block, generator)
    x = images(placed.in_width, placed.in_size, generator)
    with torch.no_grad():
        out, alone = block(x), block(x[:1])
    assert out.shape == x.shape, f"{placed}: the output has shape {tuple(out.shape)}, the input {tuple(x.shape)}"
    assert bool(out.isfinite().all()), f"{placed}: the output is not finite"
    error = float((out[:1] - alone).abs().max() / alone.abs().max())
    assert error < 1e-4, f"{placed}: an image's output depends on the others of its batch ({error:.1e})"
    for path, module in block.named_modules():
        kept = [key for key, value in vars(module).items() if isinstance(value, torch.Tensor)]
        kept += [] if isinstance(module, NORMS) else list(module._buffers)
        assert not kept, f"{placed}: {path} keeps constant {kept[0]}: make it in forward, on the data's device"
