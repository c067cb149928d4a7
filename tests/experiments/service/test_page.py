"""The page in real headless Chromium: silent, closed to other hosts, usable by keyboard, on a phone, in both themes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from service_client import TOKEN, Service, running

from experiments.service.access import make_access
from experiments.service.guard import Guard
from experiments.service.token import digest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'nas[test]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: the page was not opened in a browser"
)

HOSTILE = "<script>window.broken=1</script><img src=//x.invalid/y onerror=window.broken=1>"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@dataclass
class Opened:
    """A page with all that it said and asked for."""

    page: Any
    base: str
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def until(self, expression: str) -> None:
        """Wait until an expression is true; playwright's own waiting evaluates in the page: the policy forbids it."""
        for _ in range(400):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"still not true after 20 s: {expression}; {self.messages}")

    def until_text(self, text: str, selector: str = "body") -> None:
        self.until(f"(document.querySelector({selector!r})?.innerText ?? '').includes({text!r})")

    def assert_silent(self) -> None:
        assert self.messages == []
        assert self.requests
        assert all(url.startswith((self.base, "data:", "blob:")) for url in self.requests)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def show(browser: Any, base: str, place: str = "#/", width: int = 1280, **options: Any) -> Opened:
    page = browser.new_context(viewport={"width": width, "height": 900}, **options).new_page()
    opened = Opened(page, base)
    page.on("console", lambda message: opened.messages.append(message.text))
    page.on("pageerror", lambda error: opened.messages.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(f"{base}/{place}")
    return opened


def test_from_the_list_to_a_network_and_its_files(browser: Any, service: Service) -> None:
    opened = show(browser, service.base)
    opened.until_text("32 of 32 evaluations", ".studies")
    opened.page.locator(".study").click()
    opened.until_text("Key figures")
    opened.page.locator("nav.sections a", has_text="Explore").click()
    opened.until("document.querySelectorAll('.explorer-list button').length > 0")
    opened.page.locator(".explorer-list button").first.click()
    opened.until("document.querySelector('#network .drawing svg') !== null")
    drawer = opened.page.locator("#network")
    assert "analytic" in drawer.locator(".badge").first.get_attribute("class")
    with opened.page.expect_download() as caught:
        drawer.locator("button", has_text="model.safetensors").click()
    stored = Path(caught.value.path()).read_bytes()
    label = opened.page.locator("#network-title").text_content()
    assert stored == (service.out / "digits" / "models" / label / "model.safetensors").read_bytes()
    opened.page.keyboard.press("Escape")
    assert not drawer.is_visible()
    opened.assert_silent()
    opened.page.context.close()


def test_every_panel_of_the_report_is_on_the_page_and_draws(browser: Any, service: Service) -> None:
    opened = show(browser, service.base, f"#/study/{service.study_id}")
    opened.until_text("Key figures")
    names = opened.page.locator(".panels > section").evaluate_all("(all) => all.map((one) => one.id)")
    assert names == [panel["name"] for panel in service.get(f"/api/studies/{service.study_id}")["panels"]]
    for name in names:
        opened.page.evaluate(f"document.getElementById('{name}').scrollIntoView()")
        opened.until(f"!document.getElementById('{name}').classList.contains('pending')")
    opened.until("typeof Plotly !== 'undefined'")
    opened.page.evaluate("Figures.drawAll()")
    opened.until(
        "document.querySelectorAll('.plot').length === document.querySelectorAll('.plot.js-plotly-plot').length"
    )
    assert opened.page.locator(".plot").count() > 4
    opened.assert_silent()
    opened.page.context.close()


def explored(browser: Any, service: Service, **options: Any) -> Opened:
    opened = show(browser, service.base, f"#/study/{service.study_id}", **options)
    opened.until_text("Key figures")
    opened.page.locator("nav.sections a", has_text="Explore").click()
    opened.until("document.querySelectorAll('.explorer-list button').length > 0")
    opened.page.locator(".explorer-scatter").scroll_into_view_if_needed()
    return opened


def test_a_brush_filters_points_lines_and_list(browser: Any, service: Service) -> None:
    opened = explored(browser, service)
    opened.until_text("16 networks", ".explorer-status")
    box = opened.page.locator(".explorer-scatter").bounding_box()
    opened.page.mouse.move(box["x"] + 65, box["y"] + 20)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    opened.page.mouse.up()
    opened.until_text(" of 16 networks", ".explorer-status")
    assert opened.page.locator("canvas.dimmed").count() == 2
    opened.page.locator("button", has_text="Clear filters").click()
    opened.until("document.querySelector('.explorer-status').innerText.startsWith('16 networks')")
    opened.assert_silent()
    opened.page.context.close()


def test_the_front_can_be_walked_by_keys(browser: Any, service: Service) -> None:
    opened = explored(browser, service)
    opened.page.locator(".explorer-scatter").focus()
    opened.page.keyboard.press("ArrowRight")
    opened.until("!document.querySelector('.explorer-tip').hidden")
    assert "%" in opened.page.locator(".explorer-tip").inner_text()
    opened.page.keyboard.press("Enter")
    opened.until("document.getElementById('network').open")
    opened.assert_silent()
    opened.page.context.close()


def test_the_first_tab_skips_to_the_content(browser: Any, service: Service) -> None:
    opened = show(browser, service.base)
    opened.until_text("digits", ".studies")
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    opened.page.keyboard.press("/")
    assert opened.page.evaluate("document.activeElement.type") == "search"
    opened.page.keyboard.type("nothing like it")
    opened.until_text("No study is called")
    opened.page.context.close()


def test_names_with_markup_do_nothing(browser: Any, service: Service) -> None:
    service.store.study(HOSTILE, {"space": {"name": HOSTILE}, "latency": {"targets": [HOSTILE]}}, seed=0)
    [found] = service.store.studies(name=HOSTILE)
    service.store.labels.note(HOSTILE, HOSTILE)
    opened = show(browser, service.base)
    opened.until_text("<script>window.broken=1</script>", ".studies")
    opened.page.goto(f"{service.base}/#/study/{found.id}")
    opened.until_text("<script>window.broken=1</script>", "h1")
    opened.page.goto(f"{service.base}/#/compare/{found.id}/{service.study_id}")
    opened.until_text("Settings that differ")
    assert opened.page.evaluate("typeof window.broken") == "undefined"
    assert opened.page.locator("img[src*=invalid]").count() == 0
    opened.assert_silent()
    opened.page.context.close()


def test_two_studies_and_rules_are_compared(browser: Any, service: Service) -> None:
    service.store.study("other", {**service.store.load("digits").settings, "seed": 3}, seed=3)
    [other] = service.store.studies(name="other")
    opened = show(browser, service.base, f"#/compare/{service.study_id}/{other.id}")
    opened.until_text("Settings that differ")
    opened.page.goto(f"{service.base}/#/scaling")
    opened.until("document.querySelectorAll('.plot.js-plotly-plot').length === 4")
    opened.assert_silent()
    opened.page.context.close()


def test_changes_of_a_study_arrive_by_themselves(browser: Any, service: Service) -> None:
    opened = show(browser, service.base)
    opened.until_text("live", "#live")
    service.store.study("fresh", {}, seed=0)
    opened.until_text("fresh", ".studies")
    service.store.queue.cancel("fresh")
    opened.until_text("cancelled", ".studies")
    service.store.delete("fresh")
    opened.until("!document.querySelector('.studies').innerText.includes('fresh')")
    opened.assert_silent()
    opened.page.context.close()


def test_a_verb_asks_for_the_token_and_takes_it(browser: Any, service: Service) -> None:
    settings = service.store.load("digits").settings
    service.store.queue.submit("waiting", {**settings, "name": "waiting"}, seed=0)
    [found] = service.store.studies(name="waiting")
    opened = show(browser, service.base, f"#/study/{found.id}")
    opened.until_text("Pause")
    opened.page.locator("button", has_text="Pause").click()
    opened.until("document.getElementById('token').open")
    opened.page.locator("#token input").fill(TOKEN)
    opened.page.keyboard.press("Enter")
    opened.until_text("paused", "h1")
    assert service.store.studies(name="waiting")[0].state == "paused"
    # The browser itself says 401 once; nothing else is said.
    assert [message for message in opened.messages if "401" not in message] == []
    assert opened.page.evaluate("localStorage.length") == 0
    opened.page.context.close()


def test_an_open_server_shows_nothing_before_the_token(browser: Any, service: Service) -> None:
    access = make_access("127.0.0.1", (), digest(TOKEN))
    closed = Guard(service.app, type(access)(access.hosts, access.token_sha256, open_reads=False))
    with running(closed) as client:
        opened = show(browser, f"http://127.0.0.1:{client.port}")
        opened.until("document.getElementById('token').open")
        assert "digits" not in opened.page.inner_text("body")
        opened.page.locator("#token input").fill(TOKEN)
        opened.page.keyboard.press("Enter")
        opened.until_text("digits", ".studies")
        opened.page.context.close()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow_screens_do_not_scroll_sideways(browser: Any, service: Service, width: int) -> None:
    opened = show(browser, service.base, width=width, has_touch=True, is_mobile=True)
    opened.until_text("digits", ".studies")
    assert opened.page.evaluate(OVERFLOW) == 0
    opened.page.goto(f"{service.base}/#/study/{service.study_id}")
    opened.until_text("Key figures")
    opened.page.evaluate("document.getElementById('explore').scrollIntoView()")
    opened.until("document.querySelectorAll('.explorer-list button').length > 0")
    assert opened.page.evaluate(OVERFLOW) == 0
    opened.assert_silent()
    opened.page.context.close()


def test_the_theme_follows_the_system_and_the_button(browser: Any, service: Service) -> None:
    opened = show(browser, service.base, color_scheme="dark")
    opened.until_text("digits", ".studies")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert opened.page.evaluate(ground) == "rgb(16, 19, 23)"
    opened.page.locator("#theme").click()
    assert opened.page.evaluate(ground) == "rgb(246, 247, 248)"
    opened.page.reload()
    opened.until_text("digits", ".studies")
    assert opened.page.evaluate(ground) == "rgb(246, 247, 248)"
    opened.assert_silent()
    opened.page.context.close()


def test_what_is_missing_is_said_in_a_line(browser: Any, service: Service) -> None:
    opened = show(browser, service.base, "#/study/999")
    opened.until_text("there is no study with id 999", "[role=alert]")
    service.store.delete("digits")
    opened.page.goto(f"{service.base}/#/")
    opened.until_text("No studies yet")
    opened.page.context.close()
