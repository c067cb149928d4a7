"""The nesting test finds what sharing by a plain prefix gets wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from search_spaces import testing_blocks
from search_spaces.block import blocks
from search_spaces.layers import Layer
from search_spaces.testing_blocks import (
    MaskedNorm,
    check_block,
    check_layers,
    check_nesting,
    images,
    place,
    tokens,
)


class LeadingKernel(nn.Conv2d):
    """A same-padded convolution that does not declare that its kernel's centre is shared."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: tuple[int, int], *, kernel: int) -> None:
        super().__init__(in_width, out_width, kernel, padding=kernel // 2, bias=False)

    @staticmethod
    def layers(in_width: int, out_width: int, in_size: tuple[int, int], *, kernel: int) -> tuple[Layer, ...]:
        weight, cells = in_width * out_width * kernel**2, in_size[0] * in_size[1]
        return (Layer("conv", weight * cells, weight + out_width, in_width * cells, out_width * cells),)


class GroupedPrefix(nn.Conv2d):
    """A grouped convolution whose group width changes with the width, shared by a plain prefix."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: tuple[int, int], *, groups: int) -> None:
        super().__init__(in_width, out_width, 1, groups=groups, bias=False)


class Constant(nn.Module):
    """Adds one to every channel: the channels beside the small block's are not zero."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: tuple[int, int]) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x + 1


@pytest.fixture(autouse=True)
def _broken_blocks() -> Iterator[None]:
    broken = {
        "leading_kernel": LeadingKernel,
        "grouped_prefix": GroupedPrefix,
        "constant": Constant,
        "channels": Channels,
    }
    blocks.names()
    blocks._entries.update(broken)  # type: ignore[arg-type]
    yield
    for name in broken:
        del blocks._entries[name]


def test_a_kernel_that_is_cropped_from_its_corner_is_found() -> None:
    with pytest.raises(AssertionError, match=r"is not nested in .*: relative error"):
        check_nesting(place("leading_kernel", 3, 4, (6, 6), kernel=3), place("leading_kernel", 3, 6, (6, 6), kernel=5))


def test_groups_that_mix_other_channels_are_found() -> None:
    with pytest.raises(AssertionError, match="is not nested in"):
        check_nesting(
            place("grouped_prefix", 8, 8, (2, 2), groups=2), place("grouped_prefix", 16, 16, (2, 2), groups=2)
        )


def test_values_beside_the_small_blocks_channels_are_found() -> None:
    with pytest.raises(AssertionError, match="is not zero beside its channels"):
        check_nesting(place("constant", 2, 2, (2, 2)), place("constant", 4, 4, (2, 2)))


def test_a_small_block_with_other_parameters_is_found() -> None:
    small = place("mbconv", 8, 8, (4, 4), kernel=3, expansion=2, squeeze_excite=True)
    large = place("mbconv", 16, 16, (4, 4), kernel=3, expansion=2)
    with pytest.raises(
        AssertionError, match=r"parameter 'squeeze_excite\.reduce.weight' is in the small block and not"
    ):
        check_nesting(small, large)


def test_a_small_block_that_is_larger_is_found() -> None:
    large, small = (place("mbconv", width, width, (4, 4), kernel=3, expansion=2) for width in (8, 16))
    with pytest.raises(AssertionError, match=r"parameter 'expand.conv.weight' of layout .* does not lie inside"):
        check_nesting(small, large)


def test_layers_that_leave_something_out_are_found() -> None:
    with pytest.raises(AssertionError, match=r"the layers give \(params, macs, activations\) .*, fvcore "):
        check_layers(place("leading_kernel", 3, 4, (6, 6), kernel=3))


def test_check_block_runs_both(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(testing_blocks, "check_nesting", lambda *_: called.append("nesting"))
    monkeypatch.setattr(testing_blocks, "check_layers", lambda *_: called.append("layers"))
    check_block(place("constant", 2, 2, (2, 2)), place("constant", 4, 4, (2, 2)))
    assert called == ["nesting", "layers", "layers"]


def test_the_masked_norm_is_the_small_one_where_its_channels_stand_and_zeros() -> None:
    small, places = nn.LayerNorm(4), torch.tensor([0, 1, 3, 4])
    x = torch.randn(2, 3, 6, generator=torch.Generator().manual_seed(0))
    out = MaskedNorm(small, places, 6)(x)
    assert torch.equal(out[..., places], small(x[..., places]))
    assert not out[..., [2, 5]].any()


class Channels(nn.Module):
    """Divides by the mean over the channels: of another number of them, another mean."""

    uses_size = False

    def __init__(self, in_width: int, out_width: int, in_size: tuple[int, int]) -> None:
        super().__init__()
        self.mean = MeanOne(in_width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.mean(x.permute(0, 2, 3, 1))
        return out.permute(0, 3, 1, 2)


class MeanOne(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x / x.abs().mean(-1, keepdim=True)


def test_a_norm_over_channels_is_masked_when_it_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = (place("channels", width, width, (2, 2)) for width in (4, 6))
    with pytest.raises(AssertionError, match="relative error"):
        check_nesting(small, large)
    monkeypatch.setattr(MeanOne, "over_channels", True, raising=False)
    check_nesting(small, large)


def test_blocks_that_follow_each_other() -> None:
    small, large = (
        [place("conv_stem", 3, w, (4, 4), kernel=3, stride=1, activation="relu"), place("norm_head", w, 5, (4, 4))]
        for w in (4, 6)
    )
    check_nesting(small, large)


def test_example_inputs_have_the_blocks_shapes() -> None:
    generator = torch.Generator().manual_seed(0)
    assert images(3, (4, 5), generator).shape == (2, 3, 4, 5)
    assert tokens(8, (4, 5), generator).shape == (2, 21, 8)
