from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from dogbreed.reporting.contents import ClassFigures, Figure, ReportContents
from dogbreed.reporting.outline import SECTIONS
from dogbreed.reporting.page import render_report
from dogbreed.reporting.palette import DARK, LIGHT
from tests.reporting.drawn_report import drawn_contents, drawn_picture, noted
from tests.reporting.parsed_page import ParsedPage

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "{{ 7 * 7 }} ${x} %{y}",
    "\"><svg onload='alert(1)'>",
    "Ünïcödé 犬 \u202eleft\u2028",
    "\udcff is no letter",
    "L" * 200,
)


@pytest.fixture(scope="module")
def contents() -> ReportContents:
    return drawn_contents(133, photos=24)


@pytest.fixture(scope="module")
def html(contents: ReportContents) -> str:
    return render_report(contents)


@pytest.fixture(scope="module")
def page(html: str) -> ParsedPage:
    return ParsedPage(html)


@pytest.fixture(scope="module")
def hostile_page() -> ParsedPage:
    generator, confusion = np.random.default_rng(0), np.full((len(HOSTILE), len(HOSTILE)), 2, np.int64)
    picture = replace(drawn_picture(0, side=16), name=HOSTILE[0])
    noted_photos = [replace(noted(n, HOSTILE, generator, 0.1, HOSTILE[n]), picture=picture) for n in range(3)]
    classes = [ClassFigures(name, 14, 0.1, 0.1, 0.0, 0.2, 0.1) for name in HOSTILE]
    return ParsedPage(
        render_report(
            drawn_contents(
                3,
                photos=1,
                title=HOSTILE[0],
                summary=HOSTILE[1],
                weaknesses=HOSTILE,
                class_names=HOSTILE,
                confusion=confusion,
                classes=classes,
                top_losses=noted_photos,
                facts={name: name for name in HOSTILE},
                commands=HOSTILE,
                settings=HOSTILE[0],
                learning_rates={HOSTILE[0]: [(0, 0.1)]},
            )
        )
    )


def test_the_page_names_no_other_file_and_no_server(page: ParsedPage) -> None:
    links = [value or "" for _, attributes in page.elements for key, value in attributes.items() if key in REFERENCES]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in page.styles
    assert "url(" not in page.styles


REFERENCES = ("src", "href", "srcset", "action", "poster", "data")


def test_plotly_is_in_the_page_once(html: str) -> None:
    assert html.count(get_plotlyjs()) == 1


def test_a_report_of_133_classes_stays_below_10_megabytes(html: str) -> None:
    assert html.count("data:image/jpeg") > 150
    assert len(html.encode()) < 10_000_000


def test_the_same_contents_give_the_same_page(html: str, contents: ReportContents) -> None:
    assert render_report(contents) == html


def test_the_policy_lets_nothing_run_but_the_scripts_of_the_page(page: ParsedPage) -> None:
    (policy,) = (tag["content"] or "" for tag in page.tags("meta", **{"http-equiv": "Content-Security-Policy"}))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "img-src data:;" in policy
    run = [script for script, tag in zip(page.scripts, page.tags("script"), strict=True) if "type" not in tag]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in run]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_no_element_has_a_handler_of_its_own(page: ParsedPage, hostile_page: ParsedPage) -> None:
    for parsed in (page, hostile_page):
        assert not [key for _, attributes in parsed.elements for key in attributes if key.startswith("on")]


def test_names_stay_text_wherever_they_stand(hostile_page: ParsedPage) -> None:
    assert len(hostile_page.tags("script")) == 4
    assert not hostile_page.tags("svg")
    assert all((image["src"] or "").startswith("data:image/jpeg") for image in hostile_page.tags("img"))
    for section in ("weaknesses", "commands", "classes", "facts"):
        assert HOSTILE[0] in hostile_page.words[section]
        assert HOSTILE[2] in hostile_page.words[section]


def test_names_within_figures_are_no_html_to_plotly(hostile_page: ParsedPage) -> None:
    figures = hostile_page.data["figures"]
    labels = figures["confusion-share"]["layout"]["xaxis"]["ticktext"]
    hovers = [text for row in figures["confusion-share"]["data"][0]["hovertext"] for text in row]
    for text in [*labels, *hovers, *figures["recall"]["data"][0]["hovertext"], figures["schedule"]["data"][0]["name"]]:
        assert "<" not in text.replace("<br>", "")
        assert "\u202e" not in text


def test_sections_come_in_the_promised_order_and_weaknesses_first(page: ParsedPage) -> None:
    assert page.sections == [section.key for section in SECTIONS]
    assert page.sections[0] == "weaknesses"
    contents_links = [(link["href"] or "")[1:] for link in page.tags("a")]
    assert contents_links == ["content", *page.sections]


def test_every_weakness_is_said(page: ParsedPage, contents: ReportContents) -> None:
    assert all(weakness in page.words["weaknesses"] for weakness in contents.weaknesses)


def test_an_evaluation_says_where_its_training_is_and_that_nothing_was_found() -> None:
    training = {"history": (), "learning_rates": {}, "rate_search": None}
    page = ParsedPage(
        render_report(drawn_contents(3, photos=1, weaknesses=(), label_errors=(), duplicates=(), **training))
    )
    assert "No weaknesses were found." in page.words["weaknesses"]
    assert "training is in the report of its run" in page.words["learning_curves"]
    assert "None were found." in page.words["label_errors"]
    assert {"learning_curves", "schedule", "rate_search", "label_errors", "duplicates"}.isdisjoint(page.sections)


def test_the_reason_for_a_missing_part_can_be_given() -> None:
    reasons = {"label_errors": "They were not looked for.", "duplicates": ""}
    page = ParsedPage(render_report(drawn_contents(3, photos=1, label_errors=(), duplicates=(), absences=reasons)))
    assert "They were not looked for." in page.words["label_errors"]
    assert "duplicates" not in page.words


def test_a_report_of_nothing_is_a_page() -> None:
    page = ParsedPage(render_report(ReportContents("Title", "Summary", (), np.zeros((0, 0), np.int64))))
    assert page.sections == ["weaknesses"]


def test_a_report_of_one_class_is_a_page() -> None:
    assert "confusion" in ParsedPage(render_report(drawn_contents(1, photos=1))).sections


def test_figures_are_written_with_their_intervals() -> None:
    figures = [Figure("Accuracy", 0.798, 0.77, 0.823), Figure("Loss", 0.71234, unit=""), Figure("Broken", float("nan"))]
    words = ParsedPage(render_report(drawn_contents(3, photos=1, figures=figures))).words["figures"]
    assert "Accuracy 79.8 % (77.0 to 82.3)" in words
    assert "Loss 0.712" in words
    assert "nan" not in words


def test_the_gain_of_augmentation_is_said_in_words(page: ParsedPage) -> None:
    assert "+0.6 points (\N{MINUS SIGN}0.2 to +1.4): the interval contains zero" in page.words["variants"]


def test_the_table_of_classes_is_sorted_by_buttons_and_comes_worst_first(
    page: ParsedPage, contents: ReportContents
) -> None:
    assert [tag["aria-sort"] for tag in page.tags("th") if "aria-sort" in tag] == ["ascending"]
    assert len(page.tags("button", **{"class": "sort"})) == 5
    recalls = [float(tag["data-value"] or "nan") for tag in page.tags("td", **{"class": "recall"})]
    assert len(recalls) == len(contents.classes)
    assert recalls == sorted(recalls)


def test_the_table_says_for_what_a_class_was_taken(page: ParsedPage, contents: ReportContents) -> None:
    pair = contents.confused_pairs[0]
    row = page.words["classes"].split(f" {pair.target} ")[1]
    assert row.startswith(f"taken for {pair.answered} {pair.count}")


def test_images_have_words_and_toggles_are_buttons_that_say_their_state(
    page: ParsedPage, contents: ReportContents
) -> None:
    assert all(image.get("alt") for image in page.tags("img"))
    photos = [*contents.top_losses, *contents.least_certain, *contents.label_errors]
    toggles = page.tags("button", **{"class": "toggle overlay-toggle", "aria-pressed": "false"})
    assert len(toggles) == len(photos) + 2 * len(contents.confused_pairs)
    assert len(page.tags("button", **{"class": "toggle all-overlays"})) == 4


def test_photos_without_overlays_have_no_toggles() -> None:
    generator, picture = np.random.default_rng(0), drawn_picture(1, overlay=False)
    photos = [replace(noted(0, ("Akita", "Beagle"), generator, 0.1), picture=picture)]
    page = ParsedPage(render_report(drawn_contents(3, photos=0, top_losses=photos, confused_pairs=())))
    assert page.tags("img")
    assert not page.tags("button", **{"class": "toggle overlay-toggle"})
    assert not page.tags("button", **{"class": "toggle all-overlays"})


def test_every_light_colour_has_one_dark_colour() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("letters", "ground"),
    [
        *(("ink", ground) for ground in ("page", "surface", "sunken", "right-few", "bar")),
        *(("muted", ground) for ground in ("page", "surface", "sunken")),
        *((f"{kind}-ink", f"{kind}-surface") for kind in ("warning", "good")),
        ("good-ink", "right-few"),
        ("accent", "page"),
    ],
    ids=str,
)
def test_letters_stand_out_from_their_ground(colours: dict[str, str], letters: str, ground: str) -> None:
    lighter, darker = sorted((luminance(colours[letters]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines 2.2 define it."""
    shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))
