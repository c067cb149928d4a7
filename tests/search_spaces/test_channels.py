from __future__ import annotations

import pytest

from search_spaces.block import module_of
from search_spaces.blocks.mbconv import MBConv
from search_spaces.channels import ChannelGroup, Units, channel_groups, made_by
from search_spaces.testing_blocks import images, place, place_head, pyramid, tokens
from search_spaces.testing_channels import check_channel_groups

PLACED = {
    "mbconv": (place("mbconv", 6, 8, (5, 5), kernel=3, expansion=4.0), images, ["hidden"]),
    "mbconv_gated": (
        place("mbconv", 8, 8, (5, 5), kernel=3, expansion=4.0, squeeze_excite=True),
        images,
        ["hidden", "squeeze_excite.squeezed"],
    ),
    "mbconv_without_expansion": (place("mbconv", 8, 8, (5, 5), kernel=3, expansion=1), images, []),
    "pre_norm_mbconv": (
        place("pre_norm_mbconv", 8, 8, (5, 5), expansion=2.0),
        images,
        ["hidden", "squeeze_excite.squeezed"],
    ),
    "fused_mbconv": (place("fused_mbconv", 6, 8, (5, 5), kernel=3, expansion=2), images, ["hidden"]),
    "fused_mbconv_single": (place("fused_mbconv", 6, 8, (5, 5), kernel=3, expansion=1), images, []),
    "resnet_basic": (place("resnet_basic", 6, 8, (5, 5), stride=2), images, ["inner"]),
    "resnet_bottleneck": (place("resnet_bottleneck", 6, 32, (5, 5)), images, ["reduced", "inner"]),
    "resnet_bottleneck_gated": (
        place("resnet_bottleneck", 12, 32, (5, 5), attention="se_inner"),
        images,
        ["reduced", "inner", "inner_attention.squeezed"],
    ),
    "resnet_bottleneck_grouped": (place("resnet_bottleneck", 6, 32, (5, 5), group_width=2), images, []),
    "transformer": (
        place("transformer", 12, 12, (3, 3), heads=3, head_dim=4, mlp_width=20),
        tokens,
        ["heads", "mlp.hidden"],
    ),
    "relative_transformer": (
        place("relative_transformer", 12, 12, (3, 3), heads=3, head_dim=4, mlp_ratio=2.0),
        tokens,
        ["heads", "hidden"],
    ),
    "swin": (
        place("swin", 12, 12, (4, 4), heads=3, head_dim=4, mlp_width=20, window=2, shifted=True),
        images,
        ["attention.heads", "mlp.hidden"],
    ),
    "crossformer": (
        place("crossformer", 12, 12, (4, 4), heads=3, head_dim=4, mlp_width=20, window=2, far=True, bias_width=4),
        images,
        ["attention.heads", "mlp.hidden"],
    ),
    "pem_head": (
        place_head("pem_head", 8, 3, (3, 2), queries=4, decoder_width=16),
        pyramid,
        [
            "pixels.modulate.stage1.squeezed",
            "pixels.modulate.stage2.squeezed",
            "decoder.scale.stage2.heads",
            "decoder.scale.stage2.mix.mlp.hidden",
        ],
    ),
    "convnext": (place("convnext", 8, 8, (5, 5), kernel=3, expansion=2), images, ["mlp.mlp.hidden"]),
}


@pytest.mark.parametrize("name", PLACED)
def test_a_random_permutation_of_each_group_leaves_the_block_as_it_was(name) -> None:
    placed, inputs, expected = PLACED[name]
    assert check_channel_groups(placed, inputs) == expected


class TestContractFindsFaults:
    PLACED = place("mbconv", 6, 8, (5, 5), kernel=3, expansion=4.0)

    def fault(self, monkeypatch, message, *makers, reader="project.conv.weight", axis=1) -> None:
        group = ChannelGroup("wrong", makers, Units(reader, axis))
        monkeypatch.setattr(MBConv, "channel_groups", lambda self: (group,))
        with pytest.raises(AssertionError, match=message):
            check_channel_groups(self.PLACED)

    def test_a_forgotten_place(self, monkeypatch) -> None:
        self.fault(monkeypatch, "permuting group 'wrong' changes the output", Units("expand.conv.weight"))

    def test_channels_that_reach_beyond_the_block(self, monkeypatch) -> None:
        makers = tuple(Units(f"project.norm.{name}") for name in ("weight", "bias"))
        self.fault(monkeypatch, "permuting group 'wrong' changes", *makers, axis=0)

    def test_places_of_unequal_size(self, monkeypatch) -> None:
        self.fault(monkeypatch, r"group 'wrong' has places of \[6, 24\] channels", Units("expand.conv.weight", 1))

    def test_a_place_twice(self, monkeypatch) -> None:
        self.fault(monkeypatch, "group 'wrong' names a place twice", Units("project.conv.weight", 1))


@pytest.mark.parametrize("name", PLACED)
def test_no_place_is_in_two_groups(name) -> None:
    found = [units for g in channel_groups(module_of(PLACED[name][0])) for units in (*g.makers, g.reader)]
    assert len(found) == len(set(found))


def test_made_by_names_every_parameter_of_the_submodules() -> None:
    module = module_of(place("mbconv", 6, 8, (5, 5), kernel=3, expansion=4.0))
    found = [units.parameter for units in made_by(module, "expand")]
    assert found == ["expand.conv.weight", "expand.norm.weight", "expand.norm.bias"]
