"""The page as a file: one file, closed to the network, nothing that a name can break out of, replaced in one step."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from experiments.report.data import ReportData
from experiments.report.page import figure_json, render_report, write_report
from experiments.report.panel import Figure, make_panels
from search_spaces.errors import StorageError

HOSTILE = "</script><script>window.broken = 1</script><img src=x onerror=window.broken=1>"


@pytest.fixture(scope="module")
def page(report_data: ReportData) -> str:
    return render_report(report_data)


def test_the_same_data_gives_the_same_page(report_data: ReportData, page: str) -> None:
    assert render_report(report_data) == page
    assert len(page) < 6_000_000


def test_plotly_is_there_once_and_nothing_is_linked(page: str) -> None:
    assert page.count("* plotly.js v") == 1
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"https?:|//[a-z]|@import|<link (?!rel=\"icon\" href=\"data:,\")|src=|<iframe", own)


def test_the_policy_lets_exactly_the_own_scripts_run(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    rules = policy[1].replace("&#39;", "'")
    assert rules.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in rules
    assert "script-src 'unsafe-inline'" not in rules
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules


def test_figures_are_json_that_no_text_can_leave(page: str) -> None:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.DOTALL)
    figures = [text for text in found if set(json.loads(text)) == {"data", "layout", "config"}]
    [table] = [json.loads(text) for text in found if text not in figures]
    assert len(figures) == 13
    assert len(table["keys"]) == 100
    text = figure_json(Figure("t", [{"name": f"{HOSTILE}<!--&"}], {}))
    assert not set("<>&") & set(text)
    assert json.loads(text)["data"][0]["name"] == f"{HOSTILE}<!--&"


def test_a_figure_that_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        figure_json(Figure("t", [{"x": [float("nan")]}], {}))


def test_names_are_escaped_wherever_they_stand(report_data: ReportData, page: str) -> None:
    hostile = ReportData.model_validate_json(
        re.sub(r"digits-2025|balanced|cpu fp32 b1|ofa_mobilenet|360 validation images", HOSTILE, report_data.to_json())
    )
    written = render_report(hostile)
    assert "<img src=x" not in written
    assert written.count("<script") == page.count("<script")
    assert "&lt;/script&gt;&lt;script&gt;window.broken" in written


def test_the_least_report_is_a_whole_page(bare_data: ReportData) -> None:
    page = render_report(bare_data)
    assert page.rstrip().endswith("</html>")
    assert 'id="provenance"' in page
    assert 'id="fronts"' not in page


def test_every_link_of_the_navigation_has_its_section(report_data: ReportData, page: str) -> None:
    anchors = re.findall(r'<a href="#([a-z-]+)">', page)
    assert anchors == [panel.name for panel in make_panels(report_data)]
    assert anchors == re.findall(r'<section id="([a-z-]+)"', page)


def test_writing_replaces_the_report_and_leaves_nothing_else(bare_data: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(bare_data, path)
    assert path.read_text(encoding="utf-8") == render_report(bare_data)
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written_leaves_the_old_one(bare_data: ReportData, tmp_path: Path) -> None:
    folder = tmp_path / "report.html"
    folder.mkdir()
    with pytest.raises(StorageError, match=r"can't write .*report\.html.*choose another folder"):
        write_report(bare_data, folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_colours_are_readable_in_both_themes() -> None:
    style = (Path(__file__).parents[3] / "experiments" / "report" / "page.css").read_text(encoding="utf-8")
    themes = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colors = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", theme))
        for name in ("ink", "muted", "accent", "measured", "predicted", "analytic", "table"):
            for ground in ("surface", "paper"):
                assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground)
        assert all(contrast(colors[f"series-{number}"], colors["surface"]) >= 3 for number in range(1, 6))


def contrast(first: str, second: str) -> float:
    """Return WCAG 2's contrast ratio of two colours."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
