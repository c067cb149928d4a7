"""Inception-v4 and Inception-ResNet-v2 (Szegedy et al. 2017): stems, mixed blocks and residual blocks by name.

The figures are those of the paper's networks; Inception-ResNet-v2 as its authors released it (stem and first mixed
block of Inception-v3, a residual of the last stage without ReLU). Unpadded networks lose rows and columns that the
blueprint's sizes (side over stride, rounded up) still have: ``border`` is how many of them a block's input lacks. For
sides of 32 k + r pixels, r in ``REMAINDERS`` (299, and every multiple of 32), it is 3 after the stem and 2 after each
reduction; other sides are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks import inception_graph as graph
from search_spaces.blocks.inception_graph import Conv, Node, Pool, chain, concat
from search_spaces.conv import Size
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer
from search_spaces.layout import Plain, Segments, declare

SMALLEST_UNPADDED = 75
REMAINDERS = frozenset((0, *range(11, 17), *range(27, 32)))

_ENTRY = (Conv(32, (3, 3), 2, False), Conv(32, (3, 3), 1, False), Conv(64, (3, 3)))
_TALL_THIN = (Conv(64, (1, 7)), Conv(64, (7, 1)))


@dataclass(frozen=True, slots=True)
class Mixed:
    """A block of ``node``, whose widths are those of an input of ``in_width`` channels."""

    node: Node
    in_width: int
    stride: int = 1


STEMS = {
    "resnet_v2": Mixed(
        chain(*_ENTRY, Pool("max", False), Conv(80), Conv(192, (3, 3), 1, False), Pool("max", False)), 3, 8
    ),
    "v4": Mixed(
        chain(
            *_ENTRY,
            concat(Pool("max", False), Conv(96, (3, 3), 2, False)),
            concat(
                chain(Conv(64), Conv(96, (3, 3), 1, False)),
                chain(Conv(64), *_TALL_THIN, Conv(96, (3, 3), 1, False)),
            ),
            concat(Conv(192, (3, 3), 2, False), Pool("max", False)),
        ),
        3,
        8,
    ),
}

MIXED = {
    "mixed_5b": Mixed(
        concat(
            Conv(96),
            chain(Conv(48), Conv(64, (5, 5))),
            chain(Conv(64), Conv(96, (3, 3)), Conv(96, (3, 3))),
            chain(Pool("avg"), Conv(64)),
        ),
        192,
    ),
    "mixed_6a": Mixed(
        concat(
            Conv(384, (3, 3), 2, False),
            chain(Conv(256), Conv(256, (3, 3)), Conv(384, (3, 3), 2, False)),
            Pool("max", False),
        ),
        320,
        2,
    ),
    "mixed_7a": Mixed(
        concat(
            chain(Conv(256), Conv(384, (3, 3), 2, False)),
            chain(Conv(256), Conv(288, (3, 3), 2, False)),
            chain(Conv(256), Conv(288, (3, 3)), Conv(320, (3, 3), 2, False)),
            Pool("max", False),
        ),
        1088,
        2,
    ),
    "inception_a": Mixed(
        concat(
            Conv(96),
            chain(Conv(64), Conv(96, (3, 3))),
            chain(Conv(64), Conv(96, (3, 3)), Conv(96, (3, 3))),
            chain(Pool("avg"), Conv(96)),
        ),
        384,
    ),
    "reduction_a": Mixed(
        concat(
            Conv(384, (3, 3), 2, False),
            chain(Conv(192), Conv(224, (3, 3)), Conv(256, (3, 3), 2, False)),
            Pool("max", False),
        ),
        384,
        2,
    ),
    "inception_b": Mixed(
        concat(
            Conv(384),
            chain(Conv(192), Conv(224, (1, 7)), Conv(256, (7, 1))),
            chain(Conv(192), Conv(192, (7, 1)), Conv(224, (1, 7)), Conv(224, (7, 1)), Conv(256, (1, 7))),
            chain(Pool("avg"), Conv(128)),
        ),
        1024,
    ),
    "reduction_b": Mixed(
        concat(
            chain(Conv(192), Conv(192, (3, 3), 2, False)),
            chain(Conv(256), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, (3, 3), 2, False)),
            Pool("max", False),
        ),
        1024,
        2,
    ),
    "inception_c": Mixed(
        concat(
            Conv(256),
            chain(Conv(384), concat(Conv(256, (1, 3)), Conv(256, (3, 1)))),
            chain(Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), concat(Conv(256, (1, 3)), Conv(256, (3, 1)))),
            chain(Pool("avg"), Conv(256)),
        ),
        1536,
    ),
}

RESIDUALS = {
    "block35": (Conv(32), chain(Conv(32), Conv(32, (3, 3))), chain(Conv(32), Conv(48, (3, 3)), Conv(64, (3, 3)))),
    "block17": (Conv(192), chain(Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1)))),
    "block8": (Conv(192), chain(Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1)))),
}
"""Branches of the residual blocks; ``inner_width`` is the width of the first."""


def _fitted(found: Mixed, in_width: int, out_width: int, padded: bool) -> Node:
    """Return the node at another width: its convolutions in proportion, the last one takes what rounding leaves."""
    reference, _ = graph.output(found.node, found.in_width, (0, 0))
    pools = isinstance(found.node, graph.Concat) and any(isinstance(each, Pool) for each in found.node.nodes)
    convolved = (out_width - in_width, reference - found.in_width) if pools else (out_width, reference)
    node = graph.scaled(found.node, convolved[0] / convolved[1])
    node = graph.widened(node, out_width - graph.output(node, in_width, (0, 0))[0])
    return graph.all_padded(node) if padded else node


def _stem(in_width: int, out_width: int, in_size: Size, version: str, stride: int, padded: bool) -> Node:
    if version not in STEMS:
        raise unknown("version of an inception_stem", version, STEMS)
    if stride != STEMS[version].stride:
        raise UsageError(f"an inception_stem block got stride {stride}: allowed: {STEMS[version].stride}")
    for side in in_size:
        if not padded and (side % 32 not in REMAINDERS or side < SMALLEST_UNPADDED):
            near = max(96, side - side % 32)
            raise UsageError(f"resolution {side} of an unpadded inception network: allowed: {near}, {near + 32}, ...")
    return _fitted(STEMS[version], in_width, out_width, padded)


@register_block("inception_stem")
class InceptionStem(nn.Sequential):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / 8), ceil(W / 8)), 3 rows and columns less where not ``padded``."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, version: str, stride: int = 8, padded: bool = False
    ) -> None:
        super().__init__(graph.module(_stem(in_width, out_width, in_size, version, stride, padded), in_width))

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, version: str, stride: int = 8, padded: bool = False
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        return graph.layers(_stem(in_width, out_width, in_size, version, stride, padded), in_width, in_size)


def _mixed(in_width: int, out_width: int, variant: str, stride: int, border: int, hidden_ratio: float) -> Node:
    if variant not in MIXED:
        raise unknown("variant of an inception_mixed block", variant, MIXED)
    if stride != MIXED[variant].stride:
        raise UsageError(f"an inception_mixed block {variant} got stride {stride}: allowed: {MIXED[variant].stride}")
    if hidden_ratio <= 0:
        raise UsageError(f"an inception_mixed block got hidden_ratio {hidden_ratio}: give a positive one")
    node = _fitted(MIXED[variant], in_width, out_width, padded=border == 0)
    return node if hidden_ratio == 1 else graph.narrowed(node, hidden_ratio)


@register_block("inception_mixed")
class InceptionMixed(nn.Module):
    """Concatenated branches, (N, in_width, H, W) -> (N, out_width, H', W'); padded where ``border`` is 0.

    ``hidden_ratio`` multiplies the widths inside the branches, not those that are concatenated.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        variant: str,
        stride: int = 1,
        border: int = 0,
        hidden_ratio: float = 1.0,
    ) -> None:
        super().__init__()
        self.variant = variant
        node = _mixed(in_width, out_width, variant, stride, border, hidden_ratio)
        self.add_module(variant, graph.module(node, in_width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenation."""
        out: Tensor = self.get_submodule(self.variant)(x)
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        variant: str,
        stride: int = 1,
        border: int = 0,
        hidden_ratio: float = 1.0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        node = _mixed(in_width, out_width, variant, stride, border, hidden_ratio)
        return graph.layers(node, in_width, _without(in_size, border))


@register_block("inception_residual")
class InceptionResidual(nn.Module):
    """relu(x + scale * (W concat(branches(x)) + b)), (N, width, H, W) in and out; ``relu`` false leaves it linear."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        variant: str,
        inner_width: int,
        scale: float,
        relu: bool = True,
        border: int = 0,
    ) -> None:
        super().__init__()
        branches = _branches(in_width, out_width, variant, inner_width)
        widths = _branch_widths(branches, in_width)
        self.variant, self.scale, self.relu = variant, scale, relu
        up = nn.Conv2d(sum(widths), out_width, 1)
        segments = Segments(tuple((f"branch{number}", Plain(width)) for number, width in enumerate(widths, start=1)))
        declare(up.weight, out_width, segments, 1, 1)
        concatenated = graph.module(graph.Concat(branches), in_width)
        self.add_module(variant, nn.ModuleDict({"branches": concatenated, "up": up}))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out = self.changed(x) + x
        return nn.functional.relu(out) if self.relu else out

    def changed(self, x: Tensor) -> Tensor:
        """Return what the branches add to the input."""
        modules = self.get_submodule(self.variant)
        residual: Tensor = modules.get_submodule("up")(modules.get_submodule("branches")(x))
        return residual * self.scale

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        variant: str,
        inner_width: int,
        scale: float,
        relu: bool = True,
        border: int = 0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        branches, size = _branches(in_width, out_width, variant, inner_width), _without(in_size, border)
        inner, cells = sum(_branch_widths(branches, in_width)), size[0] * size[1]
        inputs, outputs, weight = in_width * cells, out_width * cells, inner * out_width
        found = (
            *graph.layers(graph.Concat(branches), in_width, size),
            Layer("conv", weight * cells, weight + out_width, inner * cells, outputs, outputs, inputs),
            Layer("scale", 0, 0, outputs, outputs, held=inputs),
            Layer("add", 0, 0, 2 * outputs, outputs),
        )
        return (*found, Layer("activation", 0, 0, outputs, outputs)) if relu else found


def _branches(in_width: int, out_width: int, variant: str, inner_width: int) -> tuple[Node, ...]:
    if variant not in RESIDUALS:
        raise unknown("variant of an inception_residual block", variant, RESIDUALS)
    if in_width != out_width:
        raise UsageError(f"an inception_residual block got widths {in_width} -> {out_width}: give it equal widths")
    if inner_width < 1:
        raise UsageError(f"an inception_residual block got inner_width {inner_width}: give at least 1")
    first = RESIDUALS[variant][0]
    assert isinstance(first, Conv), first
    return tuple(graph.scaled(node, inner_width / first.width) for node in RESIDUALS[variant])


def _branch_widths(branches: tuple[Node, ...], in_width: int) -> list[int]:
    return [graph.output(node, in_width, (0, 0))[0] for node in branches]


def _without(size: Size, border: int) -> Size:
    return size[0] - border, size[1] - border
