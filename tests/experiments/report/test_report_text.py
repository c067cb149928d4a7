"""The front in the terminal."""

from __future__ import annotations

import pytest

from experiments.report.data import ReportData
from experiments.report.text import MAX_ROWS, render_front_table


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_the_most_accurate_come_first_with_how_they_were_obtained(
    report_data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = plain(render_front_table(report_data)).splitlines()
    assert all(name in lines[0] for name in ("validation accuracy", "cpu fp32 b1", "h200 bf16 b64", "MACs A"))
    rows = lines[2 : 2 + MAX_ROWS]
    assert rows[0].startswith("balanced *")
    accuracies = [float(row.split(" %")[0].split()[-1]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(" ± 0.21 M" in row for row in rows)
    assert any("ms A" in row for row in rows)
    assert any("ms P)" in row for row in rows)


def test_networks_that_do_not_fit_are_counted(report_data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    members = {c.key for front in report_data.fronts for c in front.candidates if c.on_front}
    assert f"... and {len(members) - MAX_ROWS} more in the report" in render_front_table(report_data)


def test_it_is_plain_text_whatever_the_names_are(report_data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    front = report_data.fronts[0]
    first = max((c for c in front.candidates if c.on_front), key=lambda c: c.accuracy.value)
    named = first.model_copy(update={"label": "[red]x[/red]"})
    data = report_data.model_copy(update={"fronts": (front.model_copy(update={"candidates": (named,)}),)})
    text = render_front_table(data)
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
    assert "more in the report" not in text


def test_without_a_front_there_is_no_table(bare_data: ReportData) -> None:
    assert render_front_table(bare_data) == ""
