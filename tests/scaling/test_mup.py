import pytest

from scaling.mup import Multipliers, multipliers
from scaling.rule import scaling_rule
from search_spaces.building import assemble
from search_spaces.errors import UsageError
from search_spaces.networks import network


def test_the_table_of_the_paper_on_a_vit() -> None:
    """Twice the width: hidden weights, vectors (input weights, biases, norms) and the readout (table 8)."""
    base = network("deit_tiny_patch16_224")
    found = multipliers(base, scaling_rule("w")(base, 4).blueprint)
    hidden = Multipliers("hidden", init_std=2**-0.5, adam_lr=0.5, sgd_lr=1.0, adam_weight_decay=2.0)
    vector = Multipliers("vector", sgd_lr=2.0)
    roles = {name: each for name, each in found.items() if name.startswith("stage1.block1.")}
    assert {each for name, each in roles.items() if name.endswith(("qkv.weight", "fc1.weight", "up.weight"))} <= {
        hidden
    }
    assert hidden in roles.values()
    assert {each for name, each in roles.items() if name.endswith("bias") or "norm" in name} == {vector}
    assert {each for name, each in found.items() if name.startswith("stem.")} == {vector}
    (readout,) = [name for name, each in found.items() if each.role == "readout"]
    assert readout.startswith("head.")
    assert found[readout] == Multipliers("readout", forward=0.5, sgd_lr=2.0)


@pytest.mark.parametrize("name", ["regnety_002", "mobilenetv2_050", "swin_tiny_patch4_window7_224", "osnet_x0_25"])
def test_every_parameter_of_the_scaled_network_has_multipliers(name: str) -> None:
    base = network(name)
    scaled = scaling_rule("dwr")(base, 4).blueprint
    found = multipliers(base, scaled)
    assert set(found) == {each for each, _ in assemble(scaled, "meta").named_parameters()}
    assert {each.role for each in found.values()} == {"hidden", "vector", "readout"}


def test_depthwise_kernels_are_vectors() -> None:
    base = network("mobilenetv2_050")
    found = multipliers(base, scaling_rule("w")(base, 4).blueprint)
    assert {each.role for name, each in found.items() if ".depthwise.conv.weight" in name} == {"vector"}


@pytest.mark.parametrize("rule", ["d", "r"])
def test_nothing_changes_where_the_width_stays(rule: str) -> None:
    base = network("regnety_002")
    found = multipliers(base, scaling_rule(rule)(base, 3).blueprint)
    assert set(found.values()) == {Multipliers("vector")}


def test_other_stages_are_refused() -> None:
    with pytest.raises(UsageError, match="learning rates transfer between networks of the same stages"):
        multipliers(network("regnety_002"), network("deit_tiny_patch16_224"))
