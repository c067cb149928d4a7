"""The page: panels rendered into one HTML file that needs no other file and asks no host."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from markupsafe import Markup

from experiments.report.data import ReportData
from experiments.report.formats import SOURCES
from experiments.report.panel import Figure, make_panels
from nas.files import write_text

FOLDER = Path(__file__).parent
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


def render_report(data: ReportData) -> str:
    """Return the page; the same data gives the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure_json"] = figure_json
    scripts = [get_plotlyjs(), (FOLDER / "page.js").read_text(encoding="utf-8")]
    return environment.get_template("page.html").render(
        data=data,
        panels=make_panels(data),
        sources=[(source, MEANINGS[source]) for source in SOURCES],
        policy=content_policy(scripts),
        style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - plotly's file and our own
    )


def figure_json(figure: Figure) -> Markup:
    """Return a figure as JSON that can stand inside a script element: no ``<`` closes it or opens a comment."""
    content = {"data": list(figure.traces), "layout": dict(figure.layout), "config": PLOT_CONFIG}
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def content_policy(scripts: list[str]) -> str:
    """Return the content security policy: exactly these inline scripts run, nothing is fetched from anywhere."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
