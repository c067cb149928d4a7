"""A network drawn from its blueprint, block by block, as inline SVG.

Every block is a box: its width grows with the square root of its output channels, its height with the square root of
its output resolution. Blocks of a stage share a band, a stride stands before its block, and rows break where the
drawing gets too wide. Colours are classes, so that the page's style can change them with the theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from experiments.report.block_labels import block_labels, block_title, size_text
from search_spaces.blueprint import Blueprint, PlacedBlock

BOX_WIDTH, BOX_HEIGHT = 31.0, 66.0
MIN_BOX, GAP, BAND_PADDING, BAND_GAP = 7.0, 5.0, 7.0, 5.0
CHARACTER, LINE = 6.1, 13.0
HEADER = 2 * LINE + 12
NUM_COLORS = 5


@dataclass(frozen=True)
class Box:
    """A block ready to be placed: its size in the drawing and its texts."""

    stage: str
    header: tuple[str, str]
    width: float
    height: float
    stride: int
    labels: tuple[str, ...]
    title: str
    color: int

    @property
    def column(self) -> float:
        """The width that box and labels need."""
        return max(self.width, *(CHARACTER * len(label) for label in self.labels), 0.0)

    @property
    def lead(self) -> float:
        """The gap before the box, wider where a stride is written."""
        return GAP + CHARACTER * len(self.stride_text) + 7 if self.stride > 1 else GAP

    @property
    def stride_text(self) -> str:
        """The text before a box that divides the resolution."""
        return f"↓{self.stride}"


@dataclass(frozen=True)
class Band:
    """Neighbouring boxes of one stage in one row."""

    boxes: tuple[Box, ...]

    @property
    def inner(self) -> float:
        """The width that the boxes need."""
        return sum(box.lead + box.column for box in self.boxes) - GAP

    @property
    def width(self) -> float:
        """The whole width: boxes or heading, whichever is wider."""
        heading = max(CHARACTER * len(line) for line in self.boxes[0].header)
        return max(self.inner, heading) + 2 * BAND_PADDING


def kind_colors(blueprint: Blueprint) -> list[tuple[int, str]]:
    """Return (colour number, kind) of the kinds of block in order of appearance; numbers repeat after five."""
    kinds = dict.fromkeys(placed.kind for placed in blueprint.placed())
    return [(number % NUM_COLORS + 1, kind) for number, kind in enumerate(kinds)]


def draw(blueprint: Blueprint, name: str, max_width: float) -> Markup:
    """Return the drawing as an SVG element at most ``max_width`` pixels wide; ``name`` is its accessible title."""
    rows = _rows(_boxes(blueprint), max_width)
    num_labels = max(len(box.labels) for row in rows for band in row for box in band.boxes)
    row_height = HEADER + BOX_HEIGHT + num_labels * LINE + 14
    width = max(sum(band.width + BAND_GAP for band in row) for row in rows)
    height = len(rows) * (row_height + BAND_GAP)
    svg = Element("svg", {"viewBox": f"0 0 {width:.0f} {height:.0f}", "width": f"{width:.0f}", "role": "img"})
    num_blocks = sum(stage.depth for stage in blueprint.stages)
    SubElement(svg, "title").text = f"{name}: stem, {num_blocks} blocks in {len(blueprint.stages)} stages, head"
    for number, row in enumerate(rows):
        _draw_row(svg, row, number * (row_height + BAND_GAP), row_height)
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 - the XML writer escapes


def _boxes(blueprint: Blueprint) -> list[Box]:
    """Return the input and every block as boxes of one scale."""
    colors = {kind: color for color, kind in kind_colors(blueprint)}
    placed = list(blueprint.placed())
    widest = max(block.out_width for block in placed[:-1])
    pixels = sqrt(blueprint.resolution[0] * blueprint.resolution[1])

    def side(channels: int) -> float:
        return min(BOX_WIDTH, max(MIN_BOX, BOX_WIDTH * sqrt(channels / widest)))

    def box(block: PlacedBlock, is_head: bool) -> Box:
        stride = int(block.arguments.get("stride", 1))
        size = -(-block.in_size[0] // stride), -(-block.in_size[1] // stride)
        height = MIN_BOX if is_head else max(MIN_BOX, BOX_HEIGHT * sqrt(sqrt(size[0] * size[1]) / pixels))
        stage = block.name.partition(".")[0]
        what = f"{block.out_width} cls" if is_head else f"{block.out_width} ch"
        header = (stage, what if is_head else f"{what} · {size_text(size)}")
        labels = block_labels(block)
        return Box(stage, header, side(block.out_width), height, stride, labels, block_title(block), colors[block.kind])

    image = ("input", f"{blueprint.in_channels} ch · {size_text(blueprint.resolution)}")
    first = Box("input", image, side(blueprint.in_channels), BOX_HEIGHT, 1, (), "the input image", 0)
    return [first, *(box(block, number == len(placed) - 1) for number, block in enumerate(placed))]


def _rows(boxes: Iterable[Box], max_width: float) -> list[list[Band]]:
    """Break the boxes into as few rows as ``max_width`` allows, of about the same length."""
    stages = (tuple(group) for _, group in groupby(boxes, key=lambda box: box.stage))
    bands = [band for stage in stages for band in _bands(stage, max_width)]
    rows = _break(bands, max_width)
    for narrower in range(int(max_width), 0, -8):
        attempt = _break(bands, narrower)
        if len(attempt) > len(rows):
            break
        rows = attempt
    return rows


def _break(bands: Sequence[Band], max_width: float) -> list[list[Band]]:
    """Fill row after row; a band that is wider stands alone."""
    rows: list[list[Band]] = [[]]
    used = 0.0
    for band in bands:
        if rows[-1] and used + band.width + BAND_GAP > max_width:
            rows.append([])
            used = 0.0
        rows[-1].append(band)
        used += band.width + BAND_GAP
    return rows


def _bands(boxes: Sequence[Box], max_width: float) -> list[Band]:
    """Return one stage's boxes as one band, or as several of about the same length where one would be too wide."""
    for parts in range(1, len(boxes) + 1):
        size = -(-len(boxes) // parts)
        bands = [Band(tuple(boxes[start : start + size])) for start in range(0, len(boxes), size)]
        if all(band.width + BAND_GAP <= max_width for band in bands):
            break
    return bands


def _draw_row(svg: Element, row: Sequence[Band], top: float, height: float) -> None:
    left = 0.0
    for band in row:
        _shape(svg, "band", left, top, band.width, height, radius=7)
        for line, style in zip(band.boxes[0].header, ("stage", "size"), strict=True):
            offset = LINE + 3 if style == "stage" else 2 * LINE + 3
            _text(svg, style, left + band.width / 2, top + offset, line)
        _draw_band(svg, band, left + (band.width - band.inner) / 2 - GAP, top + HEADER)
        left += band.width + BAND_GAP


def _draw_band(svg: Element, band: Band, left: float, top: float) -> None:
    middle = top + BOX_HEIGHT / 2
    for box in band.boxes:
        if box.stride > 1:
            _text(svg, "stride", left + (GAP + box.lead) / 2 - 2.5, middle + 4, box.stride_text)
        left += box.lead
        center = left + box.column / 2
        shape = _shape(
            svg, f"box box-{box.color}", center - box.width / 2, middle - box.height / 2, box.width, box.height
        )
        SubElement(shape, "title").text = box.title
        for number, label in enumerate(box.labels):
            _text(svg, "label", center, top + BOX_HEIGHT + (number + 1) * LINE, label)
        left += box.column


def _shape(parent: Element, style: str, x: float, y: float, width: float, height: float, radius: float = 2) -> Element:
    numbers = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
    return SubElement(parent, "rect", {"class": style, **{name: f"{value:.1f}" for name, value in numbers.items()}})


def _text(parent: Element, style: str, x: float, y: float, text: str) -> None:
    SubElement(parent, "text", {"class": style, "x": f"{x:.1f}", "y": f"{y:.1f}"}).text = text
