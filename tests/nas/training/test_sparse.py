from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from nas.training.sparse import cells_of, check_space, encode, masks_of, sparse_norm, strides, visible_cells
from search_spaces.errors import UsageError
from search_spaces.sharing import SharedWeights
from search_spaces.spaces import space

SMALL = ("ofa_mobilenet", "resnet", "convnext", "nb201", "vovnet")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_space(name: str):
    return space(name, form="small_image", in_channels=1, num_classes=3)


@pytest.mark.parametrize("name", SMALL)
def test_masked_positions_stay_exactly_zero_through_the_encoder(name) -> None:
    """At every map between blocks, and at the input of every convolution and norm inside them."""
    made = small_space(name)
    shared, blueprint = SharedWeights(made), made.blueprint(made.largest())
    stride, (height, width) = strides(blueprint)[-1], blueprint.resolution
    visible = visible_cells(3, (-(-height // stride), -(-width // stride)), 0.6, generator())
    masks = masks_of(visible, blueprint.resolution, stride)
    images = torch.randn(3, 1, height, width, generator=generator())
    seen = []

    def check(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d) and inputs[0].shape[2:] in masks:
            hidden = masks[inputs[0].shape[2:]] == 0
            assert not inputs[0][hidden.expand_as(inputs[0])].any(), module
            seen.append(module)

    handle = register_module_forward_hook(check)
    try:
        maps = encode(shared, blueprint, images, masks, 1.0)
    finally:
        handle.remove()
    assert len(seen) > 5
    assert sorted(maps) == sorted(set(strides(blueprint)))
    for found in maps.values():
        hidden = (masks[found.shape[2:]] == 0).expand_as(found)
        assert not found[hidden].any()
        assert bool(found[~hidden].any())
        assert bool(found.isfinite().all())


@pytest.mark.parametrize("name", SMALL)
def test_what_is_hidden_does_not_matter(name) -> None:
    made = small_space(name)
    shared, blueprint = SharedWeights(made), made.blueprint(made.largest())
    stride, (height, width) = strides(blueprint)[-1], blueprint.resolution
    masks = masks_of(visible_cells(2, (height // stride, width // stride), 0.5, generator()), (height, width), stride)
    images = torch.randn(2, 1, height, width, generator=generator())
    others = torch.where(masks[height, width] == 1, images, torch.randn(images.shape, generator=generator(1)))
    one, other = (encode(shared, blueprint, each, masks, 1.0) for each in (images, others))
    for stride_of in one:
        assert torch.equal(one[stride_of], other[stride_of])


def test_with_everything_visible_it_is_the_network_itself() -> None:
    made = small_space("ofa_mobilenet")
    shared, blueprint = SharedWeights(made), made.blueprint(made.largest())
    (height, width), stride = blueprint.resolution, strides(blueprint)[-1]
    images = torch.randn(2, 1, height, width, generator=generator())
    cells = torch.ones(2, 1, height // stride, width // stride, dtype=torch.bool)
    found = encode(shared, blueprint, images, masks_of(cells, blueprint.resolution, stride), 1.0)
    _, expected = shared.run(blueprint, images, features=True)
    assert torch.allclose(found[stride], expected, atol=1e-4)
    plain, again = (shared.run(blueprint, images) for _ in range(2))
    assert torch.equal(plain, again), "the hooks are gone"


def test_norm_is_over_visible_positions() -> None:
    x, mask = torch.randn(4, 3, 5, 6), (torch.rand(4, 1, 5, 6, generator=generator()) < 0.4).float()
    visible = x.movedim(1, 3)[mask[:, 0] == 1]
    expected = torch.zeros(4, 5, 6, 3)
    expected[mask[:, 0] == 1] = torch.nn.functional.batch_norm(visible, None, None, training=True)
    assert torch.allclose(sparse_norm(x, mask, 1e-5), expected.movedim(3, 1), atol=1e-5)


@pytest.mark.parametrize(("ratio", "expected"), [(0.6, 20), (0.99, 1), (0.001, 48)])
def test_every_image_shows_as_many_cells(ratio, expected) -> None:
    visible = visible_cells(5, (7, 7), ratio, generator())
    assert visible.shape == (5, 1, 7, 7)
    assert visible.sum(dim=(1, 2, 3)).tolist() == [expected] * 5
    assert torch.equal(visible, visible_cells(5, (7, 7), ratio, generator()))
    assert not torch.equal(visible[0], visible[1]) or ratio == 0.001


def test_masks_of_all_sizes_show_the_same_cells() -> None:
    visible = visible_cells(2, (4, 3), 0.5, generator())
    masks = masks_of(visible, (29, 24), 8)
    assert sorted(masks) == [(4, 3), (8, 6), (15, 12), (29, 24)]
    for (height, width), mask in masks.items():
        ratio = {4: 8, 8: 4, 15: 2, 29: 1}[height]
        for row in range(height):
            for column in range(width):
                cell = visible[:, 0, row * ratio // 8, column * ratio // 8]
                assert torch.equal(mask[:, 0, row, column], cell.float())


@pytest.mark.parametrize("name", ["vit", "swin"])
def test_spaces_that_mix_positions_by_attention_are_refused(name) -> None:
    made = small_space(name)
    message = rf"space '{name}', whose block stage1.block1 \(\w+\) is no convolution .* choose a convolutional space"
    with pytest.raises(UsageError, match=message):
        check_space(made)


def test_a_space_whose_blocks_have_two_inputs_is_refused() -> None:
    made = small_space("nasnet")
    blueprint = made.blueprint(made.smallest())
    with pytest.raises(UsageError, match=r"space 'nasnet', whose block .* is no convolution on one map"):
        encode(SharedWeights(made), blueprint, torch.zeros(2, 1, *blueprint.resolution), {}, 1.0)


def test_a_map_of_one_cell_is_refused() -> None:
    made = small_space("convnext")
    assert cells_of(made.blueprint(made.largest())) == (2, 2)
    with pytest.raises(UsageError, match=r"coarsest map is 1 x 1 \(resolution 8 x 8\): it takes 2 x 2 or more: choose"):
        cells_of(made.blueprint(made.smallest()))
