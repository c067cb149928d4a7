"""A space with precisions keeps the contract of every space: rows, keys, operators, sizes, tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.block import network_layers
from search_spaces.errors import UsageError
from search_spaces.population import PopulationTable
from search_spaces.precision import policy_of, size_bytes
from search_spaces.quantised import SUFFIX, QuantisedSpace, architecture_space
from search_spaces.space import SearchSpace
from search_spaces.spaces import load_architecture, space
from search_spaces.testing import check_costs, check_encoding, check_operators, check_size

FAMILIES = ["fbnet", "ofa_mobilenet", "resnet", "swin"]
"""Blocks that may be skipped, blocks with knobs of their own, stages of equal blocks, transformers."""
PRECISIONS = ("int4_weights", "int8", "fp32")
every_family = pytest.mark.parametrize("family", FAMILIES)


def joint(family: str, **quantisation: object) -> SearchSpace:
    given = quantisation or {"precisions": PRECISIONS}
    return space(family, form="small_image", in_channels=1, num_classes=10, quantisation=given)


@every_family
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3)
def test_populations_stay_legal(family: str, seed: int) -> None:
    found = joint(family)
    check_encoding(found, 50, seed)
    check_operators(found, 50, seed)


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
def test_the_bytes_of_populations_are_those_of_each_network(family: str) -> None:
    found = joint(family)
    genes = found.sample(np.random.default_rng(1), 50)
    table = PopulationTable(found, lambda layers: (size_bytes(layers),))
    expected = [size_bytes(network_layers(found.blueprint(each))) for each in found.decode(genes)]
    assert table(genes)[:, 0].tolist() == expected


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


def test_a_fixed_block_has_no_knob() -> None:
    found = joint("resnet", precisions=PRECISIONS, fixed={"stem": "bf16"})
    assert f"stem{SUFFIX}" not in found.column
    assert policy_of(found.blueprint(found.largest()))["stem"] == "bf16"


def test_an_architecture_is_read_again_from_its_text_alone() -> None:
    found = joint("resnet", precisions=PRECISIONS, fixed={"head": "fp32"})
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
    ],
)
def test_what_can_not_be_used_is_named(quantisation: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        joint("resnet", **quantisation)
