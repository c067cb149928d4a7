"""Learned kernel transforms (Once-for-All, Cai et al. 2020, section 3.2): a small kernel comes from a larger one.

With K the shared kernel of side k: K_(k-2) = M vec(centre of K_k), M a matrix of (k-2)^2 rows and columns, one a layer,
shared by its channels, the identity at first; and so on down to the side that a network has. The network alone has the
plain kernel that comes out, so that it costs what it costs without.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from search_spaces.errors import UsageError
from search_spaces.layout import Layout, Plain, declare, take, transformed

SMALLEST = 3


def is_transformed(layout: Layout) -> bool:
    """Return whether the last axis, and so both sides of the kernel, are declared ``transformed``."""
    return bool(layout) and isinstance(layout[-1], Plain) and layout[-1].part == "transformed"


def matrices(name: str, extent: Layout, side: int = SMALLEST) -> tuple[tuple[int, str], ...]:
    """Return (side, name of its matrix) of every kernel from the shared one of ``name`` down to ``side``."""
    if not is_transformed(extent):
        return ()
    return tuple((smaller, f"{name}.to{smaller}") for smaller in range(extent[-1].size - 2, side - 1, -2))


def declare_transformed(conv: nn.Conv2d) -> None:
    """Say that smaller kernels of ``conv``, which is square, come from larger ones by learned matrices.

    Raises:
        UsageError: a kernel that no matrix leads to.
    """
    side = conv.kernel_size[0]
    if side < SMALLEST:
        raise UsageError(f"kernel got {side} with kernel_transform: allowed: {SMALLEST} or more")
    declare(conv.weight, *conv.weight.shape[:2], transformed(side), transformed(side))


class KernelTransform(nn.Module):
    """Owner of the matrices, which says how they start."""

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill a matrix: the identity."""
        nn.init.eye_(tensor)


def transformed_kernel(source: Mapping[str, Tensor], name: str, extent: Layout, layout: Layout) -> Tensor:
    """Return the kernel (out, in, side, side) that a network with ``layout`` has, a function of ``source``."""
    kernel = take(source[name], extent, (*layout[:-2], *extent[-2:]))
    for side, matrix in matrices(name, extent, layout[-1].size):
        centre = kernel[..., 1:-1, 1:-1].flatten(-2)
        kernel = nn.functional.linear(centre, source[matrix]).view(*kernel.shape[:-2], side, side)
    return kernel.contiguous()
