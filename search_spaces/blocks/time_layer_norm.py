"""Time-dependent LayerNorm of DiMR (Liu et al. 2024, arXiv 2406.09416, section 3.2): for networks with a condition.

gamma(t) norm(x) + beta(t), where each of gamma and beta goes from one learned vector to another by a gate of the time:
gamma(t) = s(t) p_1 + (1 - s(t)) p_2, s(t) = sigmoid(w t + b). Two vectors and two numbers each, where adaptive
LayerNorm has an MLP from the time to 2 C numbers. An image classifier has no time: the block takes it beside the map.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import EPSILON, check_equal_widths


class TimeGated(nn.Module):
    """A vector (N, C) between two learned ones, by the time t (N,)."""

    def __init__(self, width: int, first: float) -> None:
        super().__init__()
        self.first = first
        self.early = nn.Parameter(torch.empty(width))
        self.late = nn.Parameter(torch.empty(width))
        self.slope = nn.Parameter(torch.empty(1))
        self.offset = nn.Parameter(torch.empty(1))

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill both vectors with their first value, slope 1, offset 0."""
        tensor.fill_({"slope": 1.0, "offset": 0.0}.get(name, self.first))

    def forward(self, time: Tensor) -> Tensor:
        """Return the vectors."""
        share = torch.sigmoid(self.slope * time + self.offset)[:, None]
        return share * self.early + (1 - share) * self.late


class TimeGatedNorm(nn.Module):
    """LayerNorm over the channels of each cell (N, H, W, C), scaled and moved by what the time gives."""

    over_channels = True

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = TimeGated(width, 1.0)
        self.shift = TimeGated(width, 0.0)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Return the normalised map."""
        centred = x - x.mean(-1, keepdim=True)
        normalised = centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + EPSILON)
        out: Tensor = self.scale(time)[:, None, None] * normalised + self.shift(time)[:, None, None]
        return out


@register_block("time_layer_norm")
class TimeLayerNorm(nn.Module):
    """A map (N, width, H, W) and a time (N, 1), in and out; the time passes."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: Size) -> None:
        super().__init__()
        check_equal_widths("time_layer_norm", in_width, out_width, 1)
        self.norm = TimeGatedNorm(out_width)

    def forward(self, x: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the normalised map, and the time."""
        features, time = x
        return self.norm(features.permute(0, 2, 3, 1), time[:, 0]).permute(0, 3, 1, 2), time

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: Size) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("time_layer_norm", in_width, out_width, 1)
        elements = out_width * in_size[0] * in_size[1]
        return (
            Layer("scale", 0, 0, elements, elements),
            Layer("scale", 0, 2 * out_width + 2, elements, elements),
            Layer("scale", 0, 2 * out_width + 2, elements, elements),
        )
