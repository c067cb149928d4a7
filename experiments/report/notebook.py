"""Studies and fronts as notebooks show them: small tables, with how each number was obtained. All text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from experiments.report.data import Front, ReportData
from experiments.report.formats import quantity_text, scaled, spread_text

MAX_ROWS = 15


def front_html(front: Front) -> str:
    """Return the networks on a front, the slowest first, which are the best."""
    members = sorted((c for c in front.candidates if c.on_front), key=lambda c: (-c.latency_ms.value, c.key))
    rows = [
        [
            f"{c.label} ★" if c.chosen else c.label,
            f"{quantity_text(c.accuracy)} {spread_text(c.accuracy)} ({c.accuracy.obtained})",
            f"{quantity_text(c.latency_ms)} {spread_text(c.latency_ms)} ({c.latency_ms.obtained})",
            f"{scaled(c.macs)} (analytic)",
            f"{scaled(c.params)} (analytic)",
        ]
        for c in members[:MAX_ROWS]
    ]
    more = f"; {len(members) - MAX_ROWS} more are not shown" if len(members) > MAX_ROWS else ""
    caption = f"Front on {front.target}: {len(members)} of {len(front.candidates)} networks{more}. ★ chosen."
    score = front.recipe.partition(",")[0]
    return _table(caption, ("network", score, "latency", "MACs", "parameters"), rows)


def report_html(data: ReportData) -> str:
    """Return a heading and every front."""
    return _heading(data.study.name, f"space {data.study.space.name}, seed {data.study.seed}") + "".join(
        map(front_html, data.fronts)
    )


def study_html(name: str, state: str, done: int, asked: int | None, fronts: Iterable[Front]) -> str:
    """Return a heading with state and progress, and every front."""
    of = f" of {asked:,}" if asked else ""
    return _heading(name, f"{state}, {done:,}{of} networks evaluated") + "".join(map(front_html, fronts))


def _heading(name: str, text: str) -> str:
    return f"<p><strong>{escape(name)}</strong>: {escape(text)}</p>"


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
