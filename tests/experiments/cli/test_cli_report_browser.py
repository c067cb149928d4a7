"""The report of a real study in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_study import TinyStudy

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'nas[test]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: no report was opened in a browser")


@pytest.mark.parametrize("name", ["study", "measured_study"])
def test_the_report_opens_draws_and_asks_no_host(name: str, request: pytest.FixtureRequest) -> None:
    study: TinyStudy = request.getfixturevalue(name)
    messages, requests = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda asked: requests.append(asked.url))
        page.goto((study.folder / "report.html").as_uri())
        drawn = "document.querySelectorAll('.plot .main-svg').length"
        wanted = len(page.query_selector_all(".plot"))
        page.evaluate("Figures.drawAll()")
        for _ in range(200):
            if page.evaluate(drawn) >= wanted:
                break
            page.wait_for_timeout(50)
        assert page.evaluate(drawn) >= wanted > 0
        text = page.inner_text("body")
        browser.close()
    assert messages == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)
    assert study.name in text
    assert "N1" in text
    assert Path(study.folder / "report.html").stat().st_size < 10_000_000
