"""A blueprint says what an architecture means, before any torch: resolution, stem, stages of blocks, head.

Every package reads blueprints: building, counting, latency models, scaling rules. Widths live in the stages and blocks
hold only what is relative to them, so that a rule scales a blueprint by changing a few numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from search_spaces.errors import UsageError

Setting = int | float | str | bool
Precisions = str | tuple[str, ...]


class Level(NamedTuple):
    """One map of the pyramid that a head may read: the image, or what the last stage of a resolution gives.

    Attributes:
        name: ``image``, or the stage that makes it.
        width: channels.
        size: (height, width) in pixels or tokens.
    """

    name: str
    width: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """What a block is, without where it stands.

    Attributes:
        kind: its name in the block registry.
        settings: (name, value) pairs, sorted: the keyword arguments of its module. ``stride`` divides the resolution;
            names that end in ``_width`` are channel counts and scale with the width; ``heads`` counts attention heads;
            ``scales`` false on a stem: no rule changes its width; ``pyramid`` true on a head: its input is the pyramid,
            the image and the last map of each resolution, instead of the last map alone.
        precision: of its weighted layers: one name of ``search_spaces.precision`` for all, or one a layer in the order
            of the block's list of layers (equal ones become one name); ``fp32`` is not quantised.
    """

    kind: str
    settings: tuple[tuple[str, Setting], ...] = ()
    precision: Precisions = "fp32"
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.precision, str) and len(set(self.precision)) == 1:
            object.__setattr__(self, "precision", self.precision[0])
        # Blocks are the keys of caches that whole populations pass through: hashed once, not at every look.
        object.__setattr__(self, "_hash", hash((self.kind, self.settings, self.precision)))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Block], tuple[object, ...]]:
        # Another process hashes strings otherwise: the block is made anew there.
        return Block, (self.kind, self.settings, self.precision)

    @staticmethod
    @lru_cache(maxsize=1 << 14, typed=True)
    def of(kind: str, **settings: Setting) -> Block:
        """Return the block of ``kind`` with these settings; equal blocks are mostly one object."""
        return Block(kind, tuple(sorted(settings.items())))

    def get(self, name: str, default: Setting) -> Setting:
        """Return one setting, or ``default``."""
        return dict(self.settings).get(name, default)

    def replace(self, **settings: Setting) -> Block:
        """Return the block with some settings changed."""
        return replace(self, settings=Block.of(self.kind, **{**dict(self.settings), **settings}).settings)


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one output width; the depth is their number."""

    name: str
    width: int
    blocks: tuple[Block, ...]

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self.blocks)


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block where it stands: everything that building and counting it take.

    Attributes:
        name: position by role, as ``stage2.block3``.
        kind: its name in the block registry.
        in_width, out_width: channels.
        in_size: (height, width) of its input map, in pixels or tokens.
        settings, precision: as in ``Block``.
        levels: the pyramid, where the block reads it: the image first, then from fine to coarse.
    """

    name: str
    kind: str
    in_width: int
    out_width: int
    in_size: tuple[int, int]
    settings: tuple[tuple[str, Setting], ...]
    levels: tuple[Level, ...] = ()
    precision: Precisions = "fp32"

    @property
    def arguments(self) -> dict[str, Setting]:
        """The settings by name."""
        return dict(self.settings)

    @property
    def keywords(self) -> dict[str, object]:
        """What the block's class takes as keyword arguments: the settings, and the levels where it reads them."""
        if not self.levels:
            return dict(self.settings)
        return {**{name: value for name, value in self.settings if name != "pyramid"}, "levels": self.levels}


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What an architecture means.

    Attributes:
        family: name of the family (the space) that it belongs to.
        in_channels: channels of the input image.
        resolution: (height, width) of the input image in pixels.
        stem: stage ``stem``, one block.
        stages: ``stage1``, ``stage2``, ...
        head: stage ``head``, one block; its width is the number of classes.
    """

    family: str
    in_channels: int
    resolution: tuple[int, int]
    stem: Stage
    stages: tuple[Stage, ...]
    head: Stage

    @property
    def num_classes(self) -> int:
        """The width of the head."""
        return self.head.width

    def all_stages(self) -> tuple[Stage, ...]:
        """Return stem, stages and head in order."""
        return (self.stem, *self.stages, self.head)

    def placed(self) -> Iterator[PlacedBlock]:
        """Yield every block where it stands, in order; a stride s maps a side of n to ceil(n / s)."""
        width, size, reduction = self.in_channels, self.resolution, 1
        image = Level("image", width, size)
        last_of: dict[int, Level] = {}
        for stage in self.all_stages():
            for number, block in enumerate(stage.blocks, start=1):
                name = stage.name if stage is self.stem or stage is self.head else f"{stage.name}.block{number}"
                levels = (image, *last_of.values()) if block.get("pyramid", False) else ()
                yield PlacedBlock(name, block.kind, width, stage.width, size, block.settings, levels, block.precision)
                stride = int(block.get("stride", 1))
                width, size = stage.width, (-(-size[0] // stride), -(-size[1] // stride))
                reduction *= stride
                last_of[reduction] = Level(stage.name, width, size)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON data, the inverse of ``blueprint_from_dict``."""

        def block(value: Block) -> dict[str, object]:
            given = value.precision if isinstance(value.precision, str) else list(value.precision)
            precision = {} if given == "fp32" else {"precision": given}
            return {"kind": value.kind, **precision, **dict(value.settings)}

        def stage(value: Stage) -> dict[str, object]:
            return {"name": value.name, "width": value.width, "blocks": [block(each) for each in value.blocks]}

        return {
            "family": self.family,
            "in_channels": self.in_channels,
            "resolution": list(self.resolution),
            "stem": stage(self.stem),
            "stages": [stage(value) for value in self.stages],
            "head": stage(self.head),
        }


def blueprint_from_dict(content: Mapping[str, Any]) -> Blueprint:
    """Return the blueprint of ``Blueprint.to_dict``'s data.

    Raises:
        UsageError: a key is missing or holds another type.
    """

    def block(value: Any) -> Block:
        settings = {key: item for key, item in dict(value).items() if key not in ("kind", "precision")}
        for key, item in settings.items():
            if not isinstance(item, Setting):
                raise TypeError(f"setting {key!r} got {item!r}, allowed: a number, a string or a truth value")
        return replace(Block.of(str(value["kind"]), **settings), precision=_precisions(value.get("precision", "fp32")))

    def stage(value: Any) -> Stage:
        return Stage(str(value["name"]), int(value["width"]), tuple(block(item) for item in value["blocks"]))

    try:
        height, width = content["resolution"]
        return Blueprint(
            family=str(content["family"]),
            in_channels=int(content["in_channels"]),
            resolution=(int(height), int(width)),
            stem=stage(content["stem"]),
            stages=tuple(stage(value) for value in content["stages"]),
            head=stage(content["head"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the blueprint can't be read ({type(error).__name__}: {error}): "
            "expected keys family, in_channels, resolution, stem, stages, head"
        ) from None


def _precisions(given: Any) -> Precisions:
    if isinstance(given, list) and given:
        return tuple(map(str, given))
    if not isinstance(given, str):
        raise TypeError(f"precision got {given!r}, allowed: a name, or a list of names, one a layer")
    return given
