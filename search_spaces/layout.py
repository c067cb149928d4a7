"""Layouts: how a smaller network's tensor lies inside the shared one, axis by axis.

An axis is a ``Plain`` run (its leading or centre part is taken, or all of it resized), a ``Product`` of factors (qkv =
3 x heads x head_dim; a grid of positions = rows x columns) or ``Segments`` of a concatenation, named by source; they
nest. A block declares the layout of an odd parameter in one line beside it with ``declare``; every other parameter has
plain, leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor

Part = Literal["leading", "centre", "resized", "transformed"]
NOT_ELEMENTS = ("resized", "transformed")
"""Parts whose elements are functions of the shared ones, not some of them."""
_ATTRIBUTE = "_nas_layout"


@dataclass(frozen=True, slots=True)
class Plain:
    """One run of ``size``; the leading or centre part of the shared run is taken, or the whole run is resized.

    ``transformed`` is the centre passed through learned matrices (``kernel_transforms``).
    """

    size: int
    part: Part = "leading"


@dataclass(frozen=True, slots=True)
class Product:
    """An axis that is a product of factors, slowest first; the part of each factor is taken."""

    factors: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """The number of elements on the axis."""
        return prod(factor.size for factor in self.factors)


@dataclass(frozen=True, slots=True)
class Segments:
    """A concatenation of named parts; a part that a network lacks has length 0 there."""

    parts: tuple[tuple[str, Axis], ...]

    @property
    def size(self) -> int:
        """The number of elements on the axis."""
        return sum(part.size for _, part in self.parts)


Axis = Plain | Product | Segments
Layout = tuple[Axis, ...]


def product(*factors: int | Axis) -> Product:
    """Return the product of ``factors``; an integer is a plain one."""
    return Product(tuple(Plain(factor) if isinstance(factor, int) else factor for factor in factors))


def centre(size: int) -> Plain:
    """Return an axis whose centre is taken (convolution kernels)."""
    return Plain(size, "centre")


def transformed(size: int) -> Plain:
    """Return a side of a square kernel, on the last two axes, whose smaller sides are learned maps of larger ones."""
    return Plain(size, "transformed")


def resized(size: int) -> Plain:
    """Return an axis that is resized as a whole, bicubic; two of them in a product resize a grid of positions."""
    return Plain(size, "resized")


def declare(parameter: Tensor, *axes: int | Axis) -> None:
    """Say how the axes of ``parameter`` are shared; one entry an axis, an integer is plain and leading."""
    layout = tuple(Plain(axis) if isinstance(axis, int) else axis for axis in axes)
    assert tuple(axis.size for axis in layout) == tuple(parameter.shape), (layout, tuple(parameter.shape))
    setattr(parameter, _ATTRIBUTE, layout)


def layout_of(parameter: Tensor) -> Layout:
    """Return the declared layout of ``parameter``, or plain axes."""
    declared: Layout | None = getattr(parameter, _ATTRIBUTE, None)
    return declared if declared is not None else tuple(Plain(size) for size in parameter.shape)


def merge(one: Axis, other: Axis) -> Axis:
    """Return the axis that holds both: the maximum per factor, the union of segments."""
    if isinstance(one, Plain) and isinstance(other, Plain) and one.part == other.part:
        return Plain(max(one.size, other.size), one.part)
    if isinstance(one, Product) and isinstance(other, Product) and len(one.factors) == len(other.factors):
        return Product(tuple(merge(a, b) for a, b in zip(one.factors, other.factors, strict=True)))
    if isinstance(one, Segments) and isinstance(other, Segments):
        merged = dict(one.parts)
        for name, part in other.parts:
            merged[name] = merge(merged[name], part) if name in merged else part
        return Segments(tuple(merged.items()))
    raise TypeError(f"axes {one} and {other} of one parameter have different structure: put what differs in its name")


def holds(extent: Axis, axis: Axis) -> bool:
    """Return whether ``axis`` lies inside ``extent``."""
    try:
        return merge(extent, axis) == extent
    except TypeError:
        return False


def selects(extent: Layout, layout: Layout) -> bool:
    """Return whether all that ``layout`` takes are elements of ``extent``: nothing is resized."""
    return all(map(_selects_axis, extent, layout))


def _selects_axis(outer: Axis, inner: Axis) -> bool:
    if outer == inner:
        return True
    if isinstance(outer, Product) and isinstance(inner, Product):
        return selects(outer.factors, inner.factors)
    if isinstance(outer, Segments) and isinstance(inner, Segments):
        whole = dict(outer.parts)
        return all(_selects_axis(whole[name], part) for name, part in inner.parts)
    return isinstance(outer, Plain) and outer.part not in NOT_ELEMENTS


def take(tensor: Tensor, extent: Layout, layout: Layout) -> Tensor:
    """Return the part of ``tensor`` (laid out as ``extent``) that a network with ``layout`` uses.

    A view wherever the axes are plain; gradients flow into ``tensor``.
    """
    for dim, (outer, inner) in enumerate(zip(extent, layout, strict=True)):
        tensor = _take_axis(tensor, dim, outer, inner)
    return tensor


def _start(outer: Plain, inner: Plain) -> int:
    return 0 if outer.part == "leading" else (outer.size - inner.size) // 2


def _take_axis(tensor: Tensor, dim: int, outer: Axis, inner: Axis) -> Tensor:
    if outer == inner:
        return tensor
    if isinstance(outer, Plain) and isinstance(inner, Plain):
        if outer.part == "resized":
            return _resize(tensor, dim, inner.size)
        return tensor.narrow(dim, _start(outer, inner), inner.size)
    if isinstance(outer, Product) and isinstance(inner, Product):
        factors = [factor.size for factor in outer.factors]
        tensor = tensor.reshape(*tensor.shape[:dim], *factors, *tensor.shape[dim + 1 :])
        for offset, (big, small) in enumerate(zip(outer.factors, inner.factors, strict=True)):
            tensor = _take_axis(tensor, dim + offset, big, small)
        return tensor.flatten(dim, dim + len(outer.factors) - 1)
    assert isinstance(outer, Segments), (outer, inner)
    assert isinstance(inner, Segments), (outer, inner)
    starts, position = {}, 0
    for name, part in outer.parts:
        starts[name] = (position, part)
        position += part.size
    pieces = []
    for name, part in inner.parts:
        start, whole = starts[name]
        pieces.append(_take_axis(tensor.narrow(dim, start, whole.size), dim, whole, part))
    return torch.cat(pieces, dim)


def _resize(tensor: Tensor, dim: int, size: int) -> Tensor:
    """Return ``tensor`` with axis ``dim`` resized, bicubic with antialiasing: a product with the resized identity.

    Bicubic interpolation is separable, so that a grid is resized one axis after the other.
    """
    identity = torch.eye(tensor.shape[dim], dtype=tensor.dtype, device=tensor.device)[None, None]
    shape = (size, tensor.shape[dim])
    matrix = torch.nn.functional.interpolate(identity, size=shape, mode="bicubic", antialias=True)[0, 0]
    product_of_axis: Tensor = torch.tensordot(matrix, tensor, dims=([1], [dim]))
    return product_of_axis.movedim(0, dim)


@dataclass(frozen=True, slots=True)
class Window:
    """What ``take`` takes from a contiguous tensor, as one strided view: its fast way, made contiguous."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    shape: tuple[int, ...]

    def of(self, tensor: Tensor) -> Tensor:
        """Return the part of ``tensor``, which is contiguous and of the extent's shape."""
        view = tensor.as_strided(self.sizes, self.strides, tensor.storage_offset() + self.offset).contiguous()
        return view if self.sizes == self.shape else view.view(self.shape)


def window(extent: Layout, layout: Layout) -> Window | None:
    """Return the window of ``layout`` inside ``extent``, or None when it is not one view (concatenated, resized)."""
    steps = [prod(axis.size for axis in extent[dim + 1 :]) for dim in range(len(extent))]
    runs: list[tuple[int, int, int]] = []
    for outer, inner, step in zip(extent, layout, steps, strict=True):
        found = _runs(outer, inner, step)
        if found is None:
            return None
        runs += found
    sizes, strides, starts = zip(*runs, strict=True) if runs else ((), (), ())
    return Window(sizes, strides, sum(starts), tuple(axis.size for axis in layout))


def _runs(outer: Axis, inner: Axis, step: int) -> list[tuple[int, int, int]] | None:
    """Return (size, stride, offset) of each plain run of one axis whose neighbours lie ``step`` elements apart."""
    if outer == inner:
        return [(inner.size, step, 0)]
    if isinstance(outer, Plain) and isinstance(inner, Plain):
        return None if outer.part in NOT_ELEMENTS else [(inner.size, step, _start(outer, inner) * step)]
    if isinstance(outer, Product) and isinstance(inner, Product):
        found: list[tuple[int, int, int]] = []
        for big, small in zip(reversed(outer.factors), reversed(inner.factors), strict=True):
            runs = _runs(big, small, step)
            if runs is None:
                return None
            found, step = runs + found, step * big.size
        return found
    return None
