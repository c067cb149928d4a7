from __future__ import annotations

import pytest
import torch

from search_spaces.block import block_layers, blocks, cost, module_of, network_layers, register_block
from search_spaces.errors import UsageError
from search_spaces.layers import Layer
from search_spaces.space import SearchSpace
from search_spaces.testing_blocks import place


def test_the_blocks_of_both_families_are_registered() -> None:
    families = {"conv_stem", "mbconv", "mobile_head", "patch_embed", "relative_transformer", "token_head"}
    assert families <= set(blocks.names())


def test_an_unknown_kind_lists_close_ones() -> None:
    with pytest.raises(UsageError, match="unknown block 'mbconf': did you mean 'mbconv'"):
        block_layers(place("mbconf", 8, 8, (4, 4)))


def test_registering_gives_the_class_back() -> None:
    class Nothing(torch.nn.Identity):
        uses_size = False

        @staticmethod
        def layers(*_: object, **__: object) -> tuple[Layer, ...]:
            return ()

    try:
        assert register_block("nothing")(Nothing) is Nothing
        assert blocks.get("nothing") is Nothing
        assert block_layers(place("nothing", 8, 8, (4, 4))) == ()
    finally:
        del blocks._entries["nothing"]


def test_the_layers_of_a_network_are_those_of_its_blocks(toy: SearchSpace) -> None:
    blueprint = toy.blueprint(toy.largest())
    layers = [layer for placed in blueprint.placed() for layer in block_layers(placed)]
    assert list(network_layers(blueprint)) == layers
    assert cost(blueprint).params == sum(layer.params for layer in layers)


def test_module_of_builds_on_the_default_device() -> None:
    with torch.device("meta"):
        module = module_of(place("mbconv", 8, 16, (4, 4), kernel=3, expansion=4))
    assert {parameter.device.type for parameter in module.parameters()} == {"meta"}
