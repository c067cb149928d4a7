"""The page of a comparison of scaling rules: accuracy against each cost, growth against factor, one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.report.comparison_figures import accuracy_figures, growth_figures
from experiments.report.comparison_tables import counts_table, readings_table, timing_table
from experiments.report.page import Head, render_page
from experiments.report.panel import Card, Grid, Panel, Points
from nas.files import write_text

Content = Mapping[str, Any]


def write_comparison(content: Content, path: Path) -> None:
    """Write the page of what ``experiments.comparison.run.compare`` found."""
    write_text(path, render_comparison(content))


def render_comparison(content: Content) -> str:
    """Return the page; the same findings give the same text."""
    settings = content["settings"]
    facts = [f"{len(settings['rules'])} rules", f"factors {', '.join(f'{each:g}' for each in settings['factors'])}"]
    head = Head("Comparison of scaling rules", str(content["comparison"]), [*facts, *settings["targets"]])
    made = (function(content) for function in PANELS)
    return render_page(head, [panel for panel in made if panel is not None])


def _equal_latency(content: Content) -> Panel | None:
    found = content["equal_latency"]
    if not found:
        return None
    cards = [Card(each["target"], [readings_table(each)], _told(each)) for each in found]
    lead = (
        "Each rule's test accuracy at latencies that all rules reach, read off between its own networks, linear in the "
        "logarithm of the latency. Seeds are paired: one seed is the same images in the same order for all networks."
    )
    return Panel("equal-latency", "Which rule wins at equal latency", "Equal latency", 10, cards, lead)


def _told(found: Mapping[str, Any]) -> str:
    left = f"; not trained to the end: {', '.join(found['left_out'])}" if found["left_out"] else ""
    least = found["smallest_difference"]
    if least is None:
        return f"{found['seeds']} seed: no difference is shown by it{left}"
    return f"{found['seeds']} seeds: differences below {least:.2f} points can be chance (95 %){left}"


def _accuracy(content: Content) -> Panel | None:
    figures = accuracy_figures(content["rows"])
    if not figures:
        return None
    lead = (
        "Up and to the left is better. Filled: no network costs less and is more accurate; hollow: dominated. Bars are "
        "one standard deviation over seeds."
    )
    return Panel("accuracy", "Accuracy against each cost", "Accuracy", 20, [Grid(figures)], lead)


def _growth(content: Content) -> Panel:
    lead = (
        "What each rule's networks cost over the base's, against the growth of MACs that they achieved; dotted, the "
        "growth that the rule's law foretells."
    )
    return Panel("growth", "Growth of the other costs", "Growth", 30, [Grid(growth_figures(content["rows"]))], lead)


def _networks(content: Content) -> Panel:
    rows, refused = content["rows"], content["refused"]
    elements = [Card("Shape and counts", [counts_table(rows, content["counting"])]), Card("Time", [timing_table(rows)])]
    if refused:
        lines = [f"{each['rule']} x {each['factor']:g}: {each['reason']}" for each in refused]
        elements.append(Card("Left out", [Points(lines)]))
    return Panel("networks", "Every network", "Networks", 40, elements)


def _settings(content: Content) -> Panel:
    settings = content["settings"]
    lines = [f"base: {_flat(settings['base'])}"]
    if settings["training"]:
        lines += [
            f"data: {content['training_images']:,} training images, {_flat(settings['data'])}",
            f"one recipe for all: {_flat(settings['training'])}",
            f"random changes to images: {_flat(settings['augmentation'])}",
            f"seeds: {settings['seeds']}; time of training is processor time",
        ]
    lines += [f"{name}: {_flat(content[name])}" for name in ("machine", "versions")]
    return Panel("settings", "How it was done", "Settings", 50, [Points(lines)])


def _flat(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in table.items() if value not in (None, {}, ""))


PANELS: Sequence[Callable[[Content], Panel | None]] = (_equal_latency, _accuracy, _growth, _networks, _settings)
