"""Published ViT-ResNAS networks: the reference network, the two supernetworks and those that the search found."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.vit_resnas import StageSizes, vit_resnas

# Width of each stage, and (heads, MLP width) of each block: vit-search, scripts/vit-sr-nas.
SIZES: dict[str, tuple[tuple[int, ...], tuple[tuple[tuple[int, int], ...], ...]]] = {
    "vit_resnas_tiny": (
        (176, 352, 704),
        (
            ((3, 704), (3, 576), (3, 640), (4, 576), (4, 704)),
            ((10, 1408), (8, 1408), (8, 1280), (8, 1408), (10, 1280), (10, 1024)),
            ((10, 2560), (10, 1792), (10, 2816), (8, 2816), (8, 2560)),
        ),
    ),
    "vit_resnas_small": (
        (220, 440, 880),
        (
            ((5, 880), (5, 880), (7, 800), (5, 720), (5, 720), (5, 720)),
            ((10, 1760), (10, 1440), (10, 1920), (10, 1600), (12, 1600), (12, 1440)),
            ((16, 3200), (12, 3200), (16, 2880), (12, 2240), (14, 2560)),
        ),
    ),
    "vit_resnas_medium": (
        (240, 640, 880),
        (
            ((7, 960), (6, 960), (7, 800), (8, 960), (7, 880), (8, 880), (6, 800)),
            ((10, 1120), (14, 1760), (14, 1920), (16, 1760), (14, 1440), (16, 1760), (16, 1920)),
            ((16, 3200), (10, 3840), (16, 3840), (12, 3200), (16, 3520), (14, 3520)),
        ),
    ),
    "vit_resnas_tiny_supernet": ((256, 512, 1024), (((6, 768),) * 6, ((12, 1536),) * 6, ((12, 3072),) * 6)),
    "vit_resnas_small_supernet": ((320, 640, 1280), (((8, 960),) * 7, ((16, 1920),) * 7, ((16, 3840),) * 7)),
    "vit_res_tiny": ((192, 384, 768), (((3, 768),) * 4, ((6, 1536),) * 4, ((12, 3072),) * 4)),
}
HEAD_DIMS = {"vit_res_tiny": (64, 64, 64)}


def sized(name: str, resolution: Resolution, num_classes: int, in_channels: int) -> Blueprint:
    """Return the network called ``name``."""
    widths, blocks = SIZES[name]
    stages = map(StageSizes, widths, HEAD_DIMS.get(name, (32, 48, 64)), blocks)
    return vit_resnas(resolution, num_classes, in_channels, stages=list(stages))


for _name in SIZES:
    networks.register(_name)(
        PublishedNetwork("vit_resnas", (224, 224), partial(sized, _name), "yilunliao/vit-search, scripts/vit-sr-nas")
    )
