"""AttentiveNAS and AlphaNet (Wang et al. 2021): width, depth, kernel and expansion of each of seven stages.

``form="imagenet"`` is the published space, from which A0 to A6 come; ``form="small_image"`` is for images of 8 to 64
pixels. Every block has a shortcut: pooled, and projected where widths differ. SiLU; squeeze-and-excitation in stages 3,
5, 6 and 7; the head's expansion is six times the last stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint
from search_spaces.mobile import StageBlocks, mobile_network
from search_spaces.mobile_space import HeadSizes, MobileForm, MobileSettings, MobileSpace, StageChoices
from search_spaces.spaces import spaces

STRIDES = (1, 2, 2, 2, 1, 2, 1)
SQUEEZE_EXCITE = (False, False, True, False, True, True, True)


def _block(squeeze_excite: bool) -> Block:
    return Block.of("mbconv", activation="silu", squeeze_excite=squeeze_excite, projection=True)


def head_of(last_width: int, mix_width: int) -> Block:
    """Return the head of MobileNetV3's form, without a bias in the feature mix."""
    return Block.of(
        "mobile_head", expand_width=6 * last_width, mix_width=mix_width, activation="silu", adaptive_pool=True
    )


def alphanet(
    resolution: tuple[int, int],
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    widths: Sequence[int],
    kernels: Sequence[int],
    expansions: Sequence[float],
    depths: Sequence[int],
) -> Blueprint:
    """Return the network of these lists, as AttentiveNAS writes them.

    Args:
        resolution: (height, width) in pixels.
        num_classes: width of the classifier.
        in_channels: of the image.
        widths: stem, seven stages, feature mix.
        kernels: of the seven stages.
        expansions: of the seven stages.
        depths: of the seven stages.
    """
    stages: list[StageBlocks] = []
    rows = zip(widths[1:-1], kernels, expansions, depths, STRIDES, SQUEEZE_EXCITE, strict=True)
    for width, kernel, expansion, depth, stride, squeeze_excite in rows:
        block = _block(squeeze_excite).replace(kernel=kernel, expansion=expansion)
        stages.append((width, tuple(block.replace(stride=stride if n == 0 else 1) for n in range(depth))))
    head = head_of(widths[-2], widths[-1])
    return mobile_network("alphanet", resolution, num_classes, in_channels, (widths[0], "silu"), stages, head)


# Widths, depths and expansions of each stage; every stage has kernels 3 and 5.
CHOICES: tuple[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...] = (
    ((16, 24), (1, 2), (1,)),
    ((24, 32), (3, 4, 5), (4, 5, 6)),
    ((32, 40), (3, 4, 5, 6), (4, 5, 6)),
    ((64, 72), (3, 4, 5, 6), (4, 5, 6)),
    ((112, 120, 128), (3, 4, 5, 6, 7, 8), (4, 5, 6)),
    ((192, 200, 208, 216), (3, 4, 5, 6, 7, 8), (6,)),
    ((216, 224), (1, 2), (6,)),
)
FORMS = {
    "imagenet": MobileForm(
        stem_widths=(16, 24),
        stem_activation="silu",
        stages=tuple(
            StageChoices(widths, depths, (3, 5), expansions, stride, _block(squeeze_excite))
            for (widths, depths, expansions), stride, squeeze_excite in zip(
                CHOICES, STRIDES, SQUEEZE_EXCITE, strict=True
            )
        ),
        head_widths=(1792, 1984),
        resolutions=(192, 224, 256, 288),
        per_block=False,
    ),
    "small_image": MobileForm(
        stem_widths=(8, 16),
        stem_activation="silu",
        stages=(
            StageChoices((8, 16), (1,), (3,), (1,), 1, _block(False)),
            StageChoices((16, 24), (1, 2), (3, 5), (2, 3, 4), 2, _block(False)),
            StageChoices((24, 32), (1, 2), (3, 5), (2, 3), 2, _block(True)),
            StageChoices((32, 40), (1, 2), (3, 5), (3,), 1, _block(True)),
        ),
        head_widths=(96, 128),
        resolutions=(8, 12, 16),
        per_block=False,
    ),
}


class AlphaNetSettings(MobileSettings):
    """Settings of the space."""

    form: Literal["imagenet", "small_image"] = "imagenet"


@spaces.register("alphanet")
class AlphaNet(MobileSpace):
    """AttentiveNAS and AlphaNet. Kernel and expansion are those of a whole stage."""

    name = "alphanet"
    Settings = AlphaNetSettings
    forms = FORMS

    def head(self, sizes: HeadSizes) -> Block:
        """Return the head; its expansion follows the last stage."""
        return head_of(sizes.last_width, sizes.width)

    def covering(self) -> Sequence[Architecture]:
        """Return networks with one width at its smallest: where widths are equal, the largest has no projection."""
        largest = self.largest().values
        widths = [knob for knob in self.knobs if knob.name.endswith(".width")]
        return [self.architecture({**largest, knob.name: knob.values[0]}) for knob in widths]
