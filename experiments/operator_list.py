"""Every operator at one shape of map: its module, what it costs, and what it takes; for tables of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.layers import Cost, total

if TYPE_CHECKING:
    from torch import nn

    from search_spaces.blueprint import Setting

PATCH = 4
EXPANSION = 2
KERNEL = 7
WINDOW = 4


@dataclass(frozen=True)
class Operator:
    """One operator on a map of (width, side, side).

    Attributes:
        kind: which slot it stands in: ``token mixer``, ``feed-forward part``, ``channel attention``, ``norm``,
            ``stem``, ``block``.
        name: in its registry.
        setting: what was chosen for it.
        module: in evaluation mode, with random weights.
        cost: by its closed form, of one image.
        inputs: of one image.
    """

    kind: str
    name: str
    setting: str
    module: nn.Module
    cost: Cost
    inputs: Any


def operators(width: int, side: int) -> list[Operator]:
    """Return every registered token mixer, feed-forward part, channel attention, norm and stem, and blocks of two maps.

    Raises:
        UsageError: one of them can't take the shape; it is named.
    """
    return [*_mixers(width, side), *_slots(width, side), *_stems(width, side), *_blocks(width, side)]


def _mixers(width: int, side: int) -> Iterator[Operator]:
    import torch

    from search_spaces.mixers import mixers
    from search_spaces.mixers.place import Place

    x = torch.randn(1, width, side, side)
    for name in mixers.names():
        mixer = mixers.get(name)
        place = Place(width, (side, side), KERNEL, WINDOW)
        setting = {"kernel": f"kernel {KERNEL}", "window": f"window {WINDOW}", "none": ""}[mixer.reach]
        layers = mixer.build.layers(place, 0)
        yield Operator("token mixer", name, setting, _ready(mixer.build(place)), total(layers), x)


def _slots(width: int, side: int) -> Iterator[Operator]:
    import torch

    from search_spaces.attention_names import ATTENTION_NAMES
    from search_spaces.blocks.channel_attention import channel_attention, channel_attention_layers
    from search_spaces.feed_forwards import feed_forwards
    from search_spaces.norm_names import NORM_NAMES
    from search_spaces.norms import norm_layers, norm_module

    size, hidden, squeezed = (side, side), EXPANSION * width, width // 4
    x = torch.randn(1, width, side, side)
    for name in feed_forwards.names():
        part = feed_forwards.get(name)
        cost = total(part.layers(width, hidden, size, 0))
        cells = x.permute(0, 2, 3, 1).contiguous()
        yield Operator("feed-forward part", name, f"hidden {hidden}", _ready(part(width, hidden)), cost, cells)
    for name in ATTENTION_NAMES:
        if name != "none":
            cost = total(channel_attention_layers(name, width, squeezed, size))
            yield Operator("channel attention", name, "", _ready(channel_attention(name, width, squeezed)), cost, x)
    for name in NORM_NAMES:
        yield Operator("norm", name, "", _ready(norm_module(name, width)), total(norm_layers(name, width, size)), x)


def _stems(width: int, side: int) -> Iterator[Operator]:
    import torch

    from search_spaces.blocks.stem_slot import STEMS, StemSlot

    image = torch.randn(1, 3, PATCH * side, PATCH * side)
    for name in STEMS:
        size = (PATCH * side, PATCH * side)
        cost = total(StemSlot.layers(3, width, size, stem=name, stride=PATCH))
        yield Operator(
            "stem", name, f"patch {PATCH}", _ready(StemSlot(3, width, size, stem=name, stride=PATCH)), cost, image
        )


def _blocks(width: int, side: int) -> Iterator[Operator]:
    """Yield the blocks that take something beside one map."""
    import torch

    from search_spaces.block import block_layers, module_of
    from search_spaces.blueprint import Block, PlacedBlock

    x, tokens = torch.randn(1, width, side, side), 1 + side * side
    half = side // 2
    heads = max(1, width // 8)
    exchange: dict[str, Setting] = {
        "small_width": width // 2,
        "heads": heads,
        "head_dim": 8,
        "small_head_dim": 4,
        "mlp_width": EXPANSION * width,
        "small_mlp_width": width,
        "large_depth": 1,
        "grid_ratio": 0.5,
    }
    settings: dict[str, tuple[dict[str, Setting], Any]] = {
        "cross_gating": ({"window": WINDOW}, (x, torch.randn_like(x))),
        "crossvit": (exchange, (torch.randn(1, tokens, width // 2), torch.randn(1, 1 + half * half, width))),
        "time_layer_norm": ({}, (x, torch.rand(1, 1))),
    }
    for kind, (chosen, inputs) in settings.items():
        placed = PlacedBlock("block", kind, width, width, (side, side), Block.of(kind, **chosen).settings)
        yield Operator("block", kind, "", _ready(module_of(placed)), total(block_layers(placed)), inputs)


def _ready(module: nn.Module) -> nn.Module:
    """Return ``module`` in evaluation mode with its weights filled."""
    from search_spaces.building import initialise, parameter_owners

    owners = dict(parameter_owners(module))
    for name, parameter in module.named_parameters():
        initialise(owners[name], name, parameter, 0)
    return module.eval()
