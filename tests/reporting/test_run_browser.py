from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dogbreed.reporting.debugger_page import render_debugger_page
from dogbreed.reporting.profiler_page import render_profiler_page
from dogbreed.reporting.tuning_page import render_tuning_page
from dogbreed.tuning.plots import study_plots
from tests.reporting.drawn_run import drawn_debugger, drawn_profiler
from tests.reporting.drawn_tuning import drawn_tuning
from tests.reporting.test_browser import BROWSER, QUIET, pytestmark, sync_api
from tests.tuning.drawn_study import drawn_study

__all__ = ["pytestmark"]
PAGES = ("debugger", "profiler", "tuning")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=BROWSER, args=list(QUIET), headless=True
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    htmls = (
        render_debugger_page(drawn_debugger()),
        render_profiler_page(drawn_profiler(gpus=1)),
        render_tuning_page(drawn_tuning(plots=study_plots(drawn_study(), "val/loss"))),
    )
    for name, html in zip(PAGES, htmls, strict=True):
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture(params=PAGES)
def page(context: Any, files: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Any]:
    page, heard = context.new_page(), list[str]()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if request.url.startswith("http") else None)
    page.goto(files[request.param].as_uri())
    yield page
    page.close()
    assert heard == []


def test_every_figure_is_drawn_when_it_is_reached_and_recoloured_by_the_button(page: Any) -> None:
    boxes = page.locator("[data-figure]").all()
    for box in boxes:
        box.scroll_into_view_if_needed()
        box.locator("svg.main-svg").first.wait_for()
    read = "box => box.layout.font.color"
    light = [box.evaluate(read) for box in boxes]
    page.get_by_role("button", name="Dark colours").click()
    assert all(before != box.evaluate(read) for before, box in zip(light, boxes, strict=True))


def test_a_phone_needs_not_scroll_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for details in page.locator("main details summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_paper_everything_is_unfolded(page: Any) -> None:
    page.evaluate(
        "addEventListener('beforeprint', () => {"
        " window.closed_ = document.querySelectorAll('main details:not([open])').length; })"
    )
    page.pdf()
    assert page.evaluate("window.closed_") == 0


@pytest.mark.parametrize("page", ["debugger"], indirect=True)
def test_a_cell_of_a_map_says_its_tensor_its_step_and_its_value(page: Any) -> None:
    box = page.locator("[data-figure=gradient-norms]")
    box.scroll_into_view_if_needed()
    box.locator("svg.main-svg").first.wait_for()
    said = box.evaluate("box => [box.data[0].hovertext[1][0], box.layout.meta[1]]")
    assert said[0].startswith(f"{said[1]}<br>step 0: 0.")
