"""Published vision transformers: DeiT, ViT at patches 8 to 32, SoViT."""

from __future__ import annotations

from functools import partial

from search_spaces.blueprint import Block, Blueprint
from search_spaces.networks import PublishedNetwork, Resolution, networks
from search_spaces.spaces.vit import encoder, vit

Size = tuple[int, int, int, int]

# Width, depth, MLP width and heads: "Scaling Vision Transformers" (Zhai et al. 2022), table 2.
SIZES = {
    "tiny": (192, 12, 768, 3),
    "small": (384, 12, 1536, 6),
    "medium": (512, 12, 2048, 8),
    "base": (768, 12, 3072, 12),
    "large": (1024, 24, 4096, 16),
    "huge": (1280, 32, 5120, 16),
    "giant": (1408, 40, 6144, 16),
    "gigantic": (1664, 48, 8192, 16),
}
PATCHES = {
    "tiny": (16, 32),
    "small": (8, 16, 32),
    "medium": (16, 32),
    "base": (8, 16, 32),
    "large": (14, 16, 32),
    "huge": (14,),
    "giant": (14,),
    "gigantic": (14,),
}
DEIT = ("tiny", "small", "base")
# "Getting ViT in Shape" (Alabdulmohsin et al. 2023): width, depth, MLP width, heads.
SOVIT_400M = (1152, 27, 4304, 16)


def plain(
    size: tuple[int, int, int, int], patch: int, resolution: Resolution, classes: int, channels: int
) -> Blueprint:
    """Return a transformer with a class token."""
    width, depth, mlp_width, heads = size
    blocks = encoder(width, depth, heads, mlp_width)
    return vit(resolution, classes, channels, patch=patch, width=width, blocks=blocks)


def pooled(size: Size, resolution: Resolution, classes: int, channels: int) -> Blueprint:
    """Return a transformer of patch 14 without a class token, pooled by attention."""
    width, depth, mlp_width, heads = size
    head = Block.of("map_head", heads=heads, head_dim=width // heads, mlp_width=mlp_width)
    blocks = encoder(width, depth, heads, mlp_width, class_token=False)
    return vit(resolution, classes, channels, patch=14, width=width, blocks=blocks, head=head, class_token=False)


PLAIN_SOURCE = "Zhai et al. 2022 (arXiv 2106.04560), table 2; Dosovitskiy et al. 2021"
for _size, _patches in PATCHES.items():
    for _patch in _patches:
        networks.register(f"vit_{_size}_patch{_patch}_224")(
            PublishedNetwork("vit", (224, 224), partial(plain, SIZES[_size], _patch), PLAIN_SOURCE)
        )
for _size in DEIT:
    networks.register(f"deit_{_size}_patch16_224")(
        PublishedNetwork("vit", (224, 224), partial(plain, SIZES[_size], 16), "facebookresearch/deit")
    )
networks.register("sovit_400m_patch14_224")(
    PublishedNetwork("vit", (224, 224), partial(pooled, SOVIT_400M), "Alabdulmohsin et al. 2023 (arXiv 2305.13035)")
)
