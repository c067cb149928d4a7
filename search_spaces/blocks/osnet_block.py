"""OSNet's omni-scale block (Zhou et al. 2019, figures 3 and 4), and where OSNet-AIN puts instance norms (2021).

1x1 convolution to a quarter of the width; stream t = 1 ... T is t light 3x3 convolutions (1x1 linear, depthwise 3x3,
BatchNorm, ReLU); y = sum_t gate(stream_t) * stream_t with one gate for all streams; 1x1 convolution back; the
shortcut is added; ReLU.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import ConvNormAct, InstanceNorm, Size, conv_layers
from search_spaces.errors import UsageError, unknown
from search_spaces.layers import Layer
from search_spaces.osnet_choices import INSTANCE_NORMS, REDUCTION

GATE_REDUCTION = 16


class LightConv(nn.Module):
    """1x1 convolution, depthwise 3x3, BatchNorm, ReLU on (N, width, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.depthwise = ConvNormAct(width, width, 3, groups=width, activation="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved map."""
        out: Tensor = self.depthwise(self.pointwise(x))
        return out

    @staticmethod
    def layers(width: int, size: Size, held: int) -> tuple[Layer, ...]:
        """Return what one image costs."""
        elements = width * size[0] * size[1]
        pointwise = Layer("conv", width * elements, width * width, elements, elements, held=held)
        return (pointwise, *conv_layers(width, width, size, 3, groups=width, activation="relu", held=held))


class StreamGate(nn.Module):
    """x * sigmoid(W2 relu(W1 mean_HW(x) + b1) + b2), the hidden width a sixteenth (at least 1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = max(1, width // GATE_REDUCTION)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(width, hidden, 1)
        self.expand = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, width, H, W) with its channels gated."""
        gate: Tensor = self.expand(nn.functional.relu(self.reduce(self.pool(x))))
        return x * gate.sigmoid()

    @staticmethod
    def layers(width: int, size: Size, held: int, params: bool) -> tuple[Layer, ...]:
        """Return the layers of one use; only the first use brings the ``params``."""
        hidden, elements = max(1, width // GATE_REDUCTION), width * size[0] * size[1]
        weight = width * hidden
        return (
            Layer("pool", 0, 0, elements, width, held=held),
            Layer("conv", weight, params * (weight + hidden), width, hidden, hidden, held),
            Layer("activation", 0, 0, hidden, hidden, held=held),
            Layer("conv", weight, params * (weight + width), hidden, width, width, held),
            Layer("activation", 0, 0, width, width, held=held),
            Layer("scale", 0, 0, elements + width, elements, held=held),
        )


@register_block("osnet_block")
class OsnetBlock(nn.Module):
    """(N, in_width, H, W) -> (N, out_width, H, W). ``streams`` is the largest scale T."""

    uses_size = False

    def __init__(
        self, in_width: int, out_width: int, in_size: Size, *, streams: int = 4, instance_norm: str = "none"
    ) -> None:
        super().__init__()
        width = _inner_width(out_width, streams, instance_norm)
        self.reduce = ConvNormAct(in_width, width, 1, activation="relu")
        self.streams = nn.ModuleDict(
            {f"scale{t}": nn.Sequential(*(LightConv(width) for _ in range(t))) for t in range(1, streams + 1)}
        )
        self.gate = StreamGate(width)
        inside, outside = instance_norm in ("inside", "both"), instance_norm in ("outside", "both")
        self.expand = nn.Conv2d(width, out_width, 1, bias=False)
        self.expand_norm = nn.Identity() if inside else nn.BatchNorm2d(out_width)
        self.inside_norm = InstanceNorm(out_width) if inside else nn.Identity()
        self.shortcut = nn.Identity() if in_width == out_width else ConvNormAct(in_width, out_width, 1)
        self.outside_norm = InstanceNorm(out_width) if outside else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        return nn.functional.relu(self.outside_norm(self.changed(x) + self.shortcut(x)))

    def changed(self, x: Tensor) -> Tensor:
        """Return what the streams add to the shortcut."""
        reduced: Tensor = self.reduce(x)
        gated = [self.gate(stream(reduced)) for stream in self.streams.values()]
        mixed = gated[0]
        for each in gated[1:]:
            mixed = mixed + each
        out: Tensor = self.inside_norm(self.expand_norm(self.expand(mixed)))
        return out

    @staticmethod
    def layers(
        in_width: int, out_width: int, in_size: Size, *, streams: int = 4, instance_norm: str = "none"
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        width, cells = _inner_width(out_width, streams, instance_norm), in_size[0] * in_size[1]
        inputs, inner, outputs = in_width * cells, width * cells, out_width * cells
        held = inputs + inner
        found = list(conv_layers(in_width, width, in_size, 1, activation="relu"))
        for t in range(1, streams + 1):
            found += t * LightConv.layers(width, in_size, held)
            found += StreamGate.layers(width, in_size, held, params=t == 1)
            if t > 1:
                found.append(Layer("add", 0, 0, 2 * inner, inner, held=held))
        inside, outside = instance_norm in ("inside", "both"), instance_norm in ("outside", "both")
        found.append(Layer("conv", width * outputs, width * out_width, inner, outputs, held=inputs))
        norm = "instance_norm" if inside else "batch_norm"
        found.append(Layer(norm, 0, 2 * out_width, outputs, outputs, held=inputs))
        if in_width != out_width:
            found += conv_layers(in_width, out_width, in_size, 1, held=outputs)
        found.append(Layer("add", 0, 0, 2 * outputs, outputs))
        if outside:
            found.append(Layer("instance_norm", 0, 2 * out_width, outputs, outputs))
        found.append(Layer("activation", 0, 0, outputs, outputs))
        return tuple(found)


def _inner_width(out_width: int, streams: int, instance_norm: str) -> int:
    if out_width % REDUCTION:
        raise UsageError(f"an osnet_block got width {out_width}: give a multiple of {REDUCTION}")
    if streams < 1:
        raise UsageError(f"an osnet_block got streams {streams}: give at least 1")
    if instance_norm not in INSTANCE_NORMS:
        raise unknown("instance_norm of an osnet_block", instance_norm, INSTANCE_NORMS)
    return out_width // REDUCTION
