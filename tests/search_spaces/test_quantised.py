"""A space with precisions, of blocks or of layers, keeps the contract of every space: rows, keys, sizes, tables."""

from __future__ import annotations

import hashlib
import json
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.search.population import all_rows
from predictors.roofline import combine_terms, latency_ms, roofline_terms
from predictors.target import target
from search_spaces.architecture import canonical_json
from search_spaces.block import network_blocks, network_layers
from search_spaces.errors import UsageError
from search_spaces.layer_names import layer_names
from search_spaces.layers import is_weighted
from search_spaces.population import PopulationTable
from search_spaces.precision import PRECISIONS as KNOWN
from search_spaces.precision import policy_of, size_bytes, with_policy
from search_spaces.quantised import SUFFIX, QuantisationSettings, QuantisedSpace, architecture_space
from search_spaces.space import SearchSpace
from search_spaces.spaces import load_architecture, space
from search_spaces.testing import check_costs, check_encoding, check_operators, check_size

FAMILIES = ["fbnet", "ofa_mobilenet", "resnet", "swin"]
"""Blocks that may be skipped, blocks with knobs of their own, stages of equal blocks, transformers."""
PRECISIONS = ("int4_weights", "int8", "fp32")
BEFORE = {
    "fbnet": "320c16334fd3b807",
    "ofa_mobilenet": "cf58d2ff41647c55",
    "resnet": "e138ff4a020a8ef0",
    "swin": "5cec27ab4f173f3f",
}
every_family = pytest.mark.parametrize("family", FAMILIES)
every_granularity = pytest.mark.parametrize("granularity", ["block", "layer"])


def joint(family: str, **quantisation: object) -> QuantisedSpace:
    given = {"precisions": PRECISIONS, **quantisation}
    found = space(family, form="small_image", in_channels=1, num_classes=10, quantisation=given)
    assert isinstance(found, QuantisedSpace)
    return found


@every_family
@every_granularity
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3)
def test_populations_stay_legal(family: str, granularity: str, seed: int) -> None:
    found = joint(family, granularity=granularity)
    check_encoding(found, 50, seed)
    check_operators(found, 50, seed)


def test_tables_of_layers_are_exact() -> None:
    check_costs(joint("ofa_mobilenet", granularity="layer"), 20)


def test_networks_are_counted_by_enumeration(toy: SearchSpace) -> None:
    """The layers of the second block choose: three of an inverted bottleneck, one of a plain convolution."""
    fixed = dict.fromkeys(toy.position_knobs(), "int8")
    del fixed["stage1.block2"]
    given = {"precisions": ("int8", "fp32"), "fixed": fixed, "granularity": "layer"}
    found = QuantisedSpace(toy, QuantisationSettings.model_validate(given))
    # 2 kernels, and 2 expansions of a bottleneck: 6 blocks, or 4 x 2^3 + 2 x 2 with precisions; depths of 1, 2, 3.
    assert found.size() == 6 + 6 * 36 + 6 * 36 * 6
    check_size(found)
    rows = all_rows(found)
    networks = {json.dumps(found.blueprint(each).to_dict()) for each in found.decode(rows)}
    assert (len(rows), len(networks)) == (found.size(), found.size())
    check_costs(found, 50)


def test_sizes_and_tables_are_exact() -> None:
    found = space(
        "resnet", form="small_image", resolutions=[8], width_multipliers=[0.5], quantisation={"precisions": PRECISIONS}
    )
    check_size(found)
    check_costs(found, 20)


@every_family
def test_a_precision_is_active_where_its_block_stands(family: str) -> None:
    found = joint(family)
    for architecture in found.decode(found.sample(np.random.default_rng(0), 100)):
        chosen = {name.removesuffix(SUFFIX): v for name, v in architecture.choices if name.endswith(SUFFIX)}
        assert chosen == policy_of(found.blueprint(architecture))


@every_family
def test_a_layer_has_the_precision_of_its_knob(family: str) -> None:
    found = joint(family, granularity="layer")
    for architecture in found.decode(found.sample(np.random.default_rng(0), 20)):
        values, blueprint = architecture.values, found.blueprint(architecture)
        plain = found.base.blueprint(found.base.decode(found.encode([architecture])[:, : len(found.base.knobs)])[0])
        chosen = {name.removesuffix(SUFFIX): str(v) for name, v in values.items() if name.endswith(SUFFIX)}
        assert with_policy(plain, chosen) == blueprint
        layers = [layer.precision for layer in network_layers(blueprint) if is_weighted(layer)]
        names = [name for placed in blueprint.placed() for name in layer_names(placed)]
        assert layers == [chosen[name] for name in names]


@every_family
@every_granularity
def test_the_bytes_and_times_of_populations_are_those_of_each_network(family: str, granularity: str) -> None:
    found = joint(family, granularity=granularity, precisions=tuple(KNOWN))
    genes = found.sample(np.random.default_rng(1), 50)
    networks = [network_blocks(found.blueprint(each)) for each in found.decode(genes)]
    table = PopulationTable(found, lambda layers: (size_bytes(layers),))
    assert table(genes)[:, 0].tolist() == [size_bytes(chain(*blocks)) for blocks in networks]
    where = target("t4:fp16:b32")
    roofline = PopulationTable(found, lambda layers: roofline_terms(layers, where), np.float64)
    assert combine_terms(roofline(genes)).tolist() == [latency_ms(blocks, where) for blocks in networks]
    assert len(set(table(genes)[:, 0].tolist())) > 25


@every_family
def test_policies_of_blocks_are_stored_as_before_layers_had_any(family: str) -> None:
    """Digests of the architectures and blueprints of 20 networks, from the commit before."""
    found, digest = joint(family, fixed={"stem": "int8"}), hashlib.sha256()
    for architecture in found.decode(found.sample(np.random.default_rng(3), 20)):
        blueprint = found.blueprint(architecture)
        digest.update(architecture.to_json().encode())
        digest.update(canonical_json(blueprint.to_dict()).encode())
    assert digest.hexdigest()[:16] == BEFORE[family]


def test_the_architectures_are_those_of_the_base() -> None:
    found = joint("resnet")
    assert isinstance(found, QuantisedSpace)
    base = architecture_space(found)
    assert architecture_space(base) is base
    assert found.knobs[: len(base.knobs)] == base.knobs
    assert found.size() > base.size()
    networks = [found.blueprint(each).to_dict() for each in (found.largest(), found.smallest())]
    assert networks[0] == base.blueprint(base.largest()).to_dict()
    assert networks[1] != base.blueprint(base.smallest()).to_dict()


def test_one_precision_is_no_choice() -> None:
    found = joint("resnet", precisions=("int8",))
    assert found.size() == architecture_space(found).size()
    assert set(policy_of(found.blueprint(found.smallest())).values()) == {"int8"}


@every_granularity
def test_a_fixed_block_has_no_knob(granularity: str) -> None:
    found = joint("resnet", precisions=PRECISIONS, fixed={"stem": "bf16"}, granularity=granularity)
    assert not any(name.startswith("stem.") for name in found.column)
    assert policy_of(found.blueprint(found.largest()))["stem"] == "bf16"


def test_a_fixed_layer_has_no_knob() -> None:
    name = "stage1.block1.resnet_bottleneck.reduce.conv"
    fixed = {name: "bf16", "stage1.block1": "int8"}
    found = joint("resnet", fixed=fixed, granularity="layer")
    assert not any(name.startswith("stage1.block1.") for name in found.column)
    policy = policy_of(found.blueprint(found.smallest()))
    within = {key: given for key, given in policy.items() if key.startswith("stage1.block1.")}
    assert within.pop(name) == "bf16"
    assert set(within.values()) == {"int8"}
    with pytest.raises(UsageError, match=r"unknown block .*'stage1\.block1\.resnet_bottleneck\.reduce\.conv'"):
        joint("resnet", fixed=fixed)


@every_granularity
def test_an_architecture_is_read_again_from_its_text_alone(granularity: str) -> None:
    found = joint("resnet", precisions=PRECISIONS, fixed={"head": "fp32"}, granularity=granularity)
    architecture = found.decode(found.sample(np.random.default_rng(2), 1))[0]
    again, same = load_architecture(architecture.to_json())
    assert (same, same.key) == (architecture, architecture.key)
    assert again.blueprint(same) == found.blueprint(architecture)
    with pytest.raises(UsageError, match="are not the space's"):
        joint("resnet").read(architecture.to_json())


@pytest.mark.parametrize(
    ("quantisation", "message"),
    [
        ({"precisions": ("int8", "int9")}, r"quantisation\.precisions\.1 got 'int9': allowed: int4_weights, int8"),
        ({"precisions": ("int8", "int8")}, "give each once"),
        ({"precisions": ()}, "at least 1 item"),
        ({"fixed": {"stage9.block1": "int8"}}, r"unknown block .*'stage9\.block1'"),
        ({"bits": 8}, "Extra inputs are not permitted"),
        ({"granularity": "stage"}, r"quantisation\.granularity got 'stage': .* 'block' or 'layer'"),
    ],
)
def test_what_can_not_be_used_is_named(quantisation: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        joint("resnet", **quantisation)
