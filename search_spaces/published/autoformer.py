"""Published AutoFormer networks: those that its search found, tiny, small and base."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.autoformer import autoformer

# Width, heads and MLP ratio of each block: Cream/AutoFormer, experiments/subnet.
SIZES: dict[str, tuple[int, tuple[int, ...], tuple[float, ...]]] = {
    "tiny": (
        192,
        (3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3),
        (3.5, 3.5, 3.0, 3.5, 3.0, 3.0, 4.0, 4.0, 3.5, 4.0, 3.5, 4.0, 3.5),
    ),
    "small": (
        384,
        (6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7),
        (3.0, 3.5, 3.0, 3.5, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.5, 4.0),
    ),
    "base": (
        576,
        (9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10),
        (3.5, 3.5, 4.0, 3.5, 4.0, 3.5, 3.5, 3.0, 4.0, 4.0, 3.0, 4.0, 3.0, 3.5),
    ),
}


def searched(name: str, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the network that AutoFormer's search found in the space of size ``name``."""
    width, heads, ratios = SIZES[name]
    return autoformer(resolution, num_classes, in_channels, patch=16, width=width, heads=heads, mlp_ratios=ratios)


for _name in SIZES:
    networks.register(f"autoformer_{_name}")(
        PublishedNetwork("autoformer", (224, 224), partial(searched, _name), "Cream/AutoFormer, experiments/subnet")
    )
