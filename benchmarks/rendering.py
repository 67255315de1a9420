"""A large saved plan in every format, and the page in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.applying import save_plan
from benchmarks.lab import Lab
from benchmarks.measure import medians
from benchmarks.row import Row, duration, timed

FORMATS = ("text", "markdown", "json", "html", "mermaid")


def rows(lab: Lab) -> Iterator[Row]:
    """`show` in each format that this version has, and what a reader of the page waits for."""
    directory = lab.folder("render")
    plan = save_plan(lab, directory)
    offered = [name for name in FORMATS if name in _offered(lab)]
    commands = [
        lab.reconciler("show", str(plan), "--format", name, directory=directory) for name in offered
    ]
    for name, run in zip(offered, medians(commands, lab.size.runs), strict=True):
        size = f"{len(run.output.encode()) / 1024:.0f} KiB"
        yield timed(f"show --format {name}, {lab.size.changes:,} changes", run, size)
        if name == "html":
            (directory / "plan.html").write_text(run.output, encoding="utf-8")
            yield _painted(lab, directory / "plan.html")


_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def _painted(lab: Lab, page: Path) -> Row:
    """Seconds to the first paint, as the browser itself measures them: of a tab just opened."""
    what = f"first paint of the page, {lab.size.changes:,} changes"
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or find_spec("playwright") is None:
        return Row(what, "not measured", "the test group's playwright and chromium do it")
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(lab.size.runs):
            tab = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
            tab.goto(page.as_uri())
            tab.wait_for_function(_PAINTED)
            found.append(float(tab.evaluate(_PAINTED)) / 1000)
            tab.close()
        browser.close()
    spread = f"{duration(median(found))} ({duration(min(found))} to {duration(max(found))})"
    return Row(what, spread, "wanted: below 1 s")


def _offered(lab: Lab) -> str:
    (run,) = medians([lab.reconciler("show", "--help", directory=lab.directory)], 1)
    return run.output
