"""The last convolution of a head that predicts something at every pixel."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.layout import Plain, centre, declare, product


class Prediction(nn.Conv2d):
    """Same-padded convolution with bias, (N, in_width, H, W) -> (N, out_width, H, W), that starts near a constant.

    Args:
        in_width, out_width: channels.
        kernel: odd.
        start: what every output begins near, the bias.
        copies: so many output channels that follow each other start equal: those that a sub-pixel convolution lays side
            by side, which keeps checkerboards away (ICNR: Aitken et al. 2017, arXiv 1707.02937).
    """

    def __init__(self, in_width: int, out_width: int, kernel: int = 1, *, start: float = 0.0, copies: int = 1) -> None:
        super().__init__(in_width, out_width, kernel, padding=kernel // 2)
        self.start, self.copies = start, copies
        out = Plain(out_width) if copies == 1 else product(out_width // copies, copies)
        declare(self.weight, out, in_width, centre(kernel), centre(kernel))
        assert self.bias is not None
        declare(self.bias, out)

    def initialise(self, name: str, tensor: Tensor) -> None:
        """Fill the bias with ``start``, the weight from a truncated normal, 0.02."""
        if name == "bias":
            tensor.fill_(self.start)
            return
        first = nn.init.trunc_normal_(tensor.new_empty(tensor.shape[0] // self.copies, *tensor.shape[1:]), std=0.02)
        tensor.copy_(first.repeat_interleave(self.copies, 0))

    @staticmethod
    def layer(in_width: int, out_width: int, size: Size, kernel: int = 1, held: int = 0) -> Layer:
        """Return what one image costs."""
        cells, weight = size[0] * size[1], kernel * kernel * in_width * out_width
        outputs = out_width * cells
        return Layer("conv", weight * cells, weight + out_width, in_width * cells, outputs, outputs, held)
