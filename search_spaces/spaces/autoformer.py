"""AutoFormer (Chen et al. 2021): width and depth of a vision transformer, heads and MLP ratio of each block.

``form`` is one of the published supernetworks (``tiny``, ``small``, ``base``: 224 pixels, patch 16, head dimension 64)
or ``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob
from search_spaces.networks import Resolution
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces


def autoformer(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    patch: int,
    width: int,
    heads: Sequence[int],
    mlp_ratios: Sequence[float],
    head_dim: int = 64,
    relative: bool = True,
) -> Blueprint:
    """Return the network of these heads and MLP ratios, one entry a block: patchify stem, mean of the patch tokens."""
    blocks = tuple(
        Block.of("relative_transformer", heads=number, head_dim=head_dim, mlp_ratio=ratio, relative=relative)
        for number, ratio in zip(heads, mlp_ratios, strict=True)
    )
    return Blueprint(
        family="autoformer",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (Block.of("patch_embed", stride=patch),)),
        stages=(Stage("stage1", width, blocks),),
        head=Stage("head", num_classes, (Block.of("token_head", pooling="mean"),)),
    )


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    mlp_ratios: tuple[float, ...]
    head_dim: int
    patch: int
    resolution: int


FORMS = {
    "tiny": Form((192, 216, 240), (12, 13, 14), (3, 4), (3.5, 4.0), 64, 16, 224),
    "small": Form((320, 384, 448), (12, 13, 14), (5, 6, 7), (3.0, 3.5, 4.0), 64, 16, 224),
    "base": Form((528, 576, 624), (14, 15, 16), (9, 10), (3.0, 3.5, 4.0), 64, 16, 224),
    "small_image": Form((48, 64, 80), (3, 4, 5), (2, 3, 4), (2.0, 3.0, 4.0), 16, 4, 16),
}


class AutoFormerSettings(SpaceSettings):
    """Settings of the space; tuples that are left out come from the form.

    The choices may be replaced, since published networks and supernetworks stand outside their own space (the tiny
    network has ratio 3.0, the tiny supernetwork width 256).
    """

    form: Literal["tiny", "small", "base", "small_image"] = "tiny"
    resolution: int | None = Field(None, ge=8)
    patch: int | None = Field(None, ge=1)
    widths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    depths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    heads: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    mlp_ratios: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)
    relative: bool = True


@spaces.register("autoformer")
class AutoFormer(SearchSpace):
    """AutoFormer. One stage of transformer blocks; the absolute and relative positions are shared."""

    name = "autoformer"
    Settings = AutoFormerSettings
    settings: AutoFormerSettings

    def __init__(self, settings: AutoFormerSettings) -> None:
        form = FORMS[settings.form]
        self.widths = settings.widths or form.widths
        self.depths = settings.depths or form.depths
        self.heads = settings.heads or form.heads
        self.mlp_ratios = settings.mlp_ratios or form.mlp_ratios
        self.head_dim = form.head_dim
        self.patch = settings.patch or form.patch
        self.resolution = settings.resolution or form.resolution
        if self.resolution % self.patch:
            raise UsageError(
                f"patch {self.patch} does not divide the resolution {self.resolution}: "
                f"allowed: {[p for p in range(1, self.resolution + 1) if self.resolution % p == 0]}"
            )
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return width and depth, then each block's heads and MLP ratio."""
        knobs = [Knob("width", self.widths), Knob("depth", self.depths)]
        for block in range(1, self.depths[-1] + 1):
            present = tuple(value for value in self.depths if value >= block)
            knobs.append(Knob(f"block{block}.heads", self.heads, True, "depth", present))
            knobs.append(Knob(f"block{block}.mlp_ratio", self.mlp_ratios, True, "depth", present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network: patchify stem, one stage of blocks, mean of the patch tokens."""
        values = architecture.values
        width = int(values["width"])
        numbers = range(1, int(values["depth"]) + 1)
        return autoformer(
            (self.resolution, self.resolution),
            self.settings.num_classes,
            self.settings.in_channels,
            patch=self.patch,
            width=width,
            heads=[int(values[f"block{number}.heads"]) for number in numbers],
            mlp_ratios=[float(values[f"block{number}.mlp_ratio"]) for number in numbers],
            head_dim=self.head_dim,
            relative=self.settings.relative,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on."""
        found: dict[str, tuple[str, ...]] = {"stem": ("width",), "head": ("width",)}
        for number in range(1, self.depths[-1] + 1):
            found[f"stage1.block{number}"] = ("width", f"block{number}.heads", f"block{number}.mlp_ratio")
        return found
