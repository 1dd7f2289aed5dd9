"""One model, asked as public attempts ask, by every server: the same breeds with the same probabilities."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.code_folder import write_code
from dogbreed.serving.torchserve import input_fn, model_fn, output_fn, predict_fn
from tests.data.photo_folders import noise
from tests.drawn_photos import draw_folder
from tests.public_faults.tiny_run import MODEL, tiny_run
from tests.serving.containers.attempts import ATTEMPTS, url_json
from tests.serving.containers.sides import RAY, SERVERS, TORCHSERVE, begun, environment, local_server
from tests.serving.containers.toolkit_context import Context

# As people take them: lying, standing, square; none of the size of the network.
SIZES = [(131, 83), (60, 97), (72, 72)]
Ask = Callable[[bytes, str], tuple[int, bytes]]
OLD = """
import sys
model, photo = sys.argv[1:]
sys.path.insert(0, model + "/code")
from inference import input_fn, model_fn, output_fn, predict_fn
body, _ = output_fn(predict_fn(input_fn(open(photo, "rb").read(), "image/jpeg"), model_fn(model)), None)
print(body.decode())
"""


@dataclass(frozen=True)
class Judged:
    """A model as a container gets it, and what the evaluation of its run said of photos."""

    model: Path
    rows: list[dict[str, str]]
    photos: Path

    def said(self) -> Iterator[tuple[bytes, list[tuple[str, float]]]]:
        """Each photo's file, and the breeds with their probabilities."""
        for row in self.rows:
            places = range(1, sum(name.startswith("prediction_") for name in row) + 1)
            yield (
                (self.photos / row["file"]).read_bytes(),
                [(row[f"prediction_{place}"], float(row[f"probability_{place}"])) for place in places],
            )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("judged")
    photos = draw_folder(folder / "photos", classes=3, counts={"train": 8, "valid": 2, "test": 0})
    for breed, size in zip(sorted((photos / "train").iterdir()), SIZES, strict=True):
        (photos / "test" / breed.name).mkdir(parents=True, exist_ok=True)
        noise(*size, seed=size[0]).save(photos / "test" / breed.name / "photo.jpg", quality=95)
    tiny_run(photos, folder / "run", max_epochs=1)
    model = folder / "ml" / "model"
    shutil.copytree(folder / "run" / "model", model)
    write_code(model / "code", MODEL["backbone"])
    with (folder / "run" / "predictions.csv").open(newline="") as file:
        return Judged(model, list(csv.DictReader(file)), photos)


def answering(judged: Judged) -> Ask:
    """The four functions in this process."""
    predictor = model_fn(str(judged.model))

    def ask(body: bytes, media: str) -> tuple[int, bytes]:
        context = Context()
        answers = predict_fn(input_fn(body, media, context), predictor, context)
        content, _ = output_fn(answers, "application/json", context)
        return context.status, content

    return ask


@pytest.fixture(scope="module", params=["functions", "local server", *SERVERS])
def ask(request: pytest.FixtureRequest, judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    if request.param == "functions":
        yield answering(judged)
        return
    start = {"local server": local_server, **SERVERS}[request.param]
    with start(judged.model, tmp_path_factory.mktemp("server")) as started:
        yield begun(*started).ask


def breeds(answer: tuple[int, bytes]) -> list[tuple[str, float]]:
    status, body = answer
    assert status == 200, body
    (best,) = json.loads(body)["predictions"]
    return [(breed["label"], breed["probability"]) for breed in best]


def assert_same(found: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [share for _, share in found] == pytest.approx([share for _, share in expected], abs=1e-5)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_public_attempts_requests_are_answered_as_the_runs_own_evaluation_answered(
    judged: Judged, ask: Ask, attempt: str
) -> None:
    predictor = BreedPredictor.load(judged.model)
    for photo, said in judged.said():
        asked = ATTEMPTS[attempt](photo, predictor.artifact.preprocessing)
        found = breeds(ask(asked.body, asked.media))
        assert_same(found, said)
        assert_same(found, [(one.name, one.probability) for one in predictor.predict(photo)])


REFUSED: dict[str, tuple[bytes, str, int]] = {
    "a URL": (url_json().body, url_json().media, 400),
    "no photo": (b"<html>", "image/jpeg", 400),
    "nothing": (b"", "image/jpeg", 400),
    "no UTF-8": (b"\xff\xfe{", "application/json", 400),
    "no JSON": (b"{", "application/json", 400),
    "another type": (b"%PDF", "application/pdf", 415),
    "a form": (b"a=b", "application/x-www-form-urlencoded", 415),
    "objects": (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "application/x-npy",
        400,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_answered_is_refused_with_a_reason_and_no_traceback(ask: Ask, name: str) -> None:
    body, media, expected = REFUSED[name]
    status, content = ask(body, media)
    assert status == expected
    assert list(json.loads(content)) == ["error"]
    assert b"Traceback" not in content


def test_a_refusal_changes_nothing_for_the_next_request(judged: Judged, ask: Ask) -> None:
    photo, said = next(judged.said())
    assert ask(photo[: len(photo) // 2], "image/jpeg")[0] == 400
    assert_same(breeds(ask(photo, "image/jpeg")), said)


@pytest.mark.parametrize("variable", [TORCHSERVE, RAY])
def test_an_artifact_of_this_pytorch_is_loaded_by_that_of_the_container(
    judged: Judged, variable: str, tmp_path: Path
) -> None:
    photo, said = next(judged.said())
    (tmp_path / "photo.jpg").write_bytes(photo)
    command = [environment(variable) / "bin/python", "-I", "-c", OLD, str(judged.model), str(tmp_path / "photo.jpg")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert_same(breeds((200, told.encode())), said)
