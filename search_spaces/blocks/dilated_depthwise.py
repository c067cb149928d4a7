"""Depthwise convolutions of UniRepLKNet (Ding et al. 2024), pieces of the ``unireplknet`` block.

A kernel of 3 or 5 is norm(conv(x)). A larger one is the dilated re-param block,
norm(norm(conv_k(x)) + sum_i norm(conv_{k_i, dilation r_i}(x))), all depthwise and same-padded. In evaluation both equal
one depthwise convolution with bias.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare
from search_spaces.maps import plain_conv, plain_conv_layer
from search_spaces.reparameterise import centred, filled, fold

SMALL_KERNELS = (3, 5)

BRANCHES: dict[int, dict[int, int]] = {
    7: {1: 5, 2: 3, 3: 3},
    9: {1: 5, 2: 5, 3: 3, 4: 3},
    11: {1: 5, 2: 5, 3: 3, 4: 3, 5: 3},
    13: {1: 5, 2: 7, 3: 3, 4: 3, 5: 3},
    15: {1: 5, 2: 7, 3: 3, 5: 3, 7: 3},
    17: {1: 5, 2: 9, 4: 3, 5: 3, 7: 3},
}
"""Kernel of each branch by its dilation, for every kernel of the dilated re-param block (the official defaults)."""


def check_kernel(kernel: int) -> None:
    """Raise UsageError unless ``kernel`` is small or its branches are defined."""
    allowed = (*SMALL_KERNELS, *BRANCHES)
    if kernel not in allowed:
        raise UsageError(f"kernel got {kernel}: allowed: {', '.join(map(str, allowed))}")


def depthwise_module(width: int, kernel: int, merged: bool = False) -> nn.Module:
    """Return the convolution of ``kernel``: a plain one with bias if ``merged``.

    Raises:
        UsageError: a kernel that is neither small nor has branches.
    """
    check_kernel(kernel)
    if merged:
        return plain_conv(width, width, kernel, groups=width)
    return DilatedDepthwise(width, kernel) if kernel in BRANCHES else NormedDepthwise(width, kernel)


def depthwise_layers(width: int, kernel: int, size: Size, merged: bool = False, held: int = 0) -> tuple[Layer, ...]:
    """Return what one image costs in ``depthwise_module``."""
    check_kernel(kernel)
    conv = plain_conv_layer(width, width, size, kernel, groups=width, bias=merged, held=held)
    if merged:
        return (conv,)
    elements = width * size[0] * size[1]
    norm = Layer("batch_norm", 0, 2 * width, elements, elements, held=held)
    found = [conv, norm]
    branches = BRANCHES.get(kernel, {}).values()
    for branch_kernel in branches:
        found.append(plain_conv_layer(width, width, size, branch_kernel, groups=width, bias=False, held=held))
        found += [norm, Layer("add", 0, 0, 2 * elements, elements, held=held)]
    return (*found, norm) if branches else tuple(found)


class NormedDepthwise(nn.Module):
    """norm(conv(x)), depthwise: a small kernel, or one branch with its dilation."""

    def __init__(self, width: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(width, width, kernel, 1, padding, dilation, groups=width, bias=False)
        declare(self.conv.weight, width, 1, centre(kernel), centre(kernel))
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        out: Tensor = self.norm(self.conv(x))
        return out

    def folded(self, size: int) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the convolution with a kernel of ``size`` that this is in evaluation."""
        weight, bias = fold(self.conv.weight, None, self.norm)
        return centred(weight, size, self.conv.dilation[0]), bias

    def merged(self) -> nn.Conv2d:
        """Return the one convolution that this is in evaluation.

        Raises:
            UsageError: the norm has no running statistics.
        """
        size, width = self.conv.kernel_size[0], self.conv.out_channels
        return filled(plain_conv(width, width, size, groups=width), *self.folded(size))


class DilatedDepthwise(nn.Module):
    """(N, C, H, W) -> same shape. Branches are named by their dilation, so that kernels share them."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.large = NormedDepthwise(width, kernel)
        self.branches = nn.ModuleDict(
            {
                f"dilation{dilation}": NormedDepthwise(width, size, dilation)
                for dilation, size in BRANCHES[kernel].items()
            }
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised sum of the branches."""
        out = self.large(x)
        for branch in self.branches.values():
            out = out + branch(x)
        normalised: Tensor = self.norm(out)
        return normalised

    def merged(self) -> nn.Conv2d:
        """Return the one convolution that this is in evaluation.

        Raises:
            UsageError: a norm has no running statistics.
        """
        width = self.norm.num_features
        weight, bias = self.large.folded(self.kernel)
        for branch in self.branches.values():
            assert isinstance(branch, NormedDepthwise)
            other_weight, other_bias = branch.folded(self.kernel)
            weight, bias = weight + other_weight, bias + other_bias
        return filled(plain_conv(width, width, self.kernel, groups=width), *fold(weight, bias, self.norm))
