"""ViT-ResNAS (Liao et al. 2021): a vision transformer of three stages with residual spatial reduction between them.

Knobs: resolution, each stage's width and depth, each block's heads and MLP width. ``form`` is ``tiny`` or ``small``,
the published supernetworks at 224 pixels (whose search drops every second block; here, the last ones), or
``small_image`` for images of 8 to 64 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, PositiveInt

from search_spaces.architecture import Architecture
from search_spaces.blueprint import Block, Blueprint, Stage
from search_spaces.errors import UsageError
from search_spaces.knobs import Knob
from search_spaces.networks import Resolution
from search_spaces.space import SearchSpace, SpaceSettings
from search_spaces.spaces import spaces


@dataclass(frozen=True)
class StageSizes:
    """Width of one stage, its head dimension and (heads, MLP width) of each block."""

    width: int
    head_dim: int
    blocks: tuple[tuple[int, int], ...]


def vit_resnas(
    resolution: Resolution,
    num_classes: int,
    in_channels: int,
    *,
    stages: Sequence[StageSizes],
    patch: int = 14,
    mid_width: int = 24,
) -> Blueprint:
    """Return the network of these stages; each but the first begins with a ``token_reduction``."""
    return Blueprint(
        family="vit_resnas",
        in_channels=in_channels,
        resolution=resolution,
        stem=Stage("stem", stages[0].width, (Block.of("conv_patch_embed", stride=patch, mid_width=mid_width),)),
        stages=tuple(_stage(number, sizes) for number, sizes in enumerate(stages, start=1)),
        head=Stage("head", num_classes, (Block.of("token_head", pooling="class_token"),)),
    )


def _stage(number: int, sizes: StageSizes) -> Stage:
    reduction = (Block.of("token_reduction", stride=2),) if number > 1 else ()
    blocks = tuple(
        Block.of("transformer", heads=heads, head_dim=sizes.head_dim, mlp_width=mlp_width)
        for heads, mlp_width in sizes.blocks
    )
    return Stage(f"stage{number}", sizes.width, reduction + blocks)


@dataclass(frozen=True)
class StageChoices:
    """The choices of one stage."""

    widths: tuple[int, ...]
    heads: tuple[int, ...]
    mlp_widths: tuple[int, ...]
    depths: tuple[int, ...]
    head_dim: int


@dataclass(frozen=True)
class Form:
    """The constants and choices of one form."""

    resolutions: tuple[int, ...]
    patch: int
    mid_width: int
    stages: tuple[StageChoices, ...]


FORMS = {
    "tiny": Form(
        (224,),
        14,
        24,
        (
            StageChoices((160, 176, 192, 224, 256), (3, 4, 5, 6), tuple(range(384, 769, 64)), (3, 4, 5, 6), 32),
            StageChoices((320, 352, 384, 448, 512), (6, 8, 10, 12), tuple(range(768, 1537, 128)), (3, 4, 5, 6), 48),
            StageChoices((640, 704, 768, 896, 1024), (6, 8, 10, 12), tuple(range(1536, 3073, 256)), (3, 4, 5, 6), 64),
        ),
    ),
    "small": Form(
        (224,),
        14,
        24,
        (
            StageChoices((200, 220, 240, 280, 320), (5, 6, 7, 8), tuple(range(480, 961, 80)), (4, 5, 6, 7), 32),
            StageChoices((400, 440, 480, 560, 640), (10, 12, 14, 16), tuple(range(960, 1921, 160)), (4, 5, 6, 7), 48),
            StageChoices(
                (800, 880, 960, 1120, 1280), (10, 12, 14, 16), tuple(range(1920, 3841, 320)), (4, 5, 6, 7), 64
            ),
        ),
    ),
    "small_image": Form(
        (8, 16),
        4,
        8,
        (
            StageChoices((24, 32), (1, 2), (48, 64), (1, 2), 16),
            StageChoices((48, 64), (2, 3), (96, 128), (1, 2), 16),
        ),
    ),
}


class VitResnasSettings(SpaceSettings):
    """Settings of the space; what is left out comes from the form."""

    form: Literal["tiny", "small", "small_image"] = "tiny"
    resolutions: tuple[PositiveInt, ...] | None = Field(None, min_length=1)


@spaces.register("vit_resnas")
class VitResnas(SearchSpace):
    """ViT-ResNAS. Positions of a smaller grid are those of the largest one, resized."""

    name = "vit_resnas"
    Settings = VitResnasSettings
    settings: VitResnasSettings

    def __init__(self, settings: VitResnasSettings) -> None:
        self.form = FORMS[settings.form]
        self.resolutions = settings.resolutions or self.form.resolutions
        step = self.form.patch * 2 ** (len(self.form.stages) - 1)
        wrong = [side for side in self.resolutions if side % step]
        if wrong:
            raise UsageError(
                f"space 'vit_resnas', setting 'resolutions' got {wrong[0]}: allowed: multiples of {step}, "
                "the patch times the reductions"
            )
        super().__init__(settings)

    def make_knobs(self) -> Sequence[Knob]:
        """Return the resolution, then each stage's width and depth and each block's heads and MLP width."""
        knobs = [Knob("resolution", self.resolutions)]
        for number, stage in enumerate(self.form.stages, start=1):
            depth = f"stage{number}.depth"
            knobs += [Knob(f"stage{number}.width", stage.widths), Knob(depth, stage.depths)]
            for layer in range(1, stage.depths[-1] + 1):
                present = tuple(value for value in stage.depths if value >= layer)
                name = f"stage{number}.layer{layer}"
                knobs.append(Knob(f"{name}.heads", stage.heads, True, depth, present))
                knobs.append(Knob(f"{name}.mlp_width", stage.mlp_widths, True, depth, present))
        return knobs

    def blueprint(self, architecture: Architecture) -> Blueprint:
        """Return the network; ``layer1`` is the first transformer of a stage, which stands after its reduction."""
        values = architecture.values
        side = int(values["resolution"])
        stages = [
            StageSizes(
                int(values[f"stage{number}.width"]),
                stage.head_dim,
                tuple(
                    (
                        int(values[f"stage{number}.layer{layer}.heads"]),
                        int(values[f"stage{number}.layer{layer}.mlp_width"]),
                    )
                    for layer in range(1, int(values[f"stage{number}.depth"]) + 1)
                ),
            )
            for number, stage in enumerate(self.form.stages, start=1)
        ]
        return vit_resnas(
            (side, side),
            self.settings.num_classes,
            self.settings.in_channels,
            stages=stages,
            patch=self.form.patch,
            mid_width=self.form.mid_width,
        )

    def position_knobs(self) -> Mapping[str, tuple[str, ...]]:
        """Return what each position depends on: every one on the resolution and its stage's width."""
        found: dict[str, tuple[str, ...]] = {"stem": ("resolution", "stage1.width")}
        for number, stage in enumerate(self.form.stages, start=1):
            everywhere = ("resolution", f"stage{number}.width")
            if number > 1:
                found[f"stage{number}.block1"] = (*everywhere, f"stage{number - 1}.width")
            for layer in range(1, stage.depths[-1] + 1):
                name = f"stage{number}.layer{layer}"
                position = f"stage{number}.block{layer + (number > 1)}"
                found[position] = (*everywhere, f"{name}.heads", f"{name}.mlp_width")
        return found | {"head": ("resolution", f"stage{len(self.form.stages)}.width")}
