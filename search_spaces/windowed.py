"""Spaces of windowed attention (Swin, CrossFormer): stages of blocks, each of half the side and twice the width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from search_spaces.blueprint import Block, Blueprint, Setting, Stage
from search_spaces.networks import Resolution
from search_spaces.staged import BlockValues, Choices, StagedForm, StagedSettings, StagedSpace
from search_spaces.window_sizes import check_stages

IMAGENET_WINDOWS = ((7, 14), (7, 14), (7, 14), (7,))
MLP_RATIOS = (3.0, 3.5, 4.0)


@dataclass(frozen=True)
class WindowedFamily:
    """What the families differ in.

    Attributes:
        name: of the family and of its block.
        stem: kind of the stem.
        own_settings: of a block, from its width and its number in the stage, counted from 0.
    """

    name: str
    stem: str
    own_settings: Callable[[int, int], Mapping[str, Setting]]


def windowed(
    family: WindowedFamily,
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    width: int,
    stages: Sequence[Sequence[BlockValues]],
    head_dim: int = 32,
    patch: int = 4,
) -> Blueprint:
    """Return the network of these sizes.

    Args:
        family: block and stem.
        resolution: (height, width) of the image in pixels.
        num_classes: width of the classifier.
        in_channels: of the image.
        width: of the first stage; each stage doubles it.
        stages: heads, MLP ratio and window of each block of each stage.
        head_dim: channels of a head.
        patch: side of the stem's (smallest) patches in pixels.

    Raises:
        UsageError: where it is built or counted, if a patch or window does not divide its map.
    """
    return Blueprint(
        family=family.name,
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of(family.stem, stride=patch),)),
        stages=tuple(_stage(family, index, width * 2**index, blocks, head_dim) for index, blocks in enumerate(stages)),
        head=Stage("head", num_classes, (Block.of("layer_norm_head", pooling="mean", norm_first=True),)),
    )


def _stage(family: WindowedFamily, index: int, width: int, blocks: Sequence[BlockValues], head_dim: int) -> Stage:
    placed = tuple(
        Block.of(
            family.name,
            heads=values["heads"],
            head_dim=head_dim,
            mlp_width=int(width * float(values["mlp_ratio"])),
            window=values["window"],
            stride=2 if index > 0 and number == 0 else 1,
            **family.own_settings(width, number),
        )
        for number, values in enumerate(blocks)
    )
    return Stage(f"stage{index + 1}", width, placed)


def equal_blocks(width: int, depths: Sequence[int], window: int = 7) -> list[list[BlockValues]]:
    """Return the stages of a published network: heads of 32 channels, MLP ratio 4, one window."""
    return [
        [{"heads": width * 2**index // 32, "mlp_ratio": 4.0, "window": window}] * depth
        for index, depth in enumerate(depths)
    ]


def imagenet_form(
    widths: tuple[int, ...], depths: tuple[tuple[int, ...], ...], heads: Sequence[tuple[int, ...]]
) -> StagedForm:
    """Return the choices of a space at 224 pixels and patch 4."""
    choices: list[tuple[Choices]] = [
        ({"heads": number, "mlp_ratio": MLP_RATIOS, "window": windows},)
        for number, windows in zip(heads, IMAGENET_WINDOWS, strict=True)
    ]
    return StagedForm((224,), widths, depths, tuple(choices), patch=4)


def small_form() -> StagedForm:
    """Return the choices of a space for images of 8 to 64 pixels; its heads have 16 channels."""
    common: Choices = {"mlp_ratio": (2.0, 2.5), "window": (2, 4)}
    choices: tuple[tuple[Choices], ...] = (({"heads": (1, 2), **common},), ({"heads": (2, 3), **common},))
    return StagedForm((8, 16), (16, 24), ((1, 2), (1, 2)), choices, patch=2)


class WindowedSpace(StagedSpace):
    """A space of one of these families. Subclasses give ``family``; a window is never larger than its map."""

    family: ClassVar[WindowedFamily]

    def __init__(self, settings: StagedSettings) -> None:
        super().__init__(settings)
        windows = [choices["window"] for (choices,) in self.form.choices]
        for side in self.resolutions:
            check_stages((side // self.form.patch,) * 2, windows)

    def network(self, resolution: int, width: int, stages: Sequence[Sequence[BlockValues]]) -> Blueprint:
        """Return the network of these sizes."""
        return windowed(
            self.family,
            (resolution, resolution),
            self.settings.num_classes,
            self.settings.in_channels,
            width=width,
            stages=stages,
            head_dim=16 if self.settings.form == "small_image" else 32,
            patch=self.form.patch,
        )
