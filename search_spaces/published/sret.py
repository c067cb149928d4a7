"""Published sliced recursive transformers (Shen et al. 2022), and the same without slicing."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.sret import sret

# Channels of a head, heads of the first stage, MLP ratio, ratio of the MLP after each pass: szq0214/SReT.
SIZES = {"T": (32, 2, 3.6, 1), "LT": (32, 2, 4.0, 1), "S": (42, 3, 3.0, 2)}
DEPTHS = (2, 5, 3)
LOOPS = 2
GROUPS, LATER_GROUPS = (8, 4, 1), (2, 1, 1)
UNSLICED = (1, 1, 1)


def sized(name: str, sliced: bool, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the network of size ``name``; unsliced, all tokens attend to each other in every pass."""
    head_dim, heads, mlp_ratio, projection_ratio = SIZES[name]
    groups, later_groups = (GROUPS, LATER_GROUPS) if sliced else (UNSLICED, UNSLICED)
    stages = [
        [
            {
                "heads": heads * 2**index,
                "mlp_ratio": mlp_ratio,
                "loops": LOOPS,
                "groups": groups[index],
                "later_groups": later_groups[index],
            }
        ]
        * depth
        for index, depth in enumerate(DEPTHS)
    ]
    return sret(
        resolution,
        num_classes,
        in_channels,
        width=head_dim * heads,
        stages=stages,
        head_dim=head_dim,
        projection_ratio=projection_ratio,
    )


for _name in SIZES:
    for _sliced in (True, False):
        networks.register(f"SReT_{_name}" if _sliced else f"SReT_{_name}_wo_slice")(
            PublishedNetwork("sret", (224, 224), partial(sized, _name, _sliced), "szq0214/SReT")
        )
