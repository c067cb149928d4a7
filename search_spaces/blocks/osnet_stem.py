"""OSNet's stem (Zhou et al. 2019; with an instance norm: OSNet-AIN, 2021): 7x7 convolution, norm, ReLU, max pooling."""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import InstanceNorm, Size, strided
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare

STRIDES = (1, 4)


@register_block("osnet_stem")
class OsnetStem(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, ceil(H / stride), ceil(W / stride)).

    Stride 4 is a strided convolution and a strided pooling; stride 1, for small images, has neither.
    """

    uses_size = False

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int = 7,
        stride: int = 4,
        instance_norm: bool = False,
    ) -> None:
        super().__init__()
        _check(kernel, stride)
        self.conv = nn.Conv2d(in_width, out_width, kernel, min(stride, 2), kernel // 2, bias=False)
        declare(self.conv.weight, out_width, in_width, centre(kernel), centre(kernel))
        self.pools = stride > 1
        if instance_norm:
            self.instance_norm = InstanceNorm(out_width)
        else:
            self.batch_norm = nn.BatchNorm2d(out_width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map that the first stage reads."""
        norm = self.instance_norm if "instance_norm" in self._modules else self.batch_norm
        x = nn.functional.relu(norm(self.conv(x)))
        return nn.functional.max_pool2d(x, 3, 2, 1) if self.pools else x

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        kernel: int = 7,
        stride: int = 4,
        instance_norm: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(kernel, stride)
        size = strided(in_size, min(stride, 2))
        inputs, outputs = in_width * in_size[0] * in_size[1], out_width * size[0] * size[1]
        weight = kernel * kernel * in_width
        found = [
            Layer("conv", weight * outputs, weight * out_width, inputs, outputs),
            Layer("instance_norm" if instance_norm else "batch_norm", 0, 2 * out_width, outputs, outputs),
            Layer("activation", 0, 0, outputs, outputs),
        ]
        if stride > 1:
            height, width = strided(size, 2)
            found.append(Layer("max_pool", 0, 0, outputs, out_width * height * width))
        return tuple(found)


def _check(kernel: int, stride: int) -> None:
    if kernel % 2 == 0:
        raise UsageError(f"an osnet_stem got kernel {kernel}: give an odd one")
    if stride not in STRIDES:
        raise UsageError(f"an osnet_stem got stride {stride}: allowed: {', '.join(map(str, STRIDES))}")
