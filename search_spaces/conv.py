"""Small pieces that blocks share: rounding, activations, convolution + norm + activation, their layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer
from search_spaces.layout import centre, declare
from search_spaces.rounding import make_divisible

__all__ = ["ACTIVATIONS", "ConvNormAct", "Size", "conv_layers", "make_divisible", "strided"]

Size = tuple[int, int]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hard_swish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "none": nn.Identity,
}


def activation_module(name: str) -> nn.Module:
    """Return the activation called ``name``."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


def strided(size: Size, stride: int) -> Size:
    """Return the output size of a same-padded operation: ceil(n / stride) a side."""
    return -(-size[0] // stride), -(-size[1] // stride)


class ConvNormAct(nn.Module):
    """Same-padded convolution without bias, BatchNorm, activation. (N, C, H, W) -> (N, C', H/s, W/s)."""

    def __init__(
        self, in_width: int, out_width: int, kernel: int, stride: int = 1, groups: int = 1, activation: str = "none"
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise UsageError(f"kernel got {kernel}: same-padded convolutions take odd kernels")
        self.conv = nn.Conv2d(in_width, out_width, kernel, stride, kernel // 2, groups=groups, bias=False)
        declare(self.conv.weight, out_width, in_width // groups, centre(kernel), centre(kernel))
        self.norm = nn.BatchNorm2d(out_width)
        self.activation = activation_module(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Return activation(norm(conv(x)))."""
        out: Tensor = self.activation(self.norm(self.conv(x)))
        return out


def conv_layers(
    in_width: int,
    out_width: int,
    in_size: Size,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: str = "none",
    held: int = 0,
) -> tuple[Layer, ...]:
    """Return the layers of ``ConvNormAct``."""
    height, width = strided(in_size, stride)
    outputs = out_width * height * width
    weight = kernel * kernel * (in_width // groups) * out_width
    inputs = in_width * in_size[0] * in_size[1]
    op = "depthwise" if groups == in_width == out_width and groups > 1 else "conv"
    found = [
        Layer(op, weight * height * width, weight, inputs, outputs, held=held),
        Layer("batch_norm", 0, 2 * out_width, outputs, outputs, held=held),
    ]
    if activation != "none":
        found.append(Layer("activation", 0, 0, outputs, outputs, held=held))
    return tuple(found)


class ReluConvNorm(ConvNormAct):
    """ReLU, same-padded convolution without bias, BatchNorm. (N, C, H, W) -> (N, C', H/s, W/s)."""

    def __init__(self, in_width: int, out_width: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_width, out_width, kernel, stride, groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return norm(conv(relu(x)))."""
        out: Tensor = self.norm(self.conv(nn.functional.relu(x)))
        return out


def relu_conv_layers(
    in_width: int, out_width: int, in_size: Size, kernel: int, stride: int = 1, groups: int = 1, held: int = 0
) -> tuple[Layer, ...]:
    """Return the layers of ``ReluConvNorm``."""
    inputs = in_width * in_size[0] * in_size[1]
    relu = Layer("activation", 0, 0, inputs, inputs, held=held)
    return (relu, *conv_layers(in_width, out_width, in_size, kernel, stride, groups, held=held))


class InstanceNorm(nn.Module):
    """Affine normalisation of each channel of each image over its pixels (Ulyanov et al. 2016); (N, C, H, W).

    PyTorch's module of that name keeps empty buffers, which networks inside shared weights do not.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.bias = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map."""
        return nn.functional.instance_norm(x, weight=self.weight, bias=self.bias)
