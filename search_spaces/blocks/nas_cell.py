"""Cells of NASNet-A (Zoph et al. 2018, figure 4) and PNASNet-5 (Liu et al. 2018, figure 1), with ScheduledDropPath.

A cell reads the outputs of the two cells before it, as h (the last) and p (the one before), each brought to F channels
by ReLU, 1x1 convolution and BatchNorm. Five pairs of operators on h, p and earlier pairs are added; the outputs are
joined. Blocks in sequence hand a pair (p, h) on; channel c of part i of P parts stands at place c x P + i of the joined
map, so that a narrower network's channels are a prefix of it (a concatenation in the paper, the same up to the order).
A width that is no multiple of P cuts the last channel of some parts.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, ReluConvNorm, Size, conv_layers, relu_conv_layers, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare
from search_spaces.nas_wiring import wiring

States: TypeAlias = tuple[Tensor, Tensor]


def joined(parts: list[Tensor]) -> Tensor:
    """Return maps (N, C, H, W) as one of all their channels, those of one index side by side."""
    return torch.stack(parts, 2).flatten(1, 2)


class SeparableConv(nn.Module):
    """ReLU, depthwise convolution, 1x1 convolution, BatchNorm."""

    def __init__(self, in_width: int, out_width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_width, in_width, kernel, stride, kernel // 2, groups=in_width, bias=False)
        declare(self.depthwise.weight, in_width, 1, centre(kernel), centre(kernel))
        self.pointwise = ConvNormAct(in_width, out_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        out: Tensor = self.pointwise(self.depthwise(nn.functional.relu(x)))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, size: Size, kernel: int, stride: int, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        out_size = strided(size, stride)
        inputs, between = in_width * size[0] * size[1], in_width * out_size[0] * out_size[1]
        weight = kernel * kernel
        return (
            Layer("activation", 0, 0, inputs, inputs, held=held),
            Layer("depthwise", weight * between, weight * in_width, inputs, between, held=held),
            *conv_layers(in_width, out_width, out_size, 1, held=held),
        )


class FactorizedReduction(nn.Module):
    """Half the resolution by two 1x1 convolutions, one of them on the map shifted by a pixel; BatchNorm.

    Of an odd width, the shifted one has a channel more.
    """

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.plain = nn.Conv2d(in_width, out_width // 2, 1, bias=False)
        self.shifted = nn.Conv2d(in_width, out_width - out_width // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map of half the resolution, sides rounded up."""
        x = nn.functional.relu(x)
        plain = self.plain(x[..., ::2, ::2])
        shifted = self.shifted(nn.functional.pad(x, (-1, 1, -1, 1))[..., ::2, ::2])
        pairs = joined([shifted[:, : plain.shape[1]], plain])
        out: Tensor = self.norm(torch.cat([pairs, shifted[:, plain.shape[1] :]], 1))
        return out

    @staticmethod
    def layers(in_width: int, out_width: int, out_size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        cells, half = out_size[0] * out_size[1], out_width // 2
        inputs, outputs = 4 * in_width * cells, out_width * cells
        halves = [
            Layer("conv", in_width * width * cells, in_width * width, in_width * cells, width * cells, 0, held + inputs)
            for width in (half, out_width - half)
        ]
        return (
            Layer("activation", 0, 0, inputs, inputs, held=held),
            *halves,
            Layer("copy", 0, 0, outputs, outputs, held=held),
            Layer("batch_norm", 0, 2 * out_width, outputs, outputs, held=held),
        )


def operator_module(operator: str, in_width: int, width: int, stride: int) -> nn.Module:
    """Return the module of one operator from ``in_width`` to ``width`` channels."""
    if operator.startswith("sep"):
        kernel = int(operator[3:])
        first = SeparableConv(in_width, width, kernel, stride)
        return nn.Sequential(first, SeparableConv(width, width, kernel, 1))
    if operator == "skip":
        return nn.Identity() if stride == 1 else ReluConvNorm(width, width, 1, stride)
    if operator == "avg3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    pool = nn.MaxPool2d(3, stride, 1)
    return pool if in_width == width else nn.Sequential(pool, ConvNormAct(in_width, width, 1))


def operator_layers(operator: str, in_width: int, width: int, size: Size, stride: int, held: int) -> tuple[Layer, ...]:
    """Return what one image costs in one operator."""
    out_size = strided(size, stride)
    if operator.startswith("sep"):
        kernel = int(operator[3:])
        first = SeparableConv.layers(in_width, width, size, kernel, stride, held)
        return (*first, *SeparableConv.layers(width, width, out_size, kernel, 1, held))
    if operator == "skip":
        return () if stride == 1 else relu_conv_layers(width, width, size, 1, stride, held=held)
    inputs, outputs = in_width * size[0] * size[1], in_width * out_size[0] * out_size[1]
    pool = Layer("avg_pool" if operator == "avg3" else "max_pool", 0, 0, inputs, outputs, held=held)
    adapt = conv_layers(in_width, width, out_size, 1, held=held) if in_width != width else ()
    return (pool, *adapt)


class CellBody(nn.Module):
    """The pairs of a cell on h (N, F, H, W) and p (N, p_width, H, W) -> (N, out_width, H / stride, W / stride).

    Attributes:
        drop_path: the probability at the end of training that the result of an operator, of one image, is dropped.
        progress: how far training has come, 0 to 1; the probability is ``drop_path`` x ``progress``
            (ScheduledDropPath). Training sets it (``building.set_progress``). In evaluation nothing is dropped.
    """

    def __init__(self, cell: str, stride: int, p_width: int, out_width: int, drop_path: float) -> None:
        super().__init__()
        self.out_width, width = out_width, part_width(cell, stride, out_width)
        if not 0 <= drop_path < 1:
            raise UsageError(f"drop_path of a {cell} cell got {drop_path}: allowed: 0 to less than 1")
        self.wiring, self.drop_path, self.progress = wiring(cell, stride), drop_path, 1.0
        for number, pair in enumerate(self.wiring.pairs):
            for side, operator, source in (("left", *pair[:2]), ("right", *pair[2:])):
                in_width = p_width if source == "p" else width
                step = stride if source in "hp" else 1
                name = f"pair{number}_{side}_{operator}_{'strided' if step > 1 else 'same'}"
                self.add_module(name, operator_module(operator, in_width, width, step))

    def forward(self, h: Tensor, p: Tensor) -> Tensor:
        """Return the joined outputs."""
        states, operators = {"h": h, "p": p}, iter(self.children())
        for number, (_, left, _, right) in enumerate(self.wiring.pairs):
            first = self._dropped(next(operators), states[left])
            states[str(number)] = first + self._dropped(next(operators), states[right])
        return joined([states[name] for name in self.wiring.outputs])[:, : self.out_width]

    def _dropped(self, operator: nn.Module, x: Tensor) -> Tensor:
        """Return operator(x), whole images of it dropped in training; the identity is never dropped."""
        out: Tensor = operator(x)
        probability = self.drop_path * self.progress
        if not self.training or probability == 0 or isinstance(operator, nn.Identity):
            return out
        kept = torch.rand(len(out), 1, 1, 1, device=out.device) >= probability
        return out * kept / (1 - probability)

    @staticmethod
    def layers(cell: str, stride: int, p_width: int, out_width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs; ``held`` and all states so far are alive meanwhile."""
        out_size, width, found = strided(size, stride), part_width(cell, stride, out_width), list[Layer]()
        elements = width * out_size[0] * out_size[1]
        held += (p_width + width) * size[0] * size[1]
        for left, left_source, right, right_source in wiring(cell, stride).pairs:
            for operator, source in ((left, left_source), (right, right_source)):
                in_width = p_width if source == "p" else width
                step, in_size = (stride, size) if source in "hp" else (1, out_size)
                found += operator_layers(operator, in_width, width, in_size, step, held)
            found.append(Layer("add", 0, 0, 2 * elements, elements, held=held))
            held += elements
        joined_elements = out_width * out_size[0] * out_size[1]
        return (*found, Layer("copy", 0, 0, joined_elements, joined_elements))


def part_width(cell: str, stride: int, out_width: int) -> int:
    """Return F, the channels of each joined part, rounded up."""
    return -(-out_width // len(wiring(cell, stride).outputs))


@register_block("nas_cell")
class NasCell(nn.Module):
    """((N, prev_width, H', W'), (N, in_width, H, W)) -> (the second, (N, out_width, H / stride, W / stride)).

    ``prev_stride`` 2 says that p's map is twice as large; ``skip_input`` hands p on instead of the cell's input. A cell
    that ``reduces`` has stride 2 and is not to be repeated: the next one reads maps of two sizes.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        cell: str,
        prev_width: int,
        prev_stride: int = 1,
        stride: int = 1,
        reduces: bool = False,
        skip_input: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        width = part_width(cell, stride, out_width)
        self.skip_input = skip_input
        self.adapt = ReluConvNorm(in_width, width, 1)
        _check_strides(stride, reduces, prev_stride)
        if prev_stride == 1:
            self.adapt_previous: nn.Module = ReluConvNorm(prev_width, width, 1)
        else:
            self.reduce_previous = FactorizedReduction(prev_width, width)
        self.body = CellBody(cell, stride, width, out_width, drop_path)

    def forward(self, states: States) -> States:
        """Return the pair that the next cell reads."""
        previous, current = states
        adapt = self.reduce_previous if "reduce_previous" in self._modules else self.adapt_previous
        out: Tensor = self.body(self.adapt(current), adapt(previous))
        return (previous if self.skip_input else current), out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        cell: str,
        prev_width: int,
        prev_stride: int = 1,
        stride: int = 1,
        reduces: bool = False,
        skip_input: bool = False,
        drop_path: float = 0.0,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width = part_width(cell, stride, out_width)
        _check_strides(stride, reduces, prev_stride)
        cells = in_size[0] * in_size[1]
        inputs, previous = in_width * cells, prev_stride**2 * prev_width * cells
        if prev_stride == 1:
            adapted = relu_conv_layers(prev_width, width, in_size, 1, held=inputs + width * cells)
        else:
            adapted = FactorizedReduction.layers(prev_width, width, in_size, inputs + width * cells)
        kept = previous if skip_input else inputs
        return (
            *relu_conv_layers(in_width, width, in_size, 1, held=previous),
            *adapted,
            *CellBody.layers(cell, stride, width, out_width, in_size, kept),
        )


def _check_strides(stride: int, reduces: bool, prev_stride: int) -> None:
    if reduces and stride != 2:
        raise UsageError(f"a nas_cell block that reduces got stride {stride}: a reduction has 2 and is not repeated")
    if prev_stride not in (1, 2):
        raise UsageError(f"a nas_cell block got prev_stride {prev_stride}: allowed: 1, 2")
