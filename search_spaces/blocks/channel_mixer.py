"""The other half of a metaformer block: x + attention(feed_forward(norm(x))), all three by name.

The names are part of the parameters' names; ``token_mixer`` is the first half (Yu et al. 2022, equation 3).
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.blocks.channel_attention import channel_attention, channel_attention_layers
from search_spaces.conv import Size
from search_spaces.feed_forwards import feed_forwards
from search_spaces.layers import Layer
from search_spaces.maps import cells_last, check_equal_widths, check_least_width
from search_spaces.norms import NamedNorm, norm_layers
from search_spaces.tokens import add_layer

REDUCTION = 4


@register_block("channel_mixer")
class ChannelMixer(nn.Module):
    """(N, width, H, W) in and out.

    Args:
        in_width, out_width: channels; equal.
        in_size: (height, width) of the map.
        expansion: of the hidden channels, relative to the width.
        norm: name of a norm.
        attention: name of a channel attention.
        feed_forward: name of a feed-forward part.
    """

    uses_size = False
    residual = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expansion: float,
        norm: str = "bn",
        attention: str = "none",
        feed_forward: str = "mlp",
    ) -> None:
        super().__init__()
        _check(in_width, out_width)
        hidden = int(out_width * expansion)
        self.norm = NamedNorm(norm, out_width)
        self.feed_forward = nn.ModuleDict({feed_forward: feed_forwards.get(feed_forward)(out_width, hidden)})
        gate = channel_attention(attention, out_width, out_width // REDUCTION)
        self.attention = nn.ModuleDict({attention: gate})
        self.names = feed_forward, attention

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        feed_forward, attention = self.names
        changed = self.feed_forward[feed_forward](cells_last(self.norm(x)))
        out: Tensor = x + self.attention[attention](changed.permute(0, 3, 1, 2))
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        expansion: float,
        norm: str = "bn",
        attention: str = "none",
        feed_forward: str = "mlp",
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        _check(in_width, out_width)
        held = out_width * in_size[0] * in_size[1]
        return (
            *norm_layers(norm, out_width, in_size, held),
            *feed_forwards.get(feed_forward).layers(out_width, int(out_width * expansion), in_size, held),
            *channel_attention_layers(attention, out_width, out_width // REDUCTION, in_size, held),
            add_layer(held),
        )


def _check(in_width: int, out_width: int) -> None:
    check_equal_widths("channel_mixer", in_width, out_width, 1)
    check_least_width("channel_mixer", out_width, REDUCTION)
