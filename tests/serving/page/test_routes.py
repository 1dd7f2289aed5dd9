from __future__ import annotations

import io
import queue
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from dogbreed.artifacts import load_artifact
from dogbreed.predictor import BreedPredictor
from dogbreed.reporting.palette import DARK, LIGHT
from dogbreed.serving.page import routes
from dogbreed.serving.page.about_model import about
from dogbreed.serving.page.routes import page_files
from dogbreed.serving.settings import Settings
from tests.data.photo_folders import noise
from tests.serving.page.served import Server, asked, running
from tests.trained_models import CLASS_NAMES, save_small

FIGURES = {
    "metrics": {"test/acc": 0.75},
    "intervals": {"test/acc": [0.7, 0.8]},
    "judged": {"split": "test", "photos": 8},
    "calibration": {"temperature": 2.0, "unsure_below": 0.65, "unfamiliar_above": -1.5},
}
# What would fetch something: an address of elsewhere, or an import of it. The namespace of SVG is a name.
ELSEWHERE = re.compile(r"https?:(?!//www\.w3\.org/2000/svg)|url\(|@import|//\w+\.\w+/")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> BreedPredictor:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder, **FIGURES)
    return BreedPredictor.load(folder)


@pytest.fixture(scope="module")
def address(predictor: BreedPredictor) -> Iterator[str]:
    with running(Server(predictor).app) as address:
        yield address


def png(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


def test_the_page_and_each_of_its_files_are_there_under_a_policy_that_lets_nothing_else_in(address: str) -> None:
    page = asked(address, "/")
    assert page.headers["content-type"].startswith("text/html")
    assert {"page.css", "page.js", "index.html"} < set(page_files())
    for name in set(page_files()) - {"index.html"}:
        answer = asked(address, f"/{name}")
        assert answer.status == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.body == files("dogbreed.serving.page").joinpath(name).read_bytes()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", page_files())
def test_no_file_of_the_page_asks_for_anything_of_elsewhere(name: str) -> None:
    text = files("dogbreed.serving.page").joinpath(name).read_text(encoding="utf-8")
    assert not ELSEWHERE.findall(text)


def test_the_page_has_no_script_or_style_within_it(address: str) -> None:
    html = asked(address, "/").body.decode()
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == [""]
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)


def test_the_page_has_the_colours_of_the_reports(address: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\}", asked(address, "/page.css").body.decode(), re.DOTALL)
    for block, palette in {light: LIGHT, dark: DARK}.items():
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        assert len(colours) > 10
        assert colours == {name: palette[name] for name in colours}


def test_the_model_says_what_it_knows_and_how_well(address: str, predictor: BreedPredictor) -> None:
    found = asked(address, "/model").json
    assert found["classes"] == list(CLASS_NAMES)
    assert found["figures"] == {"accuracy": 0.75, "interval": [0.7, 0.8], "photos": 8}
    assert found["thresholds"] == {"unsure_below": 0.65, "unfamiliar_above": -1.5}
    assert found["version"] == predictor.artifact.card["digest"][:12]


def test_what_draws_overlays_is_loaded_when_the_page_is_opened(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: queue.SimpleQueue[str] = queue.SimpleQueue()
    monkeypatch.setattr(routes, "import_module", loaded.put)
    with running(Server(predictor).app) as address:
        asked(address, "/model")
        assert loaded.get(timeout=20) == "captum.attr"


def test_a_model_without_figures_says_that_it_knows_none(tmp_path: Path) -> None:
    save_small(tmp_path, metrics={}, data="nothing", limits=None)
    found = about(load_artifact(tmp_path), Settings())
    assert found["figures"] == {"accuracy": None, "interval": None, "photos": None}
    assert (found["thresholds"], found["synthetic"], found["limits"]) == (None, False, [])


@pytest.mark.parametrize("index", [None, 0, 2])
def test_an_overlay_is_that_of_the_predictor(address: str, predictor: BreedPredictor, index: int | None) -> None:
    photo = noise(90, 61, seed=3)
    answer = asked(address, "/explain" if index is None else f"/explain?index={index}", png(photo))
    assert answer.headers["content-type"] == "image/png"
    shown = np.array(Image.open(io.BytesIO(answer.body)))
    assert np.array_equal(shown, np.array(predictor.explain(photo, index)))


@pytest.mark.parametrize("index", ["3", "-1", "1.0", "x", "", "²", "9" * 5000])
def test_an_overlay_of_no_breed_is_refused(address: str, index: str) -> None:
    answer = asked(address, f"/explain?{urlencode({'index': index})}", png(noise()))
    assert (answer.status, answer.json["error"][:37]) == (400, "Expected index to be from 0 to 2, got")


@pytest.mark.parametrize("body", [b"", b"just text", png(noise())[:99]])
def test_an_overlay_of_no_photo_is_refused(address: str, body: bytes) -> None:
    answer = asked(address, "/explain", body)
    assert answer.status == 400
    assert "photo" in answer.json["error"]


def test_a_photo_is_answered_with_what_the_page_shows(address: str, predictor: BreedPredictor) -> None:
    photo = noise(64, 64, seed=4)
    headers = {"content-type": "application/x-image", "accept": "application/json;verbose"}
    found = asked(address, "/invocations", png(photo), **headers).json
    assert [one["index"] for one in found["predictions"][0]] == [one.index for one in predictor.predict(photo)]
    assert found["details"][0]["unsure_below"] == 0.65
