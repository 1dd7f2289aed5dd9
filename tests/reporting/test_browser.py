from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dogbreed.reporting.page import render_report
from tests.reporting.drawn_report import drawn_contents

BROWSER = Path("/usr/bin/chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")
pytestmark = [
    pytest.mark.skipif(not BROWSER.exists(), reason=f"there is no browser at {BROWSER}"),
    pytest.mark.slow,
]
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAPER = """[
  boxes.map(box => [box.layout.font.color, box.layout.width]),
  document.querySelectorAll('main details:not([open])').length,
  getComputedStyle(document.querySelector('#classes-table tr:last-child')).display,
]"""
VALUES = "column => [...document.querySelectorAll(`#classes-table td.${column}`)].map(cell => +cell.dataset.value)"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=BROWSER, args=list(QUIET), headless=True
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(drawn_contents(30, photos=10)), encoding="utf-8")
    return file


@pytest.fixture
def page(context: Any, report: Path) -> Iterator[Any]:
    page, heard = context.new_page(), list[str]()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if request.url.startswith("http") else None)
    page.goto(report.as_uri())
    yield page
    page.close()
    assert heard == []


def test_every_figure_is_drawn_when_it_is_reached(page: Any) -> None:
    for box in page.locator("[data-figure]").all():
        box.scroll_into_view_if_needed()
        box.locator("svg.main-svg").first.wait_for()


def test_the_classes_are_sorted_by_the_button_of_a_column_and_the_bars_with_them(page: Any) -> None:
    page.locator("[data-figure=recall]").scroll_into_view_if_needed()
    page.locator("[data-figure=recall] svg.main-svg").first.wait_for()
    page.get_by_role("button", name="Photos", exact=True).click()
    assert page.evaluate(VALUES, "support") == sorted(page.evaluate(VALUES, "support"))
    page.get_by_role("button", name="Photos", exact=True).click()
    assert page.evaluate(VALUES, "support") == sorted(page.evaluate(VALUES, "support"), reverse=True)
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    rows = page.locator("#classes-table tbody tr").evaluate_all("rows => rows.map(row => row.dataset.position)")
    bars = page.locator("[data-figure=recall]").evaluate("box => box.layout.xaxis.categoryarray")
    assert bars == rows


def test_a_class_is_found_by_a_part_of_its_name(page: Any) -> None:
    page.get_by_label("Find a class").fill("poodle")
    names = page.locator("#classes-table tbody tr:visible th").all_inner_texts()
    assert names
    assert all("Poodle" in name for name in names)


def test_long_lists_are_folded_until_their_button_is_pressed(page: Any) -> None:
    cards = page.locator("#top_losses .gallery > li:visible")
    assert cards.count() == 8
    page.get_by_role("button", name="Show all 10 photos").first.click()
    assert cards.count() == 10


def test_a_button_shows_the_overlay_of_its_photo_and_another_those_of_all(page: Any) -> None:
    gallery = page.locator("#top_losses")
    shown = gallery.locator("img.overlay:visible")
    assert shown.count() == 0
    gallery.locator(".overlay-toggle").first.click()
    assert shown.count() == 1
    gallery.locator(".all-overlays").click()
    assert shown.count() == 8
    assert gallery.locator(".overlay-toggle").first.get_attribute("aria-pressed") == "true"


def test_the_matrix_is_reordered_cell_by_cell_with_its_names(page: Any) -> None:
    box = page.locator("[data-figure=confusion]")
    box.scroll_into_view_if_needed()
    box.locator("svg.main-svg").first.wait_for()
    read = "box => [box.layout.xaxis.ticktext, box.data[0].hovertext]"
    names, sentences = box.evaluate(read)
    page.get_by_role("button", name="Alphabetical").click()
    sorted_names, sorted_sentences = box.evaluate(read)
    assert sorted_names == sorted(names)
    for row, target in enumerate(sorted_names):
        expected = [sentences[names.index(target)][names.index(answered)] for answered in sorted_names]
        assert sorted_sentences[row] == expected


def test_the_dark_button_recolours_page_and_figures(page: Any) -> None:
    box = page.locator("[data-figure=curve-loss]")
    box.scroll_into_view_if_needed()
    box.locator("svg.main-svg").first.wait_for()
    colours = "box => [getComputedStyle(document.documentElement).backgroundColor, box.data[0].line.color]"
    light = box.evaluate(colours)
    page.get_by_role("button", name="Dark colours").click()
    dark = box.evaluate(colours)
    assert all(before != after for before, after in zip(light, dark, strict=True))


def test_on_paper_every_figure_is_drawn_light_and_everything_is_unfolded(page: Any) -> None:
    page.get_by_role("button", name="Dark colours").click()
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.paper = {PAPER}; }})")
    page.pdf()
    figures, closed, last_row = page.evaluate("window.paper")
    assert len({colour for colour, _ in figures}) == 1
    assert all(width <= 700 for _, width in figures)
    assert (closed, last_row) == (0, "table-row")


def test_a_phone_needs_not_scroll_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
