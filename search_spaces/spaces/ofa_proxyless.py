"""Once-for-All ProxylessNAS (Cai et al. 2020): ProxylessNAS's widths x 1.3, kernel, expansion and depth elastic.

``form="imagenet"`` is the published space (ofa_proxyless_d234_e346_k357_w1.3); ``form="small_image"`` is for images of
8 to 64 pixels. No squeeze-and-excitation, ReLU6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from search_spaces.blueprint import Block, Blueprint
from search_spaces.knobs import Value
from search_spaces.mobile import StageBlocks, mobile_network
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.rounding import make_divisible
from search_spaces.spaces import spaces

WIDTHS = (16, 24, 40, 80, 96, 192, 320)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
STEM_WIDTH, HEAD_WIDTH = 32, 1280
BLOCK = Block.of("mbconv", activation="relu6")


def head_of(width: float, base: int = HEAD_WIDTH) -> Block:
    """Return the 1x1 convolution, pooling and classifier."""
    return Block.of("pool_head", expand_width=make_divisible(base * width), activation="relu6")


def ofa_proxyless(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    stages: Sequence[Sequence[tuple[int, float]]] = (),
    width: float = 1.3,
) -> Blueprint:
    """Return the network whose searched stages (the second and on) hold blocks of these (kernel, expansion)."""
    found: list[StageBlocks] = []
    for base, stride, choices in zip(WIDTHS, STRIDES, [[(3, 1)], *stages], strict=True):
        blocks = tuple(
            BLOCK.replace(kernel=kernel, expansion=expansion, stride=stride if number == 0 else 1)
            for number, (kernel, expansion) in enumerate(choices)
        )
        found.append((make_divisible(base * width), blocks))
    stem = (make_divisible(STEM_WIDTH * width), "relu6")
    return mobile_network("ofa_proxyless", resolution, num_classes, in_channels, stem, found, head_of(width))


def _stage(index: int) -> StageChoices:
    depths = (1,) if index == len(WIDTHS) - 1 else (2, 3, 4)
    return StageChoices((WIDTHS[index],), depths, (3, 5, 7), (3, 4, 6), STRIDES[index], BLOCK)


FORMS = {
    "imagenet": MobileForm(
        stem_widths=(STEM_WIDTH,),
        stem_activation="relu6",
        stages=(StageChoices((16,), (1,), (3,), (1,), 1, BLOCK), *(_stage(index) for index in range(1, len(WIDTHS)))),
        head_widths=(HEAD_WIDTH,),
        resolutions=tuple(range(128, 225, 4)),
        width_multipliers=(1.3,),
    ),
    "small_image": MobileForm(
        stem_widths=(16,),
        stem_activation="relu6",
        stages=(
            StageChoices((8,), (1,), (3,), (1,), 1, BLOCK),
            StageChoices((16,), (1, 2), (3, 5), (2, 3, 4), 2, BLOCK),
            StageChoices((24,), (1, 2, 3), (3, 5), (2, 3, 4), 2, BLOCK),
            StageChoices((40,), (1,), (3, 5), (2, 3, 4), 1, BLOCK),
        ),
        head_widths=(160,),
        resolutions=(8, 12, 16),
        width_multipliers=(0.5, 0.75, 1.0),
    ),
}


class OfaProxylessSettings(MobileSettings):
    """Settings of the space."""

    form: Literal["imagenet", "small_image"] = "imagenet"
    kernel_transform: bool = False
    """Whether smaller kernels are learned maps of larger ones, as in the paper; else their centres."""


@spaces.register("ofa_proxyless")
class OfaProxyless(MobileSpace):
    """Once-for-All ProxylessNAS. ``stage1`` is the fixed first block; the last stage has one block."""

    name = "ofa_proxyless"
    Settings = OfaProxylessSettings
    settings: OfaProxylessSettings
    forms = FORMS

    def _stage(self, stage: str, choices: StageChoices, values: Mapping[str, Value]) -> StageBlocks:
        width, blocks = super()._stage(stage, choices, values)
        if self.settings.kernel_transform:
            blocks = tuple(block.replace(kernel_transform=True) for block in blocks)
        return width, blocks

    def head(self, sizes: HeadSizes) -> Block:
        """Return the head."""
        return head_of(sizes.multiplier, sizes.width)
