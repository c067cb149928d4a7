"""Panels of the report and the elements that they are made of.

A panel is a function from the report's data to a ``Panel`` (or None when it has nothing to show), in one file of
``experiments.report.panels``. It composes elements and never writes HTML: the page's template escapes all text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from experiments.report.data import ReportData
from experiments.report.table import EvaluatedTable
from predictors.measurement import Obtained
from search_spaces.registry import Registry

Sources = tuple[Obtained, ...]
"""How a number was obtained; several when it is made of numbers that were obtained differently."""


@dataclass(frozen=True)
class Cell:
    """A text with, below it, a small ``note``; ``title`` is its tooltip; ``obtained`` gives it badges."""

    text: str
    note: str = ""
    title: str = ""
    obtained: Sources = ()


@dataclass(frozen=True)
class Column:
    """A column's heading; ``obtained`` badges the heading when all its cells were obtained so."""

    title: str
    note: str = ""
    numeric: bool = True
    obtained: Sources = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; ``marked`` are the numbers of the rows to stress."""

    kind: ClassVar[str] = "table"
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A plotly figure as plain JSON data; a colour may be ``var(--name)``, a variable of the page's style."""

    kind: ClassVar[str] = "figure"
    title: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    subtitle: str = ""
    obtained: Sources = ()
    height: int = 420


@dataclass(frozen=True)
class Grid:
    """Elements side by side where there is room."""

    kind: ClassVar[str] = "grid"
    elements: Sequence[Element]


@dataclass(frozen=True)
class Tile:
    """A key figure."""

    title: str
    value: str
    note: str = ""
    obtained: Sources = ()


@dataclass(frozen=True)
class Tiles:
    """Key figures in a row."""

    kind: ClassVar[str] = "tiles"
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Facts:
    """Terms and their values."""

    kind: ClassVar[str] = "facts"
    items: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Bar:
    """One bar of ``Bars``; ``share`` of the longest, 0 to 1."""

    title: str
    value: str
    share: float


@dataclass(frozen=True)
class Bars:
    """Horizontal bars."""

    kind: ClassVar[str] = "bars"
    bars: Sequence[Bar]
    caption: str = ""
    obtained: Sources = ()


@dataclass(frozen=True)
class Points:
    """A list of remarks."""

    kind: ClassVar[str] = "points"
    items: Sequence[str]


@dataclass(frozen=True)
class Legend:
    """What the badges mean."""

    kind: ClassVar[str] = "legend"


@dataclass(frozen=True)
class Drawing:
    """An SVG in two layouts, for wide and for narrow screens; ``kinds`` are the (colour number, block kind) drawn."""

    kind: ClassVar[str] = "drawing"
    wide: Markup
    narrow: Markup
    kinds: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Card:
    """Elements under a small heading of their own."""

    kind: ClassVar[str] = "card"
    title: str
    elements: Sequence[Element]
    subtitle: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Fold:
    """Elements that open on a click."""

    kind: ClassVar[str] = "fold"
    title: str
    elements: Sequence[Element]


@dataclass(frozen=True)
class Explorer:
    """Every evaluated network on linked canvases: any two quantities, all knobs, brushing and filters."""

    kind: ClassVar[str] = "explorer"
    table: EvaluatedTable


Element = Explorer | Table | Figure | Grid | Tiles | Facts | Bars | Points | Legend | Drawing | Card | Fold


@dataclass(frozen=True)
class Panel:
    """One section of the page.

    Attributes:
        name: its anchor, lower-case letters and ``-``.
        title: its heading; ``short`` is the heading in the navigation.
        order: panels stand in ascending order; the built-in ones leave gaps of ten.
        lead: one or two sentences under the heading.
    """

    name: str
    title: str
    short: str
    order: int
    elements: Sequence[Element]
    lead: str = ""


PanelFunction = Callable[[ReportData], Panel | None]

PANELS: Registry[PanelFunction] = Registry("report panel", "experiments.report.panels")


def make_panels(data: ReportData) -> list[Panel]:
    """Return the panels that have something to show, in order."""
    made = (PANELS.get(name)(data) for name in PANELS.names())
    return sorted((panel for panel in made if panel is not None), key=lambda panel: (panel.order, panel.name))
