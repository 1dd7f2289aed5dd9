"""How quickly a report is drawn, and whether it is as quiet as it must be.

    pip install playwright
    python benchmarks/open_report.py REPORT.html [--screenshots FOLDER] [--browser /usr/bin/chromium]

Opens the report in Chromium; prints its size and the seconds until the figures in the window and all figures are
drawn; exits with 1 if the page wrote to the console, asked the network for anything, or is wider than a phone. With
`--screenshots` it leaves what a desktop, a phone and a printer show of the page, light and dark.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VISIBLE_DRAWN = """() => [...document.querySelectorAll('[data-figure]')].every(box => {
  const {top, bottom} = box.getBoundingClientRect();
  return bottom < 0 || top > innerHeight || box.classList.contains('drawn');
})"""
ALL_DRAWN = "() => [...document.querySelectorAll('[data-figure]')].every(box => box.classList.contains('drawn'))"
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1400, "height": 900}},
    "desktop-dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "phone-dark": {"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": "dark"},
}


@contextmanager
def opened(browser: str, **screen: Any) -> Iterator[BrowserContext]:
    """A browser that has never been used."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=browser, args=list(QUIET), headless=True, **screen
        )
        yield context
        context.close()


def listen(page: Page) -> list[str]:
    """What the page says on the console or asks of the network, from now on."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("request", lambda request: heard.append(request.url[:80]) if outside(request.url) else None)
    return heard


def outside(url: str) -> bool:
    """Whether a request leaves this machine."""
    return not url.startswith(("file:", "data:", "blob:"))


def scroll_through(page: Page) -> None:
    """Pass every part of the page, so that all of it is drawn."""
    height, step = page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
    for top in range(0, height, step):
        page.evaluate(f"scrollTo({{top: {top}, behavior: 'instant'}})")
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(ALL_DRAWN)
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")


def drawing_seconds(page: Page, url: str) -> tuple[float, float]:
    """Seconds from opening the page until what is in the window is drawn, and until all figures are."""
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(f"() => document.readyState !== 'loading' && ({VISIBLE_DRAWN})()")
    visible = time.perf_counter() - begun
    page.wait_for_load_state()
    scroll_through(page)
    return visible, time.perf_counter() - begun


def show(report: Path, browser: str, screenshots: Path | None) -> list[str]:
    """Open the report on every screen, print what was measured, and return what is wrong."""
    print(f"{report.stat().st_size / 1e6:.2f} MB")
    faults: list[str] = []
    for name, screen in SCREENS.items():
        with opened(browser, **screen) as context:
            page = context.pages[0]
            heard = listen(page)
            visible, every = drawing_seconds(page, report.resolve().as_uri())
            wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            faults += [f"{name}: {line}" for line in heard]
            faults += [f"{name}: the page is {wide} pixels wide, the window {window}"] if wide > window else []
            print(f"{name}: visible figures after {visible:.2f} s, all after {every:.2f} s")
            if screenshots:
                screenshots.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=screenshots / f"{name}.png", full_page=True)
                if name.endswith("dark"):
                    page.pdf(path=screenshots / f"{name}.pdf", format="A4", prefer_css_page_size=True)
    return faults


def main() -> int:
    """Print what was measured, then what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    options = parser.parse_args()
    faults = show(options.report, options.browser, options.screenshots)
    print("\n".join(faults) or "The page is quiet.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
