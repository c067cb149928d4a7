"""The drawing of a network: every block is there, inside the frame, to scale, with nothing but text in its texts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.report.drawing import BOX_WIDTH, draw, kind_colors
from search_spaces.blueprint import Block, Blueprint, Stage


def shapes(svg: Element, style: str) -> list[Element]:
    return [shape for shape in svg.iter("rect") if shape.get("class", "").split()[0] == style]


def texts(svg: Element, style: str) -> list[str]:
    return [text.text or "" for text in svg.iter("text") if text.get("class") == style]


def span(shape: Element, start: str, length: str) -> tuple[float, float]:
    return float(shape.get(start, "")), float(shape.get(start, "")) + float(shape.get(length, ""))


def inside(svg: Element) -> bool:
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    return all(
        span(shape, "x", "width")[0] >= 0
        and span(shape, "x", "width")[1] <= width + 0.2
        and span(shape, "y", "height")[1] <= height + 0.2
        for shape in svg.iter("rect")
    )


@pytest.mark.parametrize("max_width", [320.0, 1000.0])
@pytest.mark.parametrize("name", ["mobile_blueprint", "vit_blueprint"])
def test_every_block_is_drawn_inside_the_frame(name: str, max_width: float, request: pytest.FixtureRequest) -> None:
    blueprint: Blueprint = request.getfixturevalue(name)
    svg = fromstring(draw(blueprint, "net", max_width))
    assert len(shapes(svg, "box")) == len(list(blueprint.placed())) + 1
    assert float(svg.get("viewBox", "").split()[2]) <= max_width
    assert inside(svg)


def test_bands_of_a_row_do_not_overlap_and_boxes_stay_in_a_band(mobile_blueprint: Blueprint) -> None:
    svg = fromstring(draw(mobile_blueprint, "net", 320))
    bands = shapes(svg, "band")
    rows: dict[str, list[tuple[float, float]]] = {}
    for band in bands:
        rows.setdefault(band.get("y", ""), []).append(span(band, "x", "width"))
    assert len(rows) > 1
    assert all(before[1] < after[0] for row in rows.values() for before, after in pairwise(row))
    for box in shapes(svg, "box"):
        left, right = span(box, "x", "width")
        assert any(a <= left and right <= b for a, b in rows[holding(box, bands)])


def holding(box: Element, bands: list[Element]) -> str:
    top, bottom = span(box, "y", "height")
    return next(
        b.get("y", "") for b in bands if span(b, "y", "height")[0] <= top <= bottom <= span(b, "y", "height")[1]
    )


def test_strides_kernels_heads_and_sizes_are_written(mobile_blueprint: Blueprint, vit_blueprint: Blueprint) -> None:
    mobile, vit = (fromstring(draw(blueprint, "net", 1000)) for blueprint in (mobile_blueprint, vit_blueprint))
    assert texts(mobile, "stride") == ["↓2"] * 5
    assert texts(vit, "stride") == ["↓16"]
    assert {"k3", "k5", "k7", "e6", "SE"} <= set(texts(mobile, "label"))
    assert {"h3", "h4", "m3.5", "m4"} == set(texts(vit, "label"))
    assert texts(mobile, "stage") == ["input", "stem", *(f"stage{n}" for n in range(1, 7)), "head"]
    assert texts(mobile, "size")[0] == "3 ch · 224²"
    assert texts(mobile, "size")[-1] == "1000 cls"


def test_wider_blocks_are_wider_and_finer_blocks_are_higher(mobile_blueprint: Blueprint) -> None:
    boxes = shapes(fromstring(draw(mobile_blueprint, "net", 1000)), "box")[1:-1]
    widths = [float(box.get("width", "")) for box in boxes]
    heights = [float(box.get("height", "")) for box in boxes]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] <= BOX_WIDTH
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1]


def test_rows_are_about_equally_long(mobile_blueprint: Blueprint) -> None:
    bands = shapes(fromstring(draw(mobile_blueprint, "net", 900)), "band")
    ends: dict[str, float] = {}
    for band in bands:
        ends[band.get("y", "")] = span(band, "x", "width")[1]
    assert len(ends) == 2
    assert min(ends.values()) > 0.75 * max(ends.values())


def test_names_are_text_and_never_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    stage = Stage("stage1", 8, (Block.of(hostile, kernel=hostile),))
    blueprint = Blueprint(
        "x", 3, (16, 16), Stage("stem", 8, (Block.of("s"),)), (stage,), Stage("head", 2, (Block.of("h"),))
    )
    drawn = draw(blueprint, hostile, 1000)
    assert "<script" not in drawn
    svg = fromstring(drawn)
    assert f"k{hostile}" in texts(svg, "label")
    assert not list(svg.iter("script"))


def test_kinds_are_listed_once_in_order(mobile_blueprint: Blueprint) -> None:
    assert kind_colors(mobile_blueprint) == [(1, "conv_stem"), (2, "mbconv"), (3, "mobile_head")]


@given(
    depths=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    width=st.integers(1, 4096),
    sides=st.tuples(st.integers(1, 512), st.integers(1, 512)),
    max_width=st.integers(280, 1200),
)
def test_any_network_fits(depths: list[int], width: int, sides: tuple[int, int], max_width: int) -> None:
    stages = tuple(
        Stage(f"stage{n}", width, tuple(Block.of("mbconv", kernel=3, stride=2 if i == 0 else 1) for i in range(depth)))
        for n, depth in enumerate(depths, start=1)
    )
    stem, head = Stage("stem", 8, (Block.of("conv_stem", kernel=3),)), Stage("head", 10, (Block.of("token_head"),))
    blueprint = Blueprint("any", 1, sides, stem, stages, head)
    svg = fromstring(draw(blueprint, "any", max_width))
    assert inside(svg)
    assert len(shapes(svg, "box")) == sum(depths) + 3
    assert float(svg.get("viewBox", "").split()[2]) <= max_width


def test_a_rectangular_input_names_both_sides(mobile_blueprint: Blueprint) -> None:
    svg = fromstring(draw(replace(mobile_blueprint, resolution=(128, 64)), "net", 1000))
    assert texts(svg, "size")[0] == "3 ch · 128 by 64"
