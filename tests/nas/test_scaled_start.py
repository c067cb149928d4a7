import pytest
import torch

from nas.scaled_start import copy_overlap, scaled_start
from scaling.rule import scaling_rule
from search_spaces.blueprint import Blueprint
from search_spaces.errors import UsageError
from search_spaces.layout import Plain, Segments, centre, product, resized
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space, spaces

# Families whose norms act on single channels: there a wider network starts as the same function.
CHANNEL_NORMS = ("efficientnet", "lsnet", "mobilenetv3", "nasnet", "ofa_resnet", "osnet", "resnet", "vovnet")


def shared_of(family: str) -> tuple[SharedWeights, Blueprint]:
    found = space(family, form="small_image", num_classes=5)
    return SharedWeights(found, seed=3), found.blueprint(found.largest())


@pytest.mark.parametrize("family", spaces.names())
def test_a_network_of_the_space_starts_as_it_is_extracted(family: str) -> None:
    shared, blueprint = shared_of(family)
    network, carried = scaled_start(blueprint, shared.tensors, shared.layouts)
    extracted = shared.extract(blueprint)
    for (name, one), other in zip(network.named_parameters(), extracted.parameters(), strict=True):
        assert torch.equal(one, other), name
    assert carried.num_elements == carried.all_elements
    assert carried.num_tensors == carried.all_tensors
    assert carried.num_copied_blocks == 0


@pytest.mark.parametrize("family", CHANNEL_NORMS)
def test_a_wider_network_starts_as_the_same_function(family: str) -> None:
    shared, blueprint = shared_of(family)
    wide = scaling_rule("w")(blueprint, 4).blueprint
    network, carried = scaled_start(wide, shared.tensors, shared.layouts)
    narrow, _ = scaled_start(blueprint, shared.tensors, shared.layouts)
    images = torch.randn(4, 3, *blueprint.resolution, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(network(images), narrow(images), atol=1e-5, rtol=1e-4)
    assert 0.15 < carried.num_elements / carried.all_elements < 0.4


def test_what_is_new_still_learns() -> None:
    shared, blueprint = shared_of("ofa_mobilenet")
    network, _ = scaled_start(scaling_rule("w")(blueprint, 4).blueprint, shared.tensors, shared.layouts)
    network(torch.randn(4, 3, *blueprint.resolution)).square().sum().backward()
    head = network.get_parameter("head.mobile_head.classifier.weight")
    old = shared.tensors["head.mobile_head.classifier.weight"].shape[1]
    assert head.grad is not None
    assert float(head.detach()[:, old:].abs().max()) == 0
    assert float(head.grad[:, old:].abs().max()) > 0


@pytest.mark.parametrize("family", ["resnet", "inception", "vit"])
def test_extra_blocks_are_copies_of_the_block_before(family: str) -> None:
    shared, blueprint = shared_of(family)
    deep = scaling_rule("d")(blueprint, 2).blueprint
    network, carried = scaled_start(deep, shared.tensors, shared.layouts)
    assert carried.num_copied_blocks == sum(s.depth for s in deep.stages) - sum(s.depth for s in blueprint.stages)
    assert carried.num_tensors == carried.all_tensors
    last, parameters = blueprint.stages[0].depth, dict(network.named_parameters())
    prefix = f"stage1.block{last}."
    for name in [name for name in parameters if name.startswith(prefix)]:
        copied = parameters[name.replace(prefix, f"stage1.block{last + 1}.")]
        assert torch.equal(parameters[name], copied), name


def test_every_kind_of_axis() -> None:
    def copied(layout, extent) -> torch.Tensor:
        to = torch.zeros([axis.size for axis in layout])
        source = torch.arange(1.0, 1 + sum(1 for _ in range(torch.Size([axis.size for axis in extent]).numel())))
        number = copy_overlap(to, layout, source.view([axis.size for axis in extent]), extent)
        assert number == int((to != 0).sum())
        return to

    assert copied((Plain(5),), (Plain(3),)).tolist() == [1, 2, 3, 0, 0]
    assert copied((centre(5),), (centre(3),)).tolist() == [0, 1, 2, 3, 0]
    assert copied((centre(3),), (centre(5),)).tolist() == [2, 3, 4]
    assert copied((product(2, 3),), (product(3, 2),)).tolist() == [1, 2, 0, 3, 4, 0]
    joined = Segments((("a", Plain(2)), ("b", Plain(2))))
    assert copied((joined,), (Segments((("b", Plain(1)), ("c", Plain(4)), ("a", Plain(3)))),)).tolist() == [6, 7, 1, 0]
    assert copied((resized(4),), (resized(2),)).shape == (4,)
    assert copied((Plain(2), Plain(3)), (Plain(3), Plain(2))).tolist() == [[1, 2, 0], [3, 4, 0]]


def test_new_inputs_of_old_outputs_are_quiet() -> None:
    to = torch.ones(3, 3)
    assert copy_overlap(to, (Plain(3), Plain(3)), torch.full((2, 2), 7.0), (Plain(2), Plain(2)), quiet=True) == 4
    assert to.tolist() == [[7, 7, 0], [7, 7, 0], [1, 1, 1]]


def test_another_family_is_refused() -> None:
    shared, _ = shared_of("resnet")
    _, other = shared_of("vit")
    tensors = {name: tensor for name, tensor in shared.tensors.items() if name.startswith("stage")}
    with pytest.raises(UsageError, match=r"no parameter of this 'vit' network has a name in the shared weights"):
        scaled_start(other, tensors, shared.layouts)
