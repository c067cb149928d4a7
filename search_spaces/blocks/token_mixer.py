"""Half of a metaformer block (Yu et al. 2022, equation 2): x + mixer(norm(x)), the mixer and the norm by name.

Both names are part of the parameters' names, so that mixers share nothing with each other; ``channel_mixer`` is the
other half.
"""

from __future__ import annotations

from torch import Tensor, nn

from search_spaces.block import register_block
from search_spaces.conv import Size
from search_spaces.layers import Layer
from search_spaces.maps import check_equal_widths
from search_spaces.mixers import mixers
from search_spaces.mixers.place import Place
from search_spaces.norms import NamedNorm, norm_layers
from search_spaces.tokens import add_layer


@register_block("token_mixer")
class TokenMixer(nn.Module):
    """(N, width, H, W) in and out.

    Args:
        in_width, out_width: channels; equal.
        in_size: (height, width) of the map.
        mixer: name of a token mixer.
        norm: name of a norm.
        kernel, window: how far the mixer sees; it uses one of them, or none.
        head_dim: channels of an attention head.
        shifted: whether this is every second mixer of its stage (shifted windows, far groups).
    """

    uses_size = True
    residual = True

    def __init__(
        self,
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        mixer: str,
        norm: str = "bn",
        kernel: int = 3,
        window: int = 4,
        head_dim: int = 8,
        shifted: bool = False,
    ) -> None:
        super().__init__()
        check_equal_widths("token_mixer", in_width, out_width, 1)
        self.norm = NamedNorm(norm, out_width)
        self.mixer = nn.ModuleDict(
            {mixer: mixers.get(mixer).build(Place(out_width, in_size, kernel, window, head_dim, shifted))}
        )
        self.mixer_name = mixer

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out: Tensor = x + self.mixer[self.mixer_name](self.norm(x))
        return out

    @staticmethod
    def layers(
        in_width: int,
        out_width: int,
        in_size: Size,
        *,
        mixer: str,
        norm: str = "bn",
        kernel: int = 3,
        window: int = 4,
        head_dim: int = 8,
        shifted: bool = False,
    ) -> tuple[Layer, ...]:
        """Return what one image costs."""
        check_equal_widths("token_mixer", in_width, out_width, 1)
        place = Place(out_width, in_size, kernel, window, head_dim, shifted)
        return (
            *norm_layers(norm, out_width, in_size, place.elements),
            *mixers.get(mixer).build.layers(place, place.elements),
            add_layer(place.elements),
        )
