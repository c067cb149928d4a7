"""The forms of the space ``hybrid``: which sizes its stages choose from. No torch here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HybridForm:
    """The choices of one form.

    Attributes:
        resolutions: sides of the image in pixels.
        patches: sides of the stem's patches in pixels, the finest last, as in the largest network.
        widths: of each stage, ascending multiples of 8.
        depths: pairs of token mixer and feed-forward part in each stage.
        kernels, windows: what mixers that have one choose from.
        expansions: of the feed-forward part.
        head_dim: channels of an attention head.
        strides: of the way into each stage; the first has none.
    """

    resolutions: tuple[int, ...]
    patches: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]
    depths: tuple[tuple[int, ...], ...]
    kernels: tuple[int, ...]
    windows: tuple[int, ...]
    expansions: tuple[float, ...]
    head_dim: int
    strides: tuple[int, ...] = (1, 2, 2, 2)


FORMS = {
    "tiny": HybridForm(
        (224,),
        (4,),
        ((64, 96), (128, 192), (256, 384), (512, 768)),
        ((1, 2), (1, 2), (2, 4, 6), (1, 2)),
        (3, 5, 7),
        (7, 14),
        (2.0, 3.0, 4.0),
        32,
    ),
    "small_image": HybridForm(
        (32,),
        (4, 2),
        ((16, 24), (24, 32), (32, 48), (48, 64)),
        ((1, 2),) * 4,
        (3, 5, 7),
        (2, 4),
        (1.0, 2.0),
        8,
        strides=(1, 2, 2, 1),
    ),
}
