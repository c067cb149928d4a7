"""Mixture of experts: of four MLPs each image takes the two that a router prefers (Shazeer et al. 2017, equation 2).

y = sum over the chosen e of p_e MLP_e(x), p the softmax of the router over the chosen ones, router = W mean_HW(x).
Routing is by image and not by token, so that a network's MACs are fixed by the number of chosen experts and it can be
written as ONNX; no loss balances the experts (the papers' does).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.feed_forwards import Size, feed_forwards
from search_spaces.layers import Layer
from search_spaces.tokens import linear_layer

NUM_EXPERTS = 4
TOP_K = 2


class ExpertLinear(nn.Module):
    """One linear map an expert."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(NUM_EXPERTS, in_width, out_width))
        self.bias = nn.Parameter(torch.empty(NUM_EXPERTS, out_width))

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill weight or bias: truncated normal 0.02, zeros."""
        tensor.zero_() if name == "bias" else nn.init.trunc_normal_(tensor, std=0.02)

    def forward(self, x: Tensor, chosen: Tensor) -> Tensor:
        """Return the maps of the ``chosen`` (N, k) experts of ``x`` (N, k, L, in)."""
        return x @ self.weight[chosen] + self.bias[chosen][:, :, None]


@feed_forwards.register("experts")
class Experts(nn.Module):
    """(N, H, W, C) -> same shape."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, NUM_EXPERTS)
        self.expand = ExpertLinear(width, hidden)
        self.reduce = ExpertLinear(hidden, width)

    def routes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights (N, k) of the chosen experts, which sum to 1, and their numbers (N, k)."""
        scores, chosen = self.router(x.mean((1, 2))).topk(TOP_K, dim=-1)
        return scores.softmax(-1), chosen

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted sum of the chosen experts."""
        weights, chosen = self.routes(x)
        cells = x.flatten(1, 2)[:, None].expand(-1, TOP_K, -1, -1)
        hidden = nn.functional.gelu(self.expand(cells, chosen))
        mixed: Tensor = (weights[:, :, None, None] * self.reduce(hidden, chosen)).sum(1)
        return mixed.reshape(x.shape)

    @staticmethod
    def layers(width: int, hidden: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs: all experts' parameters, the chosen ones' MACs."""
        cells = size[0] * size[1]
        elements, inner = width * cells, TOP_K * hidden * cells
        kept = held + elements

        def linear(inputs: int, outputs: int, read: int) -> Layer:
            written, params = TOP_K * cells * outputs, NUM_EXPERTS * (inputs + 1) * outputs
            return Layer("linear", written * inputs, params, read, written, written, kept)

        return (
            Layer("mean", 0, 0, elements, width, held=held),
            linear_layer(width, NUM_EXPERTS, 1, kept),
            Layer("activation", 0, 0, TOP_K, TOP_K, held=kept),
            linear(width, hidden, elements),
            Layer("activation", 0, 0, inner, inner, held=kept),
            linear(hidden, width, inner),
            Layer("scale", 0, 0, TOP_K * elements, TOP_K * elements, held=held),
            Layer("add", 0, 0, TOP_K * elements, elements, held=held),
        )
