from __future__ import annotations

import re
from pathlib import Path

from experiments.report.data import ReportData
from experiments.report.notebook import MAX_ROWS, study_html
from experiments.store.store import Store


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


def test_a_study_of_the_store_shows_itself(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "nas.db")) as store:
        study = store.study("<b>mine</b>", {"search": {"evaluations": 5}}, seed=0)
        assert study._repr_html_() == "<p><strong>&lt;b&gt;mine&lt;/b&gt;</strong>: new, 0 of 5 networks evaluated</p>"


def test_names_are_escaped(report_data: ReportData) -> None:
    hostile = report_data.fronts[0].model_copy(update={"target": "<script>x</script>"})
    assert "<script" not in study_html("<script>", "<script>", 0, None, [hostile])
