"""UniRepLKNet block (Ding et al. 2024, arXiv 2311.15599, section 3).

x + scale * norm(W2 grn(gelu(W1 gate(dilated_depthwise(x))))), W1 and W2 in each cell, W2 without bias. With a stride,
a 3x3 convolution and a norm over channels stand before it, as between two stages of the paper. ``merged`` is the form
that runs after training: one depthwise convolution, and one linear map that holds grn's beta, the norm and the scale.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.channel_attention import SqueezeExcite, channel_attention_layers
from search_spaces.blocks.dilated_depthwise import SMALL_KERNELS, depthwise_layers, depthwise_module
from search_spaces.conv import Size, strided
from search_spaces.layers import Layer
from search_spaces.maps import EPSILON, ConvDown, LayerScale, cells_last, check_equal_widths, check_least_width
from search_spaces.reparameterise import fold
from search_spaces.tokens import linear_layer

GATE_REDUCTION = 4


class PooledGate(SqueezeExcite):
    """Squeeze-and-excitation, width C // 4 inside, whose mean is an adaptive pooling (fvcore counts it)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) with its channels gated."""
        pooled = nn.functional.adaptive_avg_pool2d(x, 1)
        gate: Tensor = self.expand(nn.functional.relu(self.reduce(pooled))).sigmoid()
        return x * gate

    @staticmethod
    def layers(width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        mean, *others = channel_attention_layers("se", width, width // GATE_REDUCTION, size, held)
        return (replace(mean, op="pool"), *others)


class GlobalResponseNorm(nn.Module):
    """(gamma * g / (mean_C(g) + 1e-6) + 1) * x + beta, g the L2 norm over the cells (ConvNeXt V2, Woo et al. 2023).

    Maps are (N, H, W, C).
    """

    over_channels = True

    def __init__(self, width: int, bias: bool = True) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))
        self.beta = nn.Parameter(torch.empty(width)) if bias else None

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill gamma or beta: zeros."""
        tensor.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        response: Tensor = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        response = response / (response.mean(-1, keepdim=True) + EPSILON)
        out = (self.gamma * response + 1) * x
        return out if self.beta is None else out + self.beta


class MergedResponseMlp(nn.Module):
    """W2 grn(gelu(W1 x)) with a bias behind W2 and none in grn, in each cell of a map (N, C, H, W)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden)
        self.response_norm = GlobalResponseNorm(hidden, bias=False)
        self.reduce = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after the MLP, without a residual."""
        x = nn.functional.gelu(self.expand(cells_last(x)))
        reduced: Tensor = self.reduce(self.response_norm(x))
        return reduced.permute(0, 3, 1, 2)


class ResponseMlp(nn.Module):
    """scale * norm(W2 grn(gelu(W1 x))) in each cell of a map (N, C, H, W)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden)
        self.response_norm = GlobalResponseNorm(hidden)
        self.reduce = nn.Linear(hidden, width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.scale = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after the MLP, without a residual."""
        x = nn.functional.gelu(self.expand(cells_last(x)))
        x = self.norm(self.reduce(self.response_norm(x)).permute(0, 3, 1, 2))
        scaled: Tensor = self.scale(x.permute(0, 2, 3, 1))
        return scaled.permute(0, 3, 1, 2)

    @torch.no_grad()
    def merged(self) -> MergedResponseMlp:
        """Return the form without norm and scale that this is in evaluation.

        Raises:
            UsageError: the norm has no running statistics.
        """
        beta, scale = self.response_norm.beta, self.scale.weight
        assert beta is not None
        weight, bias = fold(self.reduce.weight, self.reduce.weight @ beta, self.norm)
        found = MergedResponseMlp(self.expand.in_features, self.expand.out_features).to(weight)
        found.expand.load_state_dict(self.expand.state_dict())
        found.response_norm.gamma.copy_(self.response_norm.gamma)
        found.reduce.weight.copy_(weight * scale[:, None])
        found.reduce.bias.copy_(bias * scale)
        return found

    @staticmethod
    def layers(width: int, hidden: int, size: Size, merged: bool, held: int) -> tuple[Layer, ...]:
        """Return what one image costs, the addition to a residual included."""
        cells = size[0] * size[1]
        elements, inner = width * cells, hidden * cells
        found = [
            linear_layer(width, hidden, cells, held),
            Layer("activation", 0, 0, inner, inner, held=held),
            Layer("scale", 0, hidden if merged else 2 * hidden, inner, inner, held=held),
            linear_layer(hidden, width, cells, held, bias=merged),
        ]
        if not merged:
            found.append(Layer("batch_norm", 0, 2 * width, elements, elements, held=held))
            found.append(Layer("scale", 0, width, elements, elements, held=held))
        return (*found, Layer("add", 0, 0, 2 * elements, elements))


@register_block("unireplknet")
class UniRepLKNet(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)); hidden: int(out_width * expansion)."""

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float = 4,
        stride: int = 1,
        merged: bool = False,
    ) -> None:
        super().__init__()
        _check(in_width, out_width, stride)
        hidden = int(out_width * expansion)
        self.downsample = ConvDown(in_width, out_width, stride, decomposed=True) if stride > 1 else nn.Identity()
        # A small kernel is not the centre of a large one, which has norms of its own: the kind is part of the name.
        self.depthwise_name = "depthwise" if kernel in SMALL_KERNELS else "large_depthwise"
        self.add_module(self.depthwise_name, depthwise_module(out_width, kernel, merged))
        self.gate = PooledGate(out_width, out_width // GATE_REDUCTION)
        self.mlp = MergedResponseMlp(out_width, hidden) if merged else ResponseMlp(out_width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        x = self.downsample(x)
        out: Tensor = x + self.mlp(self.gate(self.get_submodule(self.depthwise_name)(x)))
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int,
        expansion: float = 4,
        stride: int = 1,
        merged: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width, stride)
        size = strided(in_size, stride)
        held = out_width * size[0] * size[1]
        return (
            *(ConvDown.layers(in_width, out_width, in_size, stride, decomposed=True) if stride > 1 else ()),
            *depthwise_layers(out_width, kernel, size, merged, held),
            *PooledGate.layers(out_width, size, held),
            *ResponseMlp.layers(out_width, int(out_width * expansion), size, merged, held),
        )


def _check(in_width: int, out_width: int, stride: int) -> None:
    check_equal_widths("unireplknet", in_width, out_width, stride)
    check_least_width("unireplknet", out_width, GATE_REDUCTION)
