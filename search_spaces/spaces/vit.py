"""Vision transformers (ViT, Dosovitskiy et al. 2021; DeiT, Touvron et al. 2021).

Knobs: resolution, patch, width, depth, and each block's heads and MLP ratio. ``form`` is a range of widths around DeiT
tiny, small or base (head dimension 64), or ``small_image`` for images of 8 to 64 pixels.
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


def encoder(width: int, depth: int, heads: int, mlp_width: int, class_token: bool = True) -> tuple[Block, ...]:
    """Return ``depth`` equal blocks whose heads share out the width.

    Raises:
        UsageError: ``heads`` does not divide ``width``.
    """
    if width % heads:
        allowed = [number for number in range(1, width + 1) if width % number == 0]
        raise UsageError(f"heads {heads} do not divide the width {width}: allowed: {allowed}")
    block = Block.of("transformer", heads=heads, head_dim=width // heads, mlp_width=mlp_width, class_token=class_token)
    return (block,) * depth


def vit(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    patch: int,
    width: int,
    blocks: tuple[Block, ...],
    head: Block | None = None,
    class_token: bool = True,
) -> Blueprint:
    """Return a vision transformer: patchify stem, one stage of blocks, ``head`` (the class token's classifier)."""
    stem = Block.of("patch_embed", stride=patch, class_token=class_token)
    return Blueprint(
        family="vit",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", width, (stem,)),
        stages=(Stage("stage1", width, blocks),),
        head=Stage("head", num_classes, (head or Block.of("token_head", pooling="class_token"),)),
    )


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form."""

    resolutions: tuple[int, ...]
    patches: tuple[int, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    mlp_ratios: tuple[float, ...]
    head_dim: int


FORMS = {
    "tiny": Form((160, 192, 224), (16, 32), (128, 160, 192, 224), (10, 11, 12), (2, 3, 4), (3.0, 3.5, 4.0), 64),
    "small": Form((160, 192, 224), (16, 32), (320, 384, 448), (10, 11, 12), (5, 6, 7), (3.0, 3.5, 4.0), 64),
    "base": Form((160, 192, 224), (16, 32), (640, 704, 768), (10, 11, 12), (10, 11, 12), (3.0, 3.5, 4.0), 64),
    "small_image": Form((8, 16), (4, 8), (32, 48), (2, 3, 4), (2, 3), (2.0, 3.0), 16),
}


class VitSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "small", "base", "small_image"] = "tiny"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    patches: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    widths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    depths: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    heads: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    mlp_ratios: tuple[PositiveFloat, ...] | None = Field(None, min_length=1)


@spaces.register("vit")
class Vit(SearchSpace):
    """ViT. Positions of a smaller grid are those of the largest one, resized; each patch has a kernel of its own."""

    name = "vit"
    Settings = VitSettings
    settings: VitSettings

    def __init__(self, settings: VitSettings) -> None:
        form = FORMS[settings.form]
        self.resolutions = settings.resolutions or form.resolutions
        self.patches = settings.patches or form.patches
        self.widths = settings.widths or form.widths
        self.depths = settings.depths or form.depths
        self.heads = settings.heads or form.heads
        self.mlp_ratios = settings.mlp_ratios or form.mlp_ratios
        self.head_dim = form.head_dim
        for patch in self.patches:
            for side in self.resolutions:
                if side % patch:
                    allowed = [number for number in range(1, side + 1) if side % number == 0]
                    raise UsageError(f"patch {patch} does not divide the resolution {side}: allowed: {allowed}")
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return resolution, patch, width and depth, then each block's heads and MLP ratio."""
        knobs = [
            Knob("resolution", self.resolutions),
            Knob("patch", self.patches, ordered=False),
            Knob("width", self.widths),
            Knob("depth", self.depths),
        ]
        for block in range(1, self.depths[-1] + 1):
            present = tuple(value for value in self.depths if value >= block)
            knobs.append(Knob(f"block{block}.heads", self.heads, True, "depth", present))
            knobs.append(Knob(f"block{block}.mlp_ratio", self.mlp_ratios, True, "depth", present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network; a block's MLP has int(width x ratio) hidden channels."""
        values = architecture.values
        width, side = int(values["width"]), int(values["resolution"])
        blocks = tuple(
            Block.of(
                "transformer",
                heads=int(values[f"block{number}.heads"]),
                head_dim=self.head_dim,
                mlp_width=int(width * float(values[f"block{number}.mlp_ratio"])),
                class_token=True,
            )
            for number in range(1, int(values["depth"]) + 1)
        )
        return vit(
            (side, side),
            self.settings.num_classes,
            self.settings.in_channels,
            patch=int(values["patch"]),
            width=width,
            blocks=blocks,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on resolution, patch and width."""
        everywhere = ("resolution", "patch", "width")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(("stem", "head"), everywhere)
        for number in range(1, self.depths[-1] + 1):
            found[f"stage1.block{number}"] = (*everywhere, f"block{number}.heads", f"block{number}.mlp_ratio")
        return found
