"""The page in a real browser: how soon a large study is painted, and how many frames a second brushing leaves."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks import benchmarks
from search_spaces.errors import UsageError, missing_extra

SETTINGS = {"space": {"name": "ofa_mobilenet", "form": "small_image"}, "latency": {"targets": ["made:up"]}}
# Called in the page: the times of frames while something else happens.
WATCH = """() => {
  window.frames = [];
  const tick = (now) => { window.frames.push(now); window.watching = requestAnimationFrame(tick); };
  window.watching = requestAnimationFrame(tick);
}"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
DRAWN = "performance.getEntriesByName('explorer-drawn')[0]?.startTime ?? null"


@benchmarks.register("page")
def page(evaluations: int = 10_000, repeats: int = 3) -> dict[str, Any]:
    """Open a study of many evaluations in headless Chromium: first paint, points drawn, frames while brushing.

    Args:
        evaluations: networks of the study; their values are made up, and say nothing but how fast the page is.
        repeats: openings, each in a browser context of its own; the first finds the server with nothing kept.

    Raises:
        UsageError: Chromium or playwright is not here.
    """
    with tempfile.TemporaryDirectory() as folder:
        make_study(Path(folder), evaluations)
        with _served(Path(folder)) as base, _browser() as browser:
            openings = [_opening(browser, f"{base}/#/study/1") for _ in range(repeats)]
    return {"evaluations": evaluations, "openings": openings}


def make_study(out: Path, evaluations: int) -> None:
    """Write a database with one finished study of so many evaluated networks, in a few large inserts."""
    from sqlalchemy import insert

    from experiments.store.models import ArchitectureRow, MeasurementRow, StudyRow, WorkRow
    from experiments.store.store import Store
    from search_spaces.population import PopulationCost
    from search_spaces.spaces import space

    family = space("ofa_mobilenet", form="small_image")
    rng = np.random.default_rng(0)
    genes = np.unique(family.sample(rng, evaluations + evaluations // 10), axis=0)
    genes = rng.permutation(genes)[:evaluations]
    macs = PopulationCost(family).counts(genes)[:, 1]
    accuracy = 99 - 40 * (macs / 1e5) ** -0.4 - rng.exponential(1.5, len(genes))
    latency = (macs / 1e6) ** 0.7 * rng.uniform(0.7, 1.4, len(genes))
    ids = range(1, len(genes) + 1)
    architectures = [
        {"id": n, "study_id": 1, "key": a.key, "space": a.space, "content": a.to_json()}
        for n, a in zip(ids, family.decode(genes), strict=True)
    ]
    work = [
        {"id": n, "study_id": 1, "kind": "evaluation", "key": a["key"], "sequence": n, "architecture_id": n,
         "payload": {}, "finished_at": 0.0}
        for n, a in zip(ids, architectures, strict=True)
    ]  # fmt: skip
    common = {"status": "finite", "obtained": "table", "versions": {}}
    measured = [
        row
        for n, a, t in zip(ids, accuracy.tolist(), latency.tolist(), strict=True)
        for row in (
            {"work_id": n, "quantity": "validation_accuracy", "target": "", "value": a, "unit": "%", **common},
            {"work_id": n, "quantity": "latency_ms", "target": "made:up", "value": t, "unit": "ms", **common},
        )
    ]
    with Store.open(str(out / "nas.db")) as store, store._database.write() as session:
        done = {"id": 1, "name": "large", "settings": SETTINGS, "seed": 0, "state": "done"}
        session.execute(insert(StudyRow), [{**done, "num_evaluations": len(genes)}])
        for table, rows in ((ArchitectureRow, architectures), (WorkRow, work), (MeasurementRow, measured)):
            session.execute(insert(table), rows)


@contextmanager
def _served(out: Path) -> Iterator[str]:
    """Serve the folder on loopback in a thread; yield the address."""
    try:
        import uvicorn

        from experiments.service.access import make_access
        from experiments.service.app import make_service
        from experiments.service.serve import listen, warm_up
    except ModuleNotFoundError as error:
        raise missing_extra(str(error.name), "serve") from None
    from experiments.store.store import Store

    warm_up()
    with Store.open(str(out / "nas.db")) as store, listen("127.0.0.1", 0) as listening:
        service = make_service(store, out, make_access("127.0.0.1", (), None))
        server = uvicorn.Server(uvicorn.Config(service, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise missing_extra("playwright", "test") from None
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise UsageError("there is no chromium on the path: install Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _opening(browser: Any, address: str) -> dict[str, Any]:
    """Open the page once and brush over its points."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    opened.goto(address)
    painted, drawn = (_when(opened, expression) for expression in (PAINTED, DRAWN))
    opened.locator(".explorer-scatter").scroll_into_view_if_needed()
    # Other panels are still loading: what is measured is brushing.
    opened.wait_for_timeout(3000)
    session = opened.context.new_cdp_session(opened)
    # Time of the thread, not of the clock: what else runs on the machine does not lengthen it.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _main_thread_s(session)
    frames = _brush(opened, opened.locator(".explorer-scatter").bounding_box())
    busy = _main_thread_s(session) - before
    opened.context.close()
    gaps = np.diff(frames)
    return {
        "first_paint_ms": round(painted),
        "points_drawn_ms": round(drawn),
        "frames_per_s": round(1000 / float(np.mean(gaps)), 1),
        "frames_per_s_slowest_twentieth": round(1000 / float(np.quantile(gaps, 0.95)), 1),
        "main_thread_cpu_ms_per_frame": round(1000 * busy / len(gaps), 2),
        "frames": len(gaps),
    }


def _main_thread_s(session: Any) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _when(opened: Any, expression: str) -> float:
    for _ in range(600):
        found = opened.evaluate(expression)
        if found is not None:
            return float(found)
        opened.wait_for_timeout(50)
    raise UsageError("the page drew nothing within 30 s: look at it with nas serve")


def _brush(opened: Any, box: dict[str, float]) -> list[float]:
    """Drag a rectangle over the points, back and forth; return the times of the frames, in ms."""
    left, top, width, height = box["x"] + 70, box["y"] + 20, box["width"] - 100, box["height"] - 80
    opened.mouse.move(left, top)
    opened.mouse.down()
    opened.evaluate(WATCH)
    for step in range(150):
        share = 0.5 - 0.5 * float(np.cos(step / 12))
        opened.mouse.move(left + share * width, top + (0.3 + 0.7 * share) * height)
    frames: list[float] = opened.evaluate("(cancelAnimationFrame(window.watching), window.frames)")
    opened.mouse.up()
    return frames
