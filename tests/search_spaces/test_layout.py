"""Layouts against the plainest reference: lists of indices."""

from __future__ import annotations

from itertools import product as combinations
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.layout import (
    Axis,
    Layout,
    Plain,
    Product,
    Segments,
    centre,
    declare,
    holds,
    layout_of,
    merge,
    product,
    resized,
    selects,
    take,
    window,
)

STRUCTURES = st.recursive(
    st.sampled_from(["leading", "centre"]),
    lambda inner: (
        st.tuples(st.just("product"), st.lists(inner, min_size=2, max_size=3))
        | st.tuples(st.just("segments"), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=4,
)


def draw_axis(data: st.DataObject, structure: object) -> Axis:
    """An axis of this structure with sizes of its own; segments in any order, some left out."""
    if isinstance(structure, str):
        return Plain(data.draw(st.integers(1, 4)), "centre" if structure == "centre" else "leading")
    kind, parts = structure  # type: ignore[misc]
    if kind == "product":
        return Product(tuple(draw_axis(data, part) for part in parts))
    names = data.draw(st.permutations(range(len(parts))))
    chosen = names[: data.draw(st.integers(1, len(names)))]
    return Segments(tuple((f"source{name}", draw_axis(data, parts[name])) for name in chosen))


def indices(outer: Axis, inner: Axis) -> list[int]:
    """Where the elements of ``inner`` lie on ``outer``."""
    if isinstance(outer, Plain):
        start = (outer.size - inner.size) // 2 if outer.part == "centre" else 0
        return list(range(start, start + inner.size))
    if isinstance(outer, Product):
        assert isinstance(inner, Product)
        steps = [prod(factor.size for factor in outer.factors[k + 1 :]) for k in range(len(outer.factors))]
        each = [indices(big, small) for big, small in zip(outer.factors, inner.factors, strict=True)]
        return [sum(i * step for i, step in zip(found, steps, strict=True)) for found in combinations(*each)]
    assert isinstance(inner, Segments)
    starts = np.cumsum([0, *(part.size for _, part in outer.parts)])
    place = {name: (int(start), part) for (name, part), start in zip(outer.parts, starts, strict=False)}
    return [place[name][0] + i for name, part in inner.parts for i in indices(place[name][1], part)]


def reference(tensor: torch.Tensor, extent: Layout, layout: Layout) -> torch.Tensor:
    return tensor[np.ix_(*(indices(outer, inner) for outer, inner in zip(extent, layout, strict=True)))]


def shared(extent: Layout) -> torch.Tensor:
    shape = [axis.size for axis in extent]
    return torch.arange(prod(shape), dtype=torch.float64).view(shape)


@settings(max_examples=150)
@given(st.lists(STRUCTURES, min_size=1, max_size=3), st.data())
def test_take_is_indexing(structures: list[object], data: st.DataObject) -> None:
    layouts = [tuple(draw_axis(data, structure) for structure in structures) for _ in range(3)]
    extent = layouts[0]
    for layout in layouts[1:]:
        extent = tuple(merge(a, b) for a, b in zip(extent, layout, strict=True))
    tensor = shared(extent)
    for layout in layouts:
        expected = reference(tensor, extent, layout)
        assert torch.equal(take(tensor, extent, layout), expected)
        found = window(extent, layout)
        if found is not None:
            assert torch.equal(found.of(tensor), expected)
            assert found.of(tensor).is_contiguous()


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["leading", "centre", ("product", ["leading", "leading"])]), min_size=1), st.data())
def test_without_segments_there_is_a_window_and_its_gradient_is_zero_outside(
    structures: list[object], data: st.DataObject
) -> None:
    structures = structures[:3]
    inner, other = (tuple(draw_axis(data, structure) for structure in structures) for _ in range(2))
    extent = tuple(merge(a, b) for a, b in zip(inner, other, strict=True))
    tensor = shared(extent).requires_grad_()
    found = window(extent, inner)
    assert found is not None
    part = found.of(tensor)
    weights = torch.arange(1.0, part.numel() + 1, dtype=torch.float64).view(part.shape)
    (part * weights).sum().backward()
    expected = torch.zeros_like(tensor)
    expected.view(-1)[reference(shared(extent), extent, inner).long().flatten()] = weights.flatten()
    assert torch.equal(tensor.grad, expected)


def test_a_window_reads_a_tensor_that_is_itself_part_of_another() -> None:
    rows = torch.arange(24.0).view(6, 4)[2:]
    extent, layout = (Plain(4), Plain(4)), (Plain(2), Plain(3))
    assert torch.equal(window(extent, layout).of(rows), rows[:2, :3])


@settings(max_examples=150)
@given(STRUCTURES, st.data())
def test_merge_holds_both_and_no_more(structure: object, data: st.DataObject) -> None:
    one, other = draw_axis(data, structure), draw_axis(data, structure)
    both = merge(one, other)
    assert merge(one, one) == one
    assert holds(both, one)
    assert holds(both, other)
    assert merge(both, one) == merge(both, other) == both
    assert merge(other, one).size == both.size
    assert holds(one, other) == (both == one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Plain(3), centre(3)),
        (Plain(6), product(2, 3)),
        (product(2, 3), product(2, 3, 1)),
        (Segments((("a", Plain(2)),)), Plain(2)),
        (product(2, centre(3)), product(2, 3)),
    ],
)
def test_axes_of_different_structure_can_not_be_shared(one: Axis, other: Axis) -> None:
    with pytest.raises(TypeError, match="different structure: put what differs in its name"):
        merge(one, other)
    assert not holds(one, other)


def test_qkv_takes_the_leading_heads_of_each() -> None:
    tensor = torch.arange(3 * 4 * 2).view(24)
    part = take(tensor, (product(3, 4, 2),), (product(3, 2, 2),))
    assert part.tolist() == [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19]


def test_a_concatenation_takes_the_leading_part_of_each_source() -> None:
    extent = (Segments((("skip", Plain(3)), ("block1", Plain(2)), ("block2", Plain(2)))),)
    inner = (Segments((("skip", Plain(2)), ("block2", Plain(1)))),)
    assert take(torch.arange(7), extent, inner).tolist() == [0, 1, 5]
    assert window(extent, inner) is None


def test_a_kernel_is_taken_from_its_centre() -> None:
    kernel = torch.arange(49).view(7, 7)
    assert torch.equal(take(kernel, (centre(7), centre(7)), (centre(3), centre(3))), kernel[2:5, 2:5])


def test_a_parameter_has_plain_axes_until_it_declares_others() -> None:
    weight = torch.nn.Parameter(torch.zeros(12, 5))
    assert layout_of(weight) == (Plain(12), Plain(5))
    declare(weight, product(3, 4), 5)
    assert layout_of(weight) == (product(3, 4), Plain(5))


def test_a_declaration_of_another_shape_is_a_mistake_in_the_block() -> None:
    with pytest.raises(AssertionError):
        declare(torch.nn.Parameter(torch.zeros(12, 5)), product(3, 5), 5)


def test_a_smaller_grid_of_positions_is_the_larger_one_resized_at_once() -> None:
    table = torch.randn(1, 1 + 6 * 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def layout(rows: int, columns: int, width: int) -> Layout:
        grid = product(resized(rows), resized(columns))
        return Plain(1), Segments((("class_token", Plain(1)), ("grid", grid))), Plain(width)

    found = take(table, layout(6, 4, 5), layout(3, 2, 5))
    grid = table[:, 1:].view(1, 6, 4, 5).permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(grid, size=(3, 2), mode="bicubic", antialias=True)
    torch.testing.assert_close(found[:, 1:], small.flatten(2).transpose(1, 2))
    assert torch.equal(found[:, 0], table[:, 0])
    assert torch.equal(take(table, layout(6, 4, 5), layout(6, 4, 3)), table[..., :3])


@pytest.mark.parametrize(("outer", "inner", "expected"), [(4, 4, True), (4, 3, False)])
def test_what_is_resized_is_not_selected(outer: int, inner: int, expected: bool) -> None:
    for wrap in (lambda axis: axis, lambda axis: product(2, axis), lambda axis: Segments((("one", axis),))):
        extent, layout = (Plain(8), wrap(resized(outer))), (Plain(6), wrap(resized(inner)))
        assert selects(extent, layout) is expected
        assert (window(extent, layout) is None) is not expected
    assert selects((Plain(8), centre(5)), (Plain(4), centre(3)))


def test_the_resized_part_is_held_by_a_larger_one_only() -> None:
    assert merge(resized(4), resized(7)) == resized(7)
    assert holds(resized(7), resized(4))
    assert not holds(resized(4), resized(7))
    assert not holds(Plain(7), resized(4))
