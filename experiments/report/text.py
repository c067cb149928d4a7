"""The front as a small table for the terminal, at the end of a run."""

from __future__ import annotations

import shutil
from io import StringIO

from experiments.report.data import Candidate, Quantity, ReportData
from experiments.report.formats import quantity_text, scaled

MAX_ROWS = 12


def render_front_table(data: ReportData) -> str:
    """Return the networks that are on a front as plain text, the best by the metric first; "" when there are none.

    A latency is in brackets where its network is not on that target's front. The letter behind a number says how it was
    obtained, and the line below the table what the letters mean.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = _rows(data)
    if not rows:
        return ""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    titles = (
        "network",
        f"validation {data.metric.title}",
        *(front.target for front in data.fronts),
        "MACs A",
        "params A",
    )
    for number, title in enumerate(titles):
        table.add_column(Text(title), justify="right" if number else "left", no_wrap=number > 0)
    for row in rows[:MAX_ROWS]:
        table.add_row(*map(Text, row))
    output = StringIO()
    console = Console(file=output, width=shutil.get_terminal_size((100, 24)).columns, no_color=True)
    console.print(table)
    if len(rows) > MAX_ROWS:
        console.print(Text(f"... and {len(rows) - MAX_ROWS} more in the report"))
    console.print(Text("* chosen; (latency) not on that front; M measured, P predicted, A analytic, T table"))
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines()).strip("\n") + "\n"


def _rows(data: ReportData) -> list[list[str]]:
    """Return the cells of every network that is on a front."""
    by_target = [{c.key: c for c in front.candidates} for front in data.fronts]
    members = {c.key: c for front in data.fronts for c in front.candidates if c.on_front}
    chosen = {c.key for front in data.fronts for c in front.candidates if c.chosen}
    ordered = sorted(members.values(), key=lambda c: (-data.metric.rank(c.accuracy.value), c.key))
    return [
        [
            f"{c.label} *" if c.key in chosen else c.label,
            _accuracy(c.accuracy),
            *(_latency(candidates.get(c.key)) for candidates in by_target),
            scaled(c.macs),
            scaled(c.params),
        ]
        for c in ordered
    ]


def _accuracy(accuracy: Quantity) -> str:
    spread = f" ± {accuracy.spread:.2f}" if accuracy.spread is not None else ""
    return f"{quantity_text(accuracy)}{spread} {accuracy.obtained[0].upper()}"


def _latency(candidate: Candidate | None) -> str:
    if candidate is None:
        return "-"
    text = f"{quantity_text(candidate.latency_ms)} {candidate.latency_ms.obtained[0].upper()}"
    return text if candidate.on_front else f"({text})"
