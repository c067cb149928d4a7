from __future__ import annotations

import re

from experiments.report.data import ReportData
from experiments.report.notebook import MAX_ROWS, study_html


def test_a_front_shows_its_members_and_how_each_number_was_obtained(report_data: ReportData) -> None:
    front = report_data.fronts[0]
    html = front._repr_html_()
    members = [c for c in front.candidates if c.on_front]
    assert html.count("<tr>") == 1 + min(len(members), MAX_ROWS)
    assert f"{len(members)} of 100 networks" in html
    assert all("(analytic)" in row for row in re.findall(r"<tr><td>.*?</tr>", html))
    assert "(measured)" in html


def test_a_study_shows_state_progress_and_fronts(report_data: ReportData) -> None:
    html = study_html("digits", "running", 20, 100, report_data.fronts)
    assert "running, 20 of 100 networks evaluated" in html
    assert html.count("<table>") == len(report_data.fronts)
    assert report_data._repr_html_().count("<table>") == len(report_data.fronts)


def test_names_are_escaped(report_data: ReportData) -> None:
    hostile = report_data.fronts[0].model_copy(update={"target": "<script>x</script>"})
    assert "<script" not in study_html("<script>", "<script>", 0, None, [hostile])
