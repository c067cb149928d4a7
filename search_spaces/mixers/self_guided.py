"""Self-guided position and channel attention (Sinha and Dolz 2020, arXiv 1906.02849; Fu et al. 2019, equations 1 to 4).

Position: each cell adds gamma_p sum_j softmax_j(q_i . k_j) v_j, q and k of an eighth of the channels. Channels: each
adds gamma_c sum_d softmax_d(max(G) - G) x_d, G = x' x over the cells. The gammas start at zero, where the mixer adds
nothing; here there is one for each channel, in the papers one for all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.maps import cells_last
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.tokens import add_layer, linear_layer

REDUCTION = 8


class Gamma(nn.Module):
    """A learned number for each channel, on the last axis, that starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def initialise(self, _name: str, tensor: Tensor) -> None:
        """Fill it."""
        tensor.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled ``x``."""
        return self.weight * x


class ChannelSelfAttention(Gamma):
    """gamma sum_d softmax_d(max(G) - G) x_d, G = x' x, on cells (N, L, C)."""

    over_channels = True

    def forward(self, x: Tensor) -> Tensor:
        """Return what the channels add."""
        gram = x.transpose(1, 2) @ x
        weights = (gram.amax(-1, keepdim=True) - gram).softmax(-1)
        return super().forward(x @ weights.transpose(1, 2))


@register_mixer("self_guided")
class SelfGuided(nn.Module):
    """(N, C, H, W) -> same shape."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        place.require_multiple("self_guided", REDUCTION)
        hidden = place.width // REDUCTION
        self.queries = nn.Linear(place.width, hidden)
        self.keys = nn.Linear(place.width, hidden)
        self.values = nn.Linear(place.width, place.width)
        self.position = Gamma(place.width)
        self.channel = ChannelSelfAttention(place.width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both attentions."""
        cells = cells_last(x).flatten(1, 2)
        scores = self.queries(cells) @ self.keys(cells).transpose(1, 2)
        out: Tensor = self.position(scores.softmax(-1) @ self.values(cells)) + self.channel(cells)
        return out.transpose(1, 2).reshape(x.shape)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs: quadratic in the cells, and in the channels."""
        place.require_multiple("self_guided", REDUCTION)
        width, cells, elements = place.width, place.cells, place.elements
        hidden, kept = width // REDUCTION, held + elements
        scores, gram = cells * cells, width * width
        narrow = linear_layer(width, hidden, cells, kept)
        return (
            narrow,
            narrow,
            linear_layer(width, width, cells, kept),
            Layer("attention", scores * hidden, 0, 2 * hidden * cells, scores, held=kept + elements),
            Layer("activation", 0, 0, scores, scores, held=kept + elements),
            Layer("attention", scores * width, 0, scores + elements, elements, held=kept),
            Layer("attention", gram * cells, 0, 2 * elements, gram, held=kept + elements),
            Layer("activation", 0, 0, gram, gram, held=kept + elements),
            Layer("attention", gram * cells, 0, gram + elements, elements, held=kept + elements),
            Layer("scale", 0, width, elements, elements, held=kept),
            Layer("scale", 0, width, elements, elements, held=kept),
            add_layer(elements),
        )
