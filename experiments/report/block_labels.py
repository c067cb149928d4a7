"""The short texts of a block in a drawing, and its full description."""

from __future__ import annotations

from search_spaces.blueprint import PlacedBlock, Setting

LABELS = {
    "mixer": "{}",
    "kernel": "k{}",
    "expansion": "e{}",
    "heads": "h{}",
    "mlp_ratio": "m{}",
    "groups": "g{}",
}
"""Settings that a drawing writes below a box, in this order; every setting is in the box's tooltip."""

MEANINGS = {
    "kernel": "k kernel",
    "expansion": "e expansion",
    "heads": "h attention heads",
    "mlp_ratio": "m MLP ratio",
    "groups": "g groups",
    "squeeze_excite": "SE squeeze-and-excitation",
}


def setting_text(value: Setting) -> str:
    """Return a setting's value, whole numbers without a point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def block_labels(block: PlacedBlock) -> tuple[str, ...]:
    """Return the lines below a box: ``k5``, ``e6``, ``SE``, ``h4``, ``m3.5``."""
    settings = block.arguments
    labels = [text.format(setting_text(settings[name])) for name, text in LABELS.items() if name in settings]
    return (*labels, "SE") if settings.get("squeeze_excite") is True else tuple(labels)


def block_title(block: PlacedBlock) -> str:
    """Return a box's tooltip: position, kind, widths and all settings."""
    settings = ", ".join(f"{name} {setting_text(value)}" for name, value in block.settings)
    text = (
        f"{block.name}: {block.kind}, {block.in_width} → {block.out_width} channels, input {size_text(block.in_size)}"
    )
    return f"{text}, {settings}" if settings else text


def size_text(size: tuple[int, int]) -> str:
    """Return a map's size: ``28²`` when square, else ``28 by 14`` (height by width)."""
    return f"{size[0]}²" if size[0] == size[1] else f"{size[0]} by {size[1]}"
