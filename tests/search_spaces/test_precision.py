from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.block import block_layers, network_layers
from search_spaces.blueprint import Block, Blueprint, PlacedBlock, Stage, blueprint_from_dict
from search_spaces.errors import UsageError
from search_spaces.layer_names import layer_names
from search_spaces.layers import Layer, total, weighted_groups
from search_spaces.precision import (
    PRECISIONS,
    has_weights,
    is_quantised,
    policy_of,
    precision,
    size_bytes,
    with_layers_counted,
    with_policy,
)
from search_spaces.spaces import space

PATHS = ("expand.conv", "depthwise.conv", "squeeze_excite.reduce", "squeeze_excite.expand", "project.conv")
BASE = space("ofa_mobilenet", form="small_image", in_channels=1, num_classes=10)
PLAIN = BASE.blueprint(BASE.smallest())


def with_an_empty_block() -> Blueprint:
    """FBNet's skip: a block without weights."""
    found = space("fbnet", form="small_image", in_channels=1, num_classes=10)
    networks = [found.blueprint(each) for each in (found.largest(), found.smallest())]
    return next(each for each in networks if any(not has_weights(placed) for placed in each.placed()))


def test_a_policy_is_read_back_and_leaves_the_rest() -> None:
    found = with_policy(PLAIN, {"stem": "int8", "stage2.block1": "bf16"})
    policy = policy_of(found)
    assert (policy["stem"], policy["stage2.block1"], policy["head"]) == ("int8", "bf16", "fp32")
    assert is_quantised(found)
    assert not is_quantised(PLAIN)
    assert with_policy(found, dict.fromkeys(policy, "fp32")) == PLAIN


def test_layers_of_a_block_have_precisions_of_their_own() -> None:
    project = "stage3.block1.mbconv.project.conv"
    found = with_policy(PLAIN, {"stage3.block1": "int8", project: "fp32", "head": "bf16"})
    policy = policy_of(found)
    within = {name: given for name, given in policy.items() if name.startswith("stage3.block1")}
    assert within.pop(project) == "fp32"
    assert within == dict.fromkeys([f"stage3.block1.mbconv.{path}" for path in PATHS[:-1]], "int8")
    assert (policy["head"], policy["stage4.block1"]) == ("bf16", "fp32")
    assert with_policy(PLAIN, policy) == found
    # The other way round: the block as a whole after its layers, and layers of a block that has several already.
    assert with_policy(found, {"stage3.block1": "fp32", "head": "fp32"}) == PLAIN
    assert with_policy(found, {project: "int8"}) == with_policy(PLAIN, {"stage3.block1": "int8", "head": "bf16"})


def test_equal_precisions_are_one() -> None:
    assert Block("mbconv", (), ("int8", "int8")) == Block("mbconv", (), "int8")
    assert Block("mbconv", (), ("int8", "fp32")) != Block("mbconv", (), ("fp32", "int8"))
    [placed] = [each for each in PLAIN.placed() if each.name == "stage3.block1"]
    every = dict.fromkeys(layer_names(placed), "int8")
    assert with_policy(PLAIN, every) == with_policy(PLAIN, {"stage3.block1": "int8"})


@given(st.lists(st.sampled_from(list(PRECISIONS)), min_size=5, max_size=5))
def test_bytes_of_a_block_are_those_of_its_layers(chosen: list[str]) -> None:
    """Each layer, its BatchNorm with it, weighs what it does in a block that is all of its precision."""
    [placed] = [each for each in PLAIN.placed() if each.name == "stage3.block1"]
    groups = weighted_groups(block_layers(placed))
    assert len(groups) == len(chosen)
    expected = sum(
        size_bytes(replace(layer, precision=name) for layer in group)
        for group, name in zip(groups, chosen, strict=True)
    )
    assert size_bytes(block_layers(replace(placed, precision=tuple(chosen)))) == expected


@pytest.mark.parametrize("policy", [{"head": "int4_weights"}, {"stage2.block1.mbconv.expand.conv": "int8"}])
def test_it_is_written_and_read_with_the_blueprint(policy: dict[str, str]) -> None:
    found = with_policy(PLAIN, policy)
    assert blueprint_from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert "precision" not in json.dumps(PLAIN.to_dict())


def test_a_block_that_is_changed_keeps_its_precision() -> None:
    block = Block("mbconv", Block.of("mbconv", kernel=3).settings, "int8")
    assert block.replace(kernel=5) == Block("mbconv", (("kernel", 5),), "int8")


def test_nothing_that_is_counted_changes() -> None:
    found = with_policy(PLAIN, dict.fromkeys(policy_of(PLAIN), "int8"))
    assert total(network_layers(found)) == total(network_layers(PLAIN))
    placed = next(iter(found.placed()))
    assert {layer.precision for layer in block_layers(placed)} == {"int8"}


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # 8 channels of 3 x 3 x 4 weights over 5 x 5 pixels, with a bias each.
        (Layer("conv", 288 * 25, 296, 100, 200, 200), {"fp32": 4 * 296, "bf16": 2 * 288 + 32}),
        (Layer("conv", 288 * 25, 296, 100, 200, 200), {"int8_weights": 288 + 64, "int4_weights": 144 + 64}),
        (Layer("conv", 288 * 25, 296, 100, 200, 200), {"int8": 288 + 8 * (4 + 1 + 12)}),
        (Layer("linear", 30, 30, 10, 3), {"fp32": 120, "int4_weights": 15 + 12}),
        # One row, whose bias is an integer, and five rows of tokens.
        (Layer("linear", 30, 33, 10, 3, 3), {"int8": 30 + 3 * (4 + 1 + 12)}),
        (Layer("linear", 5 * 30, 33, 50, 15, 15), {"int8": 30 + 3 * (4 + 1 + 4)}),
        (Layer("batch_norm", 0, 16, 200, 200), {"fp32": 32, "int4_weights": 32, "int8": 96}),
        (Layer("layer_norm", 0, 16, 8, 8), {"fp32": 64, "int8": 64}),
        (Layer("attention", 1000, 0, 10, 10), {"fp32": 0, "int8": 0}),
    ],
)
def test_bytes_by_hand(layer: Layer, expected: dict[str, int]) -> None:
    for name, num_bytes in expected.items():
        assert size_bytes([replace(layer, precision=name)]) == num_bytes


def test_float32_takes_four_bytes_a_parameter_less_the_folded_norms() -> None:
    folded = sum(layer.params // 2 for layer in network_layers(PLAIN) if layer.op == "batch_norm")
    assert size_bytes(network_layers(PLAIN)) == 4 * (total(network_layers(PLAIN)).params - folded)


def test_an_unknown_precision_lists_those_known() -> None:
    with pytest.raises(UsageError, match=r"unknown precision 'int9': did you mean .*int8.* allowed: bf16, fp32"):
        precision("int9")
    with pytest.raises(UsageError, match="unknown precision 'fp8'"):
        with_policy(PLAIN, {"stem": "fp8"})


def test_a_block_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown block or layer in the policy 'stage9\.block1'"):
        with_policy(PLAIN, {"stage9.block1": "int8"})


def test_a_layer_that_is_not_there_is_named() -> None:
    name = "stage2.block1.mbconv.expand"
    with pytest.raises(
        UsageError, match=rf"unknown block or layer in the policy '{name}': did you mean '{name}\.conv'"
    ):
        with_policy(PLAIN, {name: "int8"})


def test_precisions_that_do_not_fit_the_block_are_an_error() -> None:
    content = with_policy(PLAIN, {"stage2.block1.mbconv.expand.conv": "int8"}).to_dict()
    content["stages"][1]["blocks"][0]["precision"] = ["int8", "fp32"]
    found = blueprint_from_dict(content)
    for use in (lambda: list(network_layers(found)), lambda: policy_of(found)):
        with pytest.raises(UsageError, match=r"block 'stage2\.block1' \(mbconv\) got 2 precisions: give one .* or 3,"):
            use()
    content["stages"][1]["blocks"][0]["precision"] = []
    with pytest.raises(UsageError, match=r"precision got \[\], allowed: a name, or a list of names"):
        blueprint_from_dict(content)


def test_weights_that_are_used_twice_have_one_precision() -> None:
    base = space("osnet", form="small_image", in_channels=1, num_classes=10)
    with pytest.raises(UsageError, match=r"'stage1\.block1' \(osnet_block\) can't have a precision a layer"):
        with_policy(base.blueprint(base.largest()), {"stage1.block1.osnet_block.reduce.conv": "int8"})


def test_a_scaled_block_that_gained_a_layer_has_the_finest_precision() -> None:
    base = space("resnet", form="small_image", in_channels=1, num_classes=10)
    plain = base.blueprint(base.largest())
    mixed = with_policy(plain, {"stage2.block2.resnet_bottleneck.reduce.conv": "int8", "head": "int8"})
    assert with_layers_counted(mixed) is mixed or with_layers_counted(mixed) == mixed
    wider = replace(mixed.stages[1], blocks=mixed.stages[1].blocks[1:])
    found = with_layers_counted(replace(mixed, stages=(mixed.stages[0], wider, *mixed.stages[2:])))
    policy = policy_of(found)
    assert policy["stage2.block1"] == "fp32"
    assert policy["head"] == "int8"


def test_a_block_without_weights_has_no_precision() -> None:
    found = with_an_empty_block()
    empty = next(placed.name for placed in found.placed() if not has_weights(placed))
    assert empty not in policy_of(found)
    with pytest.raises(UsageError, match=rf"the policy gives '{empty}' .*: that block has no weights: drop it"):
        with_policy(found, {empty: "int8"})


def test_positions_are_those_of_the_network() -> None:
    stages = Stage("stage1", 8, (Block.of("mbconv", kernel=3, expansion=1),))
    found = replace(PLAIN, stages=(stages,))
    assert list(policy_of(found)) == ["stem", "stage1.block1", "head"]
    assert all(isinstance(placed, PlacedBlock) for placed in found.placed())
