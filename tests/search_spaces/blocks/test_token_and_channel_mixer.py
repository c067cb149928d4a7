from __future__ import annotations

import pytest
import torch

from search_spaces.attention_names import ATTENTION_NAMES
from search_spaces.block import block_layers, module_of
from search_spaces.blocks.osa import OneShotAggregation
from search_spaces.blocks.osnet_block import OsnetBlock
from search_spaces.blueprint import PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.feed_forwards import feed_forwards
from search_spaces.mixers.omni_scale import OmniScale
from search_spaces.mixers.osa import Osa
from search_spaces.mixers.place import Place
from search_spaces.norm_names import NORM_NAMES
from search_spaces.testing_blocks import check_block, fill, place


@pytest.mark.parametrize("norm", NORM_NAMES)
@pytest.mark.parametrize("feed_forward", feed_forwards.names())
def test_the_channel_mixer_is_nested_and_counted(feed_forward: str, norm: str) -> None:
    small, large = (
        place("channel_mixer", width, width, (4, 3), expansion=expansion, norm=norm, feed_forward=feed_forward)
        for width, expansion in ((8, 1.0), (16, 2.0))
    )
    check_block(small, large)


@pytest.mark.parametrize("attention", ATTENTION_NAMES)
def test_the_channel_attention_is_nested_and_counted(attention: str) -> None:
    """ECA's convolution of a wide map sees zeros where that of a narrow one is padded."""
    small, large = (place("channel_mixer", w, w, (4, 3), expansion=1.0, attention=attention) for w in (8, 16))
    check_block(small, large)


@pytest.mark.parametrize("norm", NORM_NAMES)
def test_the_token_mixer_is_nested_and_counted_with_every_norm(norm: str) -> None:
    small, large = (place("token_mixer", width, width, (4, 3), mixer="depthwise", norm=norm) for width in (8, 16))
    check_block(small, large)


@pytest.mark.parametrize("norm", NORM_NAMES)
@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
def test_the_reduction_is_nested_and_counted(norm: str, size: tuple[int, int]) -> None:
    small, large = (place("norm_reduction", a, b, size, norm=norm, stride=2) for a, b in ((8, 12), (16, 20)))
    check_block(small, large)


def test_the_names_of_choices_are_parts_of_the_parameters_names() -> None:
    block = module_of(place("token_mixer", 8, 8, (4, 4), mixer="swin", norm="ln"))
    assert {name.split(".")[1] for name, _ in block.named_parameters()} == {"swin", "ln_norm"}
    block = module_of(place("channel_mixer", 8, 8, (4, 4), expansion=2, norm="gn", attention="se", feed_forward="mlp"))
    assert {name.split(".")[1] for name, _ in block.named_parameters()} == {"gn_norm", "se", "mlp"}


def test_mixers_of_other_blocks_are_those_blocks_residuals() -> None:
    x = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    streams = OmniScale(Place(16, (4, 4), kernel=5)).eval()
    fill(streams, torch.Generator().manual_seed(1))
    assert isinstance(streams.block, OsnetBlock)
    with torch.no_grad():
        torch.testing.assert_close(torch.relu(x + streams(x)), streams.block(x))
    aggregation = Osa(Place(16, (4, 4)))
    assert isinstance(aggregation.inner, OneShotAggregation)


@pytest.mark.parametrize(
    ("placed", "message"),
    [
        (place("token_mixer", 8, 16, (4, 4), mixer="conv"), "a token_mixer block of stride 1 got widths 8 -> 16"),
        (place("channel_mixer", 8, 16, (4, 4), expansion=1), "a channel_mixer block of stride 1 got widths 8 -> 16"),
        (place("channel_mixer", 2, 2, (4, 4), expansion=1), "a channel_mixer block got width 2: allowed: 4 or more"),
        (place("channel_mixer", 8, 8, (4, 4), expansion=1, feed_forward="mpl"), "unknown feed-forward part 'mpl'"),
        (place("channel_mixer", 8, 8, (4, 4), expansion=1, attention="es"), "unknown channel attention 'es'"),
        (place("norm_reduction", 8, 8, (4, 4), norm="ib"), "unknown norm 'ib'"),
    ],
)
def test_blocks_that_can_not_stand_there(placed: PlacedBlock, message: str) -> None:
    for use in (module_of, block_layers):
        with pytest.raises(UsageError, match=message):
            use(placed)
