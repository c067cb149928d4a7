"""The page: panels rendered into one HTML file that needs no other file and asks no host."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from experiments.report.data import ReportData
from experiments.report.formats import SOURCES
from experiments.report.panel import Figure, Panel, make_panels
from experiments.report.table import EvaluatedTable
from nas.files import write_text

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
EXPLORER = ("explorer_data.js", "explorer_canvas.js", "explorer_scatter.js", "explorer_parallel.js", "explorer.js")
SCRIPTS = ("figures.js", *EXPLORER, "report.js")
# These buttons alone: plotly has another that sends the figure to its own host.
PLOT_CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
}
MEANINGS = {
    "measured": "ran here, and was timed or counted",
    "predicted": "a model fitted to measurements says so",
    "analytic": "follows from the architecture by a formula",
    "table": "taken from a table or data sheet",
}


def write_report(data: ReportData, path: Path) -> None:
    """Write the report of ``data`` to ``path``; a report that is there is replaced in one step or left as it was.

    Raises:
        StorageError: the file can't be written.
    """
    write_text(path, render_report(data))


@dataclass(frozen=True)
class Head:
    """The top of a page: what kind of page it is, its heading, and short facts below it."""

    kind: str
    heading: str
    facts: Sequence[str] = ()


def render_report(data: ReportData) -> str:
    """Return the page of a study; the same data gives the same text."""
    study, targets = data.study, [front.target for front in data.fronts]
    told = [f"{len(targets)} target{'s' if len(targets) > 1 else ''}: {', '.join(targets)}"] if targets else []
    facts = [f"space {study.space.name}", *told, f"seed {study.seed}", study.created]
    return render_page(Head("Architecture search report", study.name, facts), make_panels(data))


def render_page(head: Head, panels: Sequence[Panel]) -> str:
    """Return panels as one HTML file."""
    own = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    scripts = [plotly_script(), own]
    return (
        _environment()
        .get_template("page.html")
        .render(
            head=head,
            panels=panels,
            policy=content_policy(scripts),
            style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - plotly's file and our own
        )
    )


def render_panel(panel: Panel) -> str:
    """Return one panel as a piece of HTML, as it stands in the report."""
    template = _environment().get_template("elements.html")
    return str(template.make_module().section(panel))  # type: ignore[attr-defined]


def plotly_script() -> str:
    """Return plotly.js, which comes with its package."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure_json": figure_json, "table_json": table_json}
    environment.globals["sources"] = [(source, MEANINGS[source]) for source in SOURCES]
    return environment


def figure_json(figure: Figure) -> Markup:
    """Return a figure as JSON that can stand inside a script element: no ``<`` closes it or opens a comment."""
    content = {"data": list(figure.traces), "layout": dict(figure.layout), "config": PLOT_CONFIG}
    return _inside_script(json.dumps(content, allow_nan=False, separators=(",", ":")))


def table_json(table: EvaluatedTable) -> Markup:
    """Return the explorer's table as JSON that can stand inside a script element."""
    return _inside_script(table.model_dump_json())


def _inside_script(text: str) -> Markup:
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def content_policy(scripts: list[str]) -> str:
    """Return the content security policy: exactly these inline scripts run, nothing is fetched from anywhere."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
