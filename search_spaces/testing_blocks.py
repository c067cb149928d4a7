"""Contract checks of a block: ``check_block(place("mine", 8, 8, (7, 7), kernel=3), place("mine", 16, 16, ...))``.

The nesting test is what equality of "inside" and "extracted" can't show, since both use the same views: with every
shared weight outside the small block zeroed, the large block on zero-padded channels is the small block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from search_spaces.block import block_layers, module_of, plain_layers
from search_spaces.blueprint import Block, Level, PlacedBlock, Setting
from search_spaces.building import NORMS
from search_spaces.conv import Size
from search_spaces.fvcore_check import fvcore_totals
from search_spaces.layer_names import layer_names
from search_spaces.layers import is_weighted, total
from search_spaces.layout import holds, layout_of, take

Value = Tensor | tuple[Tensor, ...]
Inputs = Callable[[int, Size, torch.Generator], Value]
Placed = PlacedBlock | Sequence[PlacedBlock]


def images(width: int, size: Size, generator: torch.Generator) -> Tensor:
    """Return two random maps (2, width, height, width of the map)."""
    return torch.randn(2, width, *size, generator=generator)


def tokens(width: int, size: Size, generator: torch.Generator) -> Tensor:
    """Return two random rows of tokens (2, 1 + cells of the grid, width)."""
    return torch.randn(2, 1 + size[0] * size[1], width, generator=generator)


def place(kind: str, in_width: int, out_width: int, in_size: Size, **settings: Setting) -> PlacedBlock:
    """Return a block of ``kind`` standing alone."""
    return PlacedBlock("block", kind, in_width, out_width, in_size, Block.of(kind, **settings).settings)


def place_head(kind: str, in_width: int, out_width: int, in_size: Size, **settings: Setting) -> PlacedBlock:
    """Return a head over the pyramid that ``pyramid`` makes the maps of."""
    placed = place(kind, in_width, out_width, in_size, **settings)
    half = Level("stage1", in_width // 2, (2 * in_size[0], 2 * in_size[1]))
    image = Level("image", 3, (4 * in_size[0], 4 * in_size[1]))
    return replace(placed, levels=(image, half, Level("stage2", in_width, in_size)))


def pyramid(width: int, size: Size, generator: torch.Generator) -> Value:
    """Return two random images and their maps of half and a quarter of the sides, the last (2, width, *size)."""
    half, whole = (2 * size[0], 2 * size[1]), (4 * size[0], 4 * size[1])
    return images(3, whole, generator), images(width // 2, half, generator), images(width, size, generator)


def check_block(small: PlacedBlock, large: PlacedBlock, inputs: Inputs = images, seed: int = 0) -> None:
    """Run every check of this file: ``small`` is nested in ``large``, and both cost what their layers say."""
    check_nesting(small, large, inputs, seed)
    for placed in (small, large):
        check_layers(placed, inputs)


def check_layers(placed: PlacedBlock, inputs: Inputs = images) -> None:
    """Check the closed form against fvcore's own totals: params, MACs and activations; and the names of layers.

    Raises:
        UsageError: fvcore is not installed.
    """
    x = each_tensor(inputs(placed.in_width, placed.in_size, torch.Generator().manual_seed(0)), lambda value: value[:1])
    traced = fvcore_totals(module_of(placed), x)
    found = total(block_layers(placed), "fvcore")
    closed = (found.params, found.macs, found.activations)
    assert closed == traced, f"{placed}: the layers give (params, macs, activations) {closed}, fvcore {traced}"
    check_names(placed, inputs)


def check_names(placed: PlacedBlock, inputs: Inputs = images) -> None:
    """Check that the module of each layer's name, which precisions go by, computes what the layer says, and once."""
    module = module_of(placed).eval()
    named = {
        name: module.get_submodule(name.removeprefix(f"{placed.name}.{placed.kind}.")) for name in layer_names(placed)
    }
    found: dict[nn.Module, list[tuple[int, ...]]] = {each: [] for each in named.values()}
    for each in found:
        each.register_forward_hook(lambda layer, _, output: found[layer].append(_measured(layer, output)))
    with torch.no_grad():
        module(
            each_tensor(
                inputs(placed.in_width, placed.in_size, torch.Generator().manual_seed(0)), lambda value: value[:1]
            )
        )
    layers = [layer for layer in plain_layers(placed) if is_weighted(layer)]
    for (name, each), layer in zip(named.items(), layers if named else (), strict=True):
        expected = [(layer.params, layer.macs, layer.outputs, layer.bias)]
        assert found[each] == expected, f"{name}: (params, macs, outputs, bias) {expected}, its module's {found[each]}"


def _measured(layer: nn.Module, output: Tensor) -> tuple[int, ...]:
    weight, bias = layer.get_parameter("weight"), getattr(layer, "bias", None)
    params = sum(map(Tensor.numel, layer.parameters()))
    return params, output.numel() * weight[0].numel(), output.numel(), 0 if bias is None else output.numel()


def check_nesting(small: Placed, large: Placed, inputs: Inputs = images, seed: int = 0) -> None:
    """Check that ``large``, zeroed outside ``small``, gives ``small``'s output and zeros beside it.

    Each is a block, or several that follow each other: the channels between two may lie otherwise than as a prefix.

    In float64 and in evaluation mode with random statistics. A norm over channels (LayerNorm, or a module that says so
    by ``over_channels = True``, its channels last) divides by the number of all of them, so that of the large block is
    replaced by one over the small one's channels (the masked comparison).
    """
    generator = torch.Generator().manual_seed(seed)
    inner, outer = (_module(placed).double().eval() for placed in (small, large))
    fill(outer, generator)
    _nest(inner, outer)
    first, widest = (placed if isinstance(placed, PlacedBlock) else placed[0] for placed in (small, large))
    x = each_tensor(inputs(first.in_width, first.in_size, generator), Tensor.double)
    widths = [value.shape[_channels(value)] for value in _tensors(inputs(widest.in_width, widest.in_size, generator))]
    wide = tuple(_padded(value, _channels(value), width) for value, width in zip(_tensors(x), widths, strict=True))
    with torch.no_grad():
        expected, found = inner(x), outer(wide[0] if isinstance(x, Tensor) else wide)
    for one, other in zip(_tensors(expected), _tensors(found), strict=True):
        _assert_nested(one, other, f"{small} is not nested in {large}")


def _module(placed: Placed) -> nn.Module:
    return module_of(placed) if isinstance(placed, PlacedBlock) else nn.Sequential(*map(module_of, placed))


def _assert_nested(expected: Tensor, found: Tensor, message: str) -> None:
    channels = _channels(expected)
    width = expected.shape[channels]
    leading, beside = found.narrow(channels, 0, width), found.narrow(channels, width, found.shape[channels] - width)
    assert bool(expected.isfinite().all()), f"{message}: values that are not finite"
    assert bool(expected.any()), f"{message}: zeros only: the check would say nothing"
    error = float((leading - expected).abs().max() / expected.abs().max())
    assert error < 1e-12, f"{message}: relative error {error:.1e}"
    assert not beside.any(), f"{message}: zeroed outside, the large one is not zero beside its channels"


def _tensors(value: Value) -> tuple[Tensor, ...]:
    return (value,) if isinstance(value, Tensor) else value


def each_tensor(value: Value, change: Callable[[Tensor], Tensor]) -> Value:
    """Return ``value``, a tensor or the tensors of several branches, with each changed."""
    return change(value) if isinstance(value, Tensor) else tuple(map(change, value))


def _channels(value: Tensor) -> int:
    """Return the axis of the channels: of a map (N, C, H, W), or of tokens (N, T, C) and rows (N, C)."""
    return 1 if value.ndim == 4 else -1


@torch.no_grad()
def fill(module: nn.Module, generator: torch.Generator) -> None:
    """Fill parameters and statistics of ``module`` with random numbers; variances are positive."""
    for parameter in module.parameters():
        scale = max(1, parameter.numel() // parameter.shape[0]) ** -0.5 if parameter.ndim > 1 else 1.0
        parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    for norm in module.modules():
        if isinstance(norm, NORMS):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.copy_(torch.randn(norm.num_features, generator=generator))
            norm.running_var.copy_(0.5 + torch.rand(norm.num_features, generator=generator))


@torch.no_grad()
def _nest(inner: nn.Module, outer: nn.Module) -> None:
    """Copy the part of ``outer``'s weights that ``inner`` uses into it, and zero the rest."""
    large = dict(outer.named_parameters())
    for name, parameter in inner.named_parameters():
        assert name in large, f"parameter {name!r} is in the small block and not in the large one"
        extent, layout = layout_of(large[name]), layout_of(parameter)
        held = all(holds(a, b) for a, b in zip(extent, layout, strict=True))
        assert held, f"parameter {name!r} of layout {layout} does not lie inside {extent}"
        places = take(torch.arange(large[name].numel()).view(large[name].shape), extent, layout)
        parameter.copy_(large[name].flatten()[places])
        large[name].copy_(torch.zeros_like(large[name]).flatten().index_put((places,), parameter).view_as(large[name]))
        del large[name]
    for unused in large.values():
        unused.zero_()
    _nest_norms(inner, outer)


def _nest_norms(inner: nn.Module, outer: nn.Module) -> None:
    """Give BatchNorms of ``outer`` their part of the statistics, and mask its norms over channels.

    Called when the shared parameters of both are nested, so that the small norm holds its part already.
    """
    smaller = dict(inner.named_modules())
    for name, module in list(outer.named_modules()):
        small = smaller.get(name)
        if _is_over_channels(module) and small is not None:
            extent, layout = (layout_of(next(norm.parameters())) for norm in (module, small))
            width = extent[0].size
            outer.set_submodule(name, MaskedNorm(small, take(torch.arange(width), extent, layout), width))
        elif isinstance(module, NORMS):
            _nest_statistics(small if isinstance(small, NORMS) else None, module)


def _is_over_channels(module: nn.Module) -> bool:
    return isinstance(module, nn.LayerNorm) or bool(getattr(module, "over_channels", False))


def _nest_statistics(small: nn.Module | None, module: nn.Module) -> None:
    """Give the small norm its part of the statistics; outside it the mean is 0, so that a channel of zeros stays so."""
    for statistic in ("running_mean", "running_var"):
        values: Tensor = getattr(module, statistic)
        places = torch.arange(0)
        if small is not None:
            extent, layout = (layout_of(_weight_or(norm, statistic)) for norm in (module, small))
            places = take(torch.arange(len(values)), extent, layout)
            getattr(small, statistic).copy_(values[places])
        if statistic == "running_mean":
            values.copy_(torch.zeros_like(values).index_put((places,), values[places]))


def _weight_or(norm: nn.Module, statistic: str) -> Tensor:
    """Return the weight of ``norm``, whose layout is that of its channels, or a statistic where it has none."""
    weight: Tensor | None = getattr(norm, "weight", None)
    found: Tensor = getattr(norm, statistic) if weight is None else weight
    return found


class MaskedNorm(nn.Module):
    """A norm over those channels of the last axis that the small block has, at ``places``; zeros in the others."""

    def __init__(self, norm: nn.Module, places: Tensor, width: int) -> None:
        super().__init__()
        self.norm, self.places, self.width = norm, places, width

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the normalised channels (..., width) where they stand among ``width``; ``others`` reach the norm."""
        normalised: Tensor = self.norm(x[..., self.places], *others)
        return normalised.new_zeros(x.shape).index_copy(-1, self.places, normalised)


def _padded(x: Tensor, channels: int, width: int) -> Tensor:
    """Return ``x`` with zeros after its channels, up to ``width`` of them."""
    shape = list(x.shape)
    shape[channels] = width - x.shape[channels]
    return torch.cat([x, x.new_zeros(shape)], channels)
