"""A-priori separable convolution: a depthwise kernel that is a product of two 1-D filters before training.

K = u v', learned as its factors (low-rank filters before training: Jaderberg et al. 2014; for wave simulators in the
paper that ``papers.md`` lists as 65): k + k weights a channel instead of k k. Written from the abstract.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.layers import Layer
from search_spaces.layout import centre, declare
from search_spaces.maps import plain_conv
from search_spaces.mixers import register_mixer
from search_spaces.mixers.place import Place
from search_spaces.reparameterise import filled


@register_mixer("separable", reach="kernel")
class SeparableKernel(nn.Module):
    """(N, C, H, W) -> same shape: k x 1, then 1 x k, both depthwise."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        width, kernel = place.width, place.kernel
        self.rows = nn.Conv2d(width, width, (kernel, 1), padding=(kernel // 2, 0), groups=width, bias=False)
        self.columns = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        declare(self.rows.weight, width, 1, centre(kernel), 1)
        declare(self.columns.weight, width, 1, 1, centre(kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        out: Tensor = self.columns(self.rows(x))
        return out

    @torch.no_grad()
    def merged(self) -> nn.Conv2d:
        """Return the one depthwise convolution of the product of the filters."""
        width, kernel = self.rows.out_channels, self.rows.kernel_size[0]
        assert self.columns.bias is not None
        whole = self.rows.weight * self.columns.weight
        return filled(plain_conv(width, width, kernel, groups=width), whole, self.columns.bias)

    @staticmethod
    def layers(place: Place, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width, elements, kernel = place.width, place.elements, place.kernel
        return (
            Layer("depthwise", kernel * elements, kernel * width, elements, elements, held=held),
            Layer("depthwise", kernel * elements, (kernel + 1) * width, elements, elements, elements, held),
        )
