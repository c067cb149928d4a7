"""Whether every operator of the space ``hybrid`` can stand in every stage: found out when the space is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from search_spaces.block import block_layers
from search_spaces.blueprint import Block, PlacedBlock
from search_spaces.errors import UsageError
from search_spaces.hybrid_forms import HybridForm
from search_spaces.mixers import Mixer, Reach
from search_spaces.mixers.place import Place
from search_spaces.norm_names import NORM_NAMES
from search_spaces.norms import norm_layers

UNUSED = 1
"""The kernel of a mixer that has none, and the window."""


def sides(form: HybridForm, mixer: Mixer) -> tuple[tuple[Reach, int], ...]:
    """Return what ``mixer`` can set its kernel or window to, as (knob, value); one entry if it has neither."""
    choices: Mapping[Reach, tuple[int, ...]] = {"kernel": form.kernels, "window": form.windows, "none": (UNUSED,)}
    return tuple((mixer.reach, value) for value in choices[mixer.reach])


def check_places(
    space: str,
    form: HybridForm,
    resolutions: Iterable[int],
    patches: Iterable[int],
    stems: Sequence[str],
    mixers: Mapping[str, Mixer],
) -> None:
    """Raise UsageError that names stage and operator, unless every stem, norm and mixer can stand wherever it may."""
    for resolution, patch in product(resolutions, patches):
        at = f"at resolution {resolution} and patch {patch}"
        if resolution % patch:
            raise UsageError(f"space {space!r}: patch {patch} does not divide the resolution {resolution}")
        for stem, width in product(stems, form.widths[0]):
            settings = Block.of("stem_slot", stem=stem, stride=patch).settings
            placed = PlacedBlock("stem", "stem_slot", 1, width, (resolution, resolution), settings)
            _check(f"space {space!r}, stem {stem!r} {at}", block_layers, placed)
        side = resolution // patch
        for number, (widths, stride) in enumerate(zip(form.widths, form.strides, strict=True), start=1):
            side = -(-side // stride)
            stage = f"space {space!r}, stage {number} {at}"
            for width, norm in product(widths, NORM_NAMES):
                _check(f"{stage}: norm {norm!r}", norm_layers, norm, width, (side, side))
            for width, (name, mixer) in product(widths, mixers.items()):
                for reach, value in sides(form, mixer):
                    kernel, window = (value if reach == each else UNUSED for each in ("kernel", "window"))
                    place = Place(width, (side, side), kernel, window, form.head_dim)
                    _check(f"{stage}: token mixer {name!r}", mixer.build.layers, place, 0)


def _check(what: str, layers: Callable[..., object], *arguments: object) -> None:
    try:
        layers(*arguments)
    except UsageError as error:
        raise UsageError(
            f"{what} can't stand there: {error}: choose other resolutions or patches, or leave a mixer out of 'mixers'"
        ) from None
