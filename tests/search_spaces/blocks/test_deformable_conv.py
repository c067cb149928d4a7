from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces.blocks.deformable_conv import TAPS, DeformableConv, sampled
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layers import total
from search_spaces.testing_blocks import fill

SIZES = ((5, 7), (1, 4), (3, 1))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def deformed(x: Tensor, rows: Tensor, columns: Tensor, strengths: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(sampled(x, rows, columns, strengths), weight, stride=3)


def by_loops(x: Tensor, rows: Tensor, columns: Tensor, strengths: Tensor, weight: Tensor) -> Tensor:
    """Equation 1 written out: bilinear weights max(0, 1 - |distance|) of every cell, nothing outside the map."""
    num, _, height, width = x.shape
    out = x.new_zeros(num, len(weight), height, width)
    ys, xs = torch.arange(height, dtype=x.dtype), torch.arange(width, dtype=x.dtype)
    for n in range(num):
        for i in range(height):
            for j in range(width):
                for tap in range(TAPS):
                    row = i + tap // 3 - 1 + rows[n, tap, i, j]
                    column = j + tap % 3 - 1 + columns[n, tap, i, j]
                    near = (1 - (ys - row).abs()).clamp(0)[:, None] * (1 - (xs - column).abs()).clamp(0)
                    value = (x[n] * near).sum((1, 2)) * strengths[n, tap, i, j]
                    out[n, :, i, j] += weight[:, :, tap // 3, tap % 3] @ value
    return out


@pytest.mark.parametrize("size", SIZES)
def test_without_offsets_it_is_the_plain_convolution(size: tuple[int, int]) -> None:
    x, weight = random(2, 4, *size), random(6, 4, 3, 3, seed=1)
    none, one = torch.zeros(2, TAPS, *size), torch.ones(2, TAPS, *size)
    torch.testing.assert_close(
        deformed(x, none, none, one, weight), F.conv2d(x, weight, padding=1), atol=1e-5, rtol=1e-6
    )
    x, none, one, weight = x.double(), none.double(), one.double(), weight.double()
    exact = deformed(x, none, none, one, weight)
    torch.testing.assert_close(exact, F.conv2d(x, weight, padding=1), atol=1e-13, rtol=0)


@pytest.mark.parametrize(("down", "right"), [(0, 1), (2, -1), (-3, 0), (1, 9)])
def test_whole_offsets_shift_the_convolution(down: int, right: int) -> None:
    x, weight = random(2, 4, 5, 7).double(), random(6, 4, 3, 3, seed=1).double()
    rows, columns, one = (torch.full((2, TAPS, 5, 7), float(value)).double() for value in (down, right, 1))
    wide = F.pad(x, (10, 10, 10, 10))
    expected = F.conv2d(wide, weight, padding=1)[:, :, 10 + down : 15 + down, 10 + right : 17 + right]
    torch.testing.assert_close(deformed(x, rows, columns, one, weight), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_equation_at_any_offsets_and_strengths(size: tuple[int, int]) -> None:
    x, weight = random(2, 3, *size).double(), random(2, 3, 3, 3, seed=1).double()
    rows, columns, strengths = (2 * random(2, TAPS, *size, seed=seed).double() for seed in (2, 3, 4))
    found = deformed(x, rows, columns, strengths, weight)
    torch.testing.assert_close(found, by_loops(x, rows, columns, strengths, weight), atol=1e-12, rtol=0)


def test_a_new_one_has_no_offsets_and_half_of_each_strength_and_learns_both() -> None:
    module = DeformableConv(4, 6)
    fill(module, torch.Generator().manual_seed(0))
    for name, parameter in module.places.named_parameters():
        module.places.initialise(name, parameter.data)
    x = random(2, 4, 5, 7)
    out = module(x)
    torch.testing.assert_close(out, F.conv2d(x, module.conv.weight, padding=1) / 2, atol=1e-5, rtol=1e-5)
    out.square().sum().backward()
    for part in module.places.weight.grad.chunk(3):  # type: ignore[union-attr]
        assert bool(part.any())


def test_offsets_are_of_rows_and_columns_in_that_order() -> None:
    module = DeformableConv(1, 1)
    fill(module, torch.Generator().manual_seed(0))
    with torch.no_grad():
        module.places.weight.zero_()
        module.places.bias.zero_()  # type: ignore[union-attr]
        module.places.bias[:TAPS] = 2.0  # type: ignore[index]
    x = random(1, 1, 6, 6)
    expected = F.conv2d(F.pad(x, (0, 0, 0, 2)), module.conv.weight, padding=1)[:, :, 2:] / 2
    torch.testing.assert_close(module(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_costs_what_fvcore_counts(size: tuple[int, int]) -> None:
    found = total(DeformableConv.layers(4, 6, size), "fvcore")
    assert (found.params, found.macs, found.activations) == fvcore_totals(
        DeformableConv(4, 6), torch.zeros(1, 4, *size)
    )


def test_half_precision_keeps_its_places() -> None:
    """bfloat16 holds no cell beyond 256 exactly: places are in float32."""
    x = torch.zeros(1, 1, 1, 600, dtype=torch.bfloat16)
    x[..., 501] = 1
    none, one = (torch.full((1, TAPS, 1, 600), value, dtype=torch.bfloat16) for value in (0, 1))
    assert sampled(x.float(), none, none, one)[0, 0, 1].nonzero().flatten().tolist() == [1502, 1504, 1506]
