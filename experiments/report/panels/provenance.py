"""What it takes to do the study again: settings, seed, versions, machine, time of each stage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from experiments.report.data import ReportData
from experiments.report.formats import duration, grouped
from experiments.report.panel import PANELS, Bar, Bars, Card, Cell, Element, Facts, Fold, Grid, Panel


@PANELS.register("provenance")
def provenance(data: ReportData) -> Panel:
    """Return the panel."""
    study = data.study
    facts = [
        ("study", Cell(study.name)),
        ("created", Cell(study.created)),
        ("seed", Cell(str(study.seed))),
        ("space", Cell(study.space.name)),
        ("networks in the space", Cell(grouped(int(study.space.size)), obtained=("analytic",))),
    ]
    cards = [Card("Study", (Facts(facts),))]
    if study.machine:
        cards.append(Card("Machine", (_facts(study.machine),)))
    if study.versions:
        cards.append(Card("Versions", (_facts(study.versions),)))
    if study.stage_seconds:
        cards.insert(1, Card("Time", (_stages(study.stage_seconds),)))
    elements: list[Element] = [Grid(cards)]
    for title, settings in (("All settings", study.settings), ("Settings of the space", study.space.settings)):
        if settings:
            elements.append(Fold(title, (_facts(dict(flat_settings(settings))),)))
    return Panel("provenance", "Settings and provenance", "Provenance", 90, elements)


def _facts(values: Mapping[str, str]) -> Facts:
    return Facts([(name, Cell(value)) for name, value in values.items()])


def _stages(stages: tuple[tuple[str, float], ...]) -> Bars:
    longest = max(seconds for _, seconds in stages)
    total = sum(seconds for _, seconds in stages)
    bars = [Bar(stage, duration(seconds), seconds / longest if longest > 0 else 0.0) for stage, seconds in stages]
    return Bars(bars, f"{duration(total)} in all, wall clock", ("measured",))


def flat_settings(settings: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted path, value) of nested settings."""
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from flat_settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _value(value)


def _value(value: JsonValue) -> str:
    if value is None or value == {} or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value)
