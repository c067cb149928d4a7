"""The report in a real browser: draws, asks no host, runs nothing of a name, fits a phone, follows the theme."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from experiments.report.data import ReportData
from experiments.report.page import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'nas[test]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: the report was not opened in a browser"
)

HOSTILE = "<script>window.broken=1</script><img src=//x.invalid/y onerror=window.broken=1>"
DRAWN = "(Figures.drawAll(), document.querySelectorAll('.plot .main-svg').length >= 13 * 3)"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@dataclass
class Opened:
    """A page with all that it said and asked for."""

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def count(self, selector: str) -> int:
        return int(self.page.locator(selector).count())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(report_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(report_data, path)
    return path


def show(browser: Any, path: Path, wait_for: str = DRAWN, width: int = 1280, **options: Any) -> Opened:
    """Open a report in a context of its own and wait until its figures are drawn."""
    page = browser.new_context(viewport={"width": width, "height": 844}, **options).new_page()
    opened = Opened(page)
    page.on("console", lambda message: opened.messages.append(message.text))
    page.on("pageerror", lambda error: opened.messages.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(path.as_uri())
    wait_until(opened, wait_for)
    return opened


def wait_until(opened: Opened, expression: str) -> None:
    """Wait until an expression is true; playwright's own waiting evaluates in the page, which the policy forbids."""
    for _ in range(200):
        if opened.page.evaluate(expression):
            return
        opened.page.wait_for_timeout(50)
    pytest.fail(f"still not true after 10 s: {expression}")


def assert_silent(opened: Opened) -> None:
    assert opened.messages == []
    assert opened.requests
    assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.requests)


def test_every_figure_is_drawn_without_a_word_or_a_host(browser: Any, report: Path) -> None:
    opened = show(browser, report)
    assert opened.count(".plot.js-plotly-plot") == 13
    front = opened.page.locator("#fronts .plot").first
    assert front.locator(".scatterlayer .trace").count() == 4
    assert front.locator(".scatterlayer .points path").count() >= 100
    assert opened.count("#networks .drawing svg[role=img]") == 4
    assert opened.count(".badge") > 100
    buttons = front.locator(".modebar-btn").evaluate_all("(all) => all.map((one) => one.dataset.title)")
    assert len(buttons) == 4
    assert not any(re.search("cloud|link|edit|studio", title, re.IGNORECASE) for title in buttons)
    assert_silent(opened)
    opened.page.context.close()


def test_a_hidden_network_shows_its_numbers_on_hover(browser: Any, report: Path) -> None:
    opened = show(browser, report)
    front = opened.page.locator("#fronts .plot").first
    front.scroll_into_view_if_needed()
    point = front.locator(".scatterlayer .trace").nth(2).locator(".points path").last
    box = point.bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.page.wait_for_selector(".hoverlayer .hovertext")
    said = front.locator(".hoverlayer .hovertext").first.text_content()
    assert re.search(r"accuracy .*% .*\(measured\).*latency .*ms.*MACs", said)
    assert_silent(opened)
    opened.page.context.close()


def test_names_with_markup_do_nothing(browser: Any, report_data: ReportData, tmp_path: Path) -> None:
    text = re.sub(r"digits-2025|balanced|net-0|cpu fp32 b1|Latency model|NSGA", HOSTILE, report_data.to_json())
    path = tmp_path / "report.html"
    write_report(ReportData.model_validate_json(text), path)
    opened = show(browser, path)
    assert opened.page.evaluate("typeof window.broken") == "undefined"
    assert opened.page.locator("h1").text_content() == HOSTILE
    assert opened.count("img") == 0
    assert opened.count("script:not([type])") == 2
    assert opened.count(".plot a") == 0
    assert_silent(opened)
    opened.page.context.close()


def test_an_injected_script_is_stopped_by_the_policy(browser: Any, report: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    page = report.read_text(encoding="utf-8")
    path.write_text(page.replace("</main>", "<script>window.broken = 1</script></main>"), encoding="utf-8")
    opened = show(browser, path)
    assert opened.page.evaluate("typeof window.broken") == "undefined"
    assert any("Content Security Policy" in message for message in opened.messages)
    opened.page.context.close()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow_screens_do_not_scroll_sideways(browser: Any, report: Path, width: int) -> None:
    opened = show(browser, report, width=width, has_touch=True, is_mobile=True)
    assert opened.page.evaluate(OVERFLOW) == 0
    assert opened.page.locator("#networks .wide").first.is_hidden()
    assert opened.page.locator("#networks .narrow svg").first.bounding_box()["width"] <= width
    opened.page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    assert opened.page.evaluate(OVERFLOW) == 0
    assert_silent(opened)
    opened.page.context.close()


def test_long_names_do_not_widen_a_phone(browser: Any, report_data: ReportData, tmp_path: Path) -> None:
    long = "a" * 120
    text = re.sub(r"digits-2025|balanced|cpu fp32 b1|training.batch_size|torch", long, report_data.to_json())
    path = tmp_path / "report.html"
    write_report(ReportData.model_validate_json(text), path)
    opened = show(browser, path, width=390)
    opened.page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    assert opened.page.evaluate(OVERFLOW) == 0
    opened.page.context.close()


def test_page_and_figures_follow_the_theme(browser: Any, report: Path) -> None:
    opened = show(browser, report, color_scheme="light")
    look = """() => {
        const front = document.querySelector('#fronts .plot');
        const trace = front._fullData.find((item) => item.name.startsWith('front'));
        return [getComputedStyle(document.body).backgroundColor, trace.marker.line.color, front._fullLayout.font.color];
    }"""
    light = opened.page.evaluate(look)
    opened.page.emulate_media(color_scheme="dark")
    wait_until(opened, f"({look})()[1] !== '{light[1]}'")
    dark = opened.page.evaluate(look)
    assert light == ["rgb(246, 247, 248)", "#0072b2", "#555e69"]
    assert dark == ["rgb(16, 19, 23)", "#56b4e9", "#a3adb9"]
    assert_silent(opened)
    opened.page.context.close()


def test_the_navigation_stays_and_follows(browser: Any, report: Path) -> None:
    opened = show(browser, report)
    opened.page.locator("nav a[href='#scaling']").click()
    wait_until(opened, "document.querySelector('nav a[aria-current]').hash === '#scaling'")
    assert opened.page.locator("nav").bounding_box()["y"] == 0
    assert opened.page.locator("#scaling h2").bounding_box()["y"] >= 40
    opened.page.context.close()


def test_the_least_report_is_shown(browser: Any, bare_data: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(bare_data, path)
    opened = show(browser, path, wait_for="document.querySelector('nav a[aria-current]') !== null")
    assert opened.page.locator("h1").text_content() == "bare"
    assert opened.count(".plot") == 0
    assert_silent(opened)
    opened.page.context.close()
