from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.settings import Settings
from tests.data.photo_folders import noise
from tests.serving.page.served import Server, running
from tests.trained_models import save_small

BROWSER = Path("/usr/bin/chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")
pytestmark = [
    pytest.mark.skipif(not BROWSER.exists(), reason=f"there is no browser at {BROWSER}"),
    pytest.mark.slow,
]
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
# As the system hands it over, whether it was dragged or copied.
HANDED = """([kind, name, content]) => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  const data = new DataTransfer();
  if (name) data.items.add(new File([bytes], name));
  const options = {bubbles: true, cancelable: true};
  document.body.dispatchEvent(kind === "drop"
    ? new DragEvent("drop", {...options, dataTransfer: data})
    : new ClipboardEvent("paste", {...options, clipboardData: data}));
}"""
OUTLINE = "() => getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"


def png(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


DOG = noise(120, 80, seed=5)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> BreedPredictor:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return BreedPredictor.load(folder)


def unsure(predictor: BreedPredictor, unsure_below: float | None) -> BreedPredictor:
    """The same model with thresholds that no photo meets."""
    calibration = {"temperature": 1.0, "unsure_below": unsure_below, "unfamiliar_above": -1000.0}
    artifact = predictor.artifact
    return BreedPredictor(replace(artifact, card={**artifact.card, "calibration": calibration}))


@pytest.fixture
def server(predictor: BreedPredictor) -> Server:
    return Server(predictor, Settings(max_bytes=100_000))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(QUIET), headless=True)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    with running(server.app) as address:
        yield from opened(browser, address)


def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """The page, which must have no fault of its own and ask nobody else for anything."""
    context, heard = browser.new_context(**options), list[str]()
    page = context.new_page()
    # A refusal is noted in the console, whatever the page makes of it.
    refusals = ("Failed to load resource",)
    page.on("console", lambda message: None if message.text.startswith(refusals) else heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((address, "blob:")) else heard.append(request.url)
    )
    page.goto(address)
    page.locator("#about").wait_for()
    yield page
    context.close()
    assert heard == []


def handed(page: Any, content: bytes, name: str = "dog.png", kind: str = "drop") -> None:
    page.evaluate(HANDED, [kind, name, base64.b64encode(content).decode()])


def shown(page: Any) -> list[str]:
    page.locator("#toggle").wait_for()
    return [text.partition(":")[0].strip() for text in page.locator("#breeds button").all_inner_texts()]


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_that_is_dropped_or_pasted_is_shown_with_its_breeds(
    page: Any, predictor: BreedPredictor, kind: str
) -> None:
    handed(page, png(DOG), kind=kind)
    expected = predictor.predict(DOG)
    assert shown(page) == [one.name for one in expected]
    bars = page.get_by_role("meter")
    shares = [f"{100 * one.probability:.1f} %" for one in expected]
    assert [bars.nth(n).get_attribute("aria-valuetext") for n in range(3)] == shares
    assert page.locator("#whole").evaluate("photo => [photo.naturalWidth, photo.alt]") == [120, "Your photo, dog.png"]
    assert expected[0].name in page.get_by_role("status").inner_text()


def test_the_overlay_lies_on_what_the_network_sees_and_is_that_of_the_breed_that_is_pressed(
    page: Any, predictor: BreedPredictor
) -> None:
    handed(page, png(DOG))
    names, toggle = shown(page), page.locator("#toggle")
    toggle.click()
    page.get_by_alt_text(f"speaks for {names[0]}").wait_for()
    preprocessing = predictor.artifact.preprocessing
    whole, laid = page.locator("#whole").bounding_box(), page.locator("#overlay").bounding_box()
    assert laid["width"] == pytest.approx(whole["height"] * preprocessing.crop / preprocessing.resize, abs=1)
    assert laid["x"] + laid["width"] / 2 == pytest.approx(whole["x"] + whole["width"] / 2, abs=1)
    other = page.locator("#breeds button").nth(1)
    other.click()
    page.get_by_alt_text(f"speaks for {names[1]}").wait_for()
    assert [other.get_attribute("aria-pressed"), toggle.get_attribute("aria-pressed")] == ["true", "true"]
    toggle.click()
    assert page.locator("#overlay").is_hidden()
    assert page.locator("#breeds [aria-pressed=true]").count() == 0


def test_a_text_file_is_called_what_it_is(page: Any) -> None:
    handed(page, b"just some text", "notes.txt")
    alert = page.get_by_role("alert")
    alert.get_by_text("notes.txt is not a photo: it is text that starts with 'just some text'.").wait_for()
    assert alert.get_by_role("button").count() == 0
    assert page.locator("#asked").is_hidden()
    handed(page, png(DOG))
    shown(page)
    assert alert.text_content() == ""


def test_a_photo_that_is_too_large_is_not_sent(page: Any, server: Server) -> None:
    handed(page, b"x" * 150_000, "large.png")
    page.get_by_role("alert").get_by_text("large.png has 0.1 MiB, more than the 0.1 MiB allowed.").wait_for()
    assert server.asked == []


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_what_is_no_file_is_refused_with_what_to_do(page: Any, kind: str) -> None:
    handed(page, b"", "", kind)
    page.get_by_role("alert").get_by_text(
        {"drop": "Save the photo first", "paste": "Copy the picture"}[kind]
    ).wait_for()


def test_a_busy_server_is_asked_again(page: Any, server: Server) -> None:
    server.busy = 1
    handed(page, png(DOG))
    page.get_by_role("heading", name="The server is busy, asking again in 1 s").wait_for()
    assert len(shown(page)) == 3
    assert len(server.asked) == 2
    server.busy = 1
    page.locator("#toggle").click()
    page.locator("#overlay").wait_for()
    assert page.locator("#toggle").inner_text() == "Show what speaks for it"


def test_a_server_that_is_gone_is_asked_again_by_a_button(browser: Any, server: Server) -> None:
    with running(server.app) as address:
        page = next(pages := opened(browser, address))
        away = True
        page.route("**/invocations", lambda route: route.abort("connectionrefused") if away else route.continue_())
        handed(page, png(DOG))
        page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
        away = False
        page.get_by_role("button", name="Try again").click()
        assert len(shown(page)) == 3
        assert list(pages) == []


def test_everything_can_be_done_with_the_keyboard(page: Any) -> None:
    # Choosers are caught from now on: the browser is told so some time after it is asked to.
    page.on("filechooser", lambda chooser: None)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "choose"
    assert page.evaluate(OUTLINE) == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "dog.png", "mimeType": "image/png", "buffer": png(DOG)})
    names = shown(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "toggle"
    page.keyboard.press("Space")
    page.get_by_alt_text(f"speaks for {names[0]}").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_alt_text(f"speaks for {names[1]}").wait_for()


def test_several_photos_are_asked_about_in_turn_and_can_be_looked_at_again(page: Any) -> None:
    photos = [{"name": f"{n}.png", "mimeType": "", "buffer": png(noise(40, 40, seed=n))} for n in range(3)]
    bad = {"name": "bad.png", "mimeType": "image/png", "buffer": b"no photo"}
    page.set_input_files("#choose", [photos[0], bad, *photos[1:]])
    page.locator("#strip li").nth(2).wait_for()
    assert "bad.png" in page.get_by_role("alert").inner_text()
    assert page.locator("#whole").get_attribute("alt") == "Your photo, 2.png"
    page.locator("#strip button").last.focus()
    page.keyboard.press("Enter")
    assert page.locator("#whole").get_attribute("alt") == "Your photo, 0.png"
    assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "true"


def test_to_look_at_an_earlier_photo_takes_nothing_from_those_that_are_asked_about(page: Any, server: Server) -> None:
    photos = [{"name": f"{n}.png", "mimeType": "", "buffer": png(noise(40, 40, seed=n))} for n in range(4)]
    page.set_input_files("#choose", photos[:2])
    page.locator("#strip li").nth(1).wait_for()
    server.free.clear()
    page.set_input_files("#choose", photos[2:])
    page.get_by_role("heading", name="Looking …").wait_for()
    page.locator("#strip button").last.focus()
    page.keyboard.press("Enter")
    server.free.set()
    page.locator("#strip li").nth(3).wait_for()
    assert page.locator("#whole").get_attribute("alt") == "Your photo, 0.png"
    assert page.evaluate("document.activeElement === document.querySelector('#strip li:last-child button')")
    handed(page, png(DOG))
    page.get_by_alt_text("Your photo, dog.png").wait_for()


def test_an_overlay_that_fails_after_a_busy_answer_leaves_the_button_as_it_was(page: Any) -> None:
    handed(page, png(DOG))
    shown(page)
    statuses = iter([503, 500])
    page.route("**/explain*", lambda route: route.fulfill(status=next(statuses), headers={"Retry-After": "1"}))
    toggle = page.locator("#toggle")
    toggle.click()
    page.get_by_role("button", name="The server is busy").wait_for()
    page.get_by_role("alert").get_by_text("The server failed (500).").wait_for()
    assert toggle.inner_text() == "Show what speaks for it"


def test_a_photo_of_a_phone_that_was_turned_is_shown_upright(page: Any) -> None:
    turned, file = Image.Exif(), io.BytesIO()
    turned[0x0112] = 6
    DOG.save(file, "JPEG", exif=turned)
    handed(page, file.getvalue(), "turned.jpg")
    shown(page)
    assert page.locator("#whole").evaluate("photo => [photo.naturalWidth, photo.naturalHeight]") == [80, 120]


@pytest.mark.parametrize(("unsure_below", "sentence"), [(1.0, "only from 100 % on"), (None, "was not shown")])
def test_an_answer_that_is_not_sure_and_a_photo_unlike_those_known_are_said_to_be(
    browser: Any, predictor: BreedPredictor, unsure_below: float | None, sentence: str
) -> None:
    with running(Server(unsure(predictor, unsure_below)).app) as address:
        for page in opened(browser, address):
            handed(page, png(DOG))
            page.get_by_role("heading", name="Not sure, perhaps").wait_for()
            hints = page.locator("#hints").inner_text()
            assert sentence in hints
            assert "only a hint" in hints


def test_a_phone_takes_photos_and_needs_not_scroll_sideways(browser: Any, server: Server) -> None:
    with running(server.app) as address:
        for page in opened(browser, address, **PHONE):
            assert page.locator("label[for=take]").is_visible()
            assert page.locator("#take").get_attribute("capture") == "environment"
            page.set_input_files("#take", {"name": "photo.png", "mimeType": "image/png", "buffer": png(DOG)})
            shown(page)
            page.locator("#toggle").click()
            page.locator("#overlay").wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_an_automatic_check_finds_no_barrier(browser: Any, predictor: BreedPredictor, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="barriers are looked for by axe").Axe()

    def barriers() -> list[Any]:
        found: list[Any] = axe.run(page).response["violations"]
        return found

    with running(Server(unsure(predictor, 0.95)).app) as address:
        for page in opened(browser, address, color_scheme=colours, reduced_motion="reduce"):
            assert barriers() == []
            page.set_input_files("#choose", [{"name": "a", "mimeType": "", "buffer": png(noise(60, 40))}] * 2)
            page.locator("#strip li").nth(1).wait_for()
            page.locator("#about summary").click()
            assert barriers() == []
            page.locator("#toggle").click()
            page.locator("#overlay").wait_for()
            assert barriers() == []
            handed(page, b"just some text", "notes.txt")
            page.get_by_role("alert").get_by_text("notes.txt").wait_for()
            assert barriers() == []
