from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dogbreed.errors import ConfigError
from dogbreed.serving.bodies.images import Images
from dogbreed.serving.error import RequestError
from dogbreed.serving.reading import read_request
from dogbreed.serving.settings import DEFAULT_BYTES, Settings
from tests.data.costly_photos import saved
from tests.data.photo_folders import noise
from tests.serving.hostile import HEADERS, npy_header
from tests.serving.tls_host import NAME, answer, says, tls_host

PHOTO = noise(40, 30, seed=7)
PNG = saved(PHOTO, "PNG")
TEXT = base64.b64encode(PNG).decode()
SETTINGS = Settings()


def read(body: bytes | str, media: str = "application/json", **allowed: Any) -> Images:
    return read_request(body, media, Settings(**allowed))


def read_value(value: Any, **allowed: Any) -> Images:
    return read(json.dumps(value).encode(), **allowed)


def refused(body: bytes | str, media: str = "application/json", **allowed: Any) -> RequestError:
    with pytest.raises(RequestError) as error:
        read(body, media, **allowed)
    # A server writes the sentence into its answer, whatever was sent.
    json.dumps({"error": str(error.value)}, ensure_ascii=False).encode()
    assert "\n" not in str(error.value)
    return error.value


def npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        {"image": TEXT},
        {"data": TEXT},
        {"b64": TEXT, "signature_name": "serving_default"},
        {"instances": [TEXT]},
        {"instances": [{"data": TEXT}], "parameters": {"top_k": [1, 2, {"a": None}]}},
        {"instances": [{"b64": TEXT}]},
        {"instances": [{"image": TEXT}]},
    ],
)
def test_json_holds_a_photo_as_any_of_the_clients_send_it(value: Any) -> None:
    (photo,) = read_value(value)
    assert isinstance(photo, Image.Image)
    assert photo.tobytes() == PHOTO.tobytes()


@pytest.mark.parametrize(
    "body",
    [
        '{"image": "eA==", "image": "eA=="}',
        '{"image": "eA==", "data": "eA=="}',
        '{"image": "eA==", "instances": ["eA=="]}',
        '{"image": NaN}',
        "[Infinity]",
        "1" * 5000,
        '{"image": "\\ud800"}',
        '{"\\ud800": 1}',
        "\ud800",
        '{"image": "\ud800"}',
        b"\xef\xbb\xbf" + b'{"image": "eA=="}',
        '{"image": "eA=="}'.encode("utf-16"),
        '{"image": "eA=="}'.encode("utf-32-le"),
        b'{"image": "\xff"}',
        "[" * 100_000,
        "[" * 15_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"instances": ["' + TEXT + '"], "a": ' + "[" * 100 + "]" * 100 + "}",
        "[" + "[]," * 100_000 + "[]]",
        '{"instances": {"data": "eA=="}}',
        '{"instances": []}',
        "null",
        "",
    ],
)
def test_json_that_is_not_plain_is_a_refusal_and_no_fault(body: str | bytes) -> None:
    assert refused(body).status == 400


def test_json_as_deep_as_is_allowed_is_read() -> None:
    body = '{"instances": ["' + TEXT + '"], "a": ' + "[" * 99 + "]" * 99 + "}"
    assert len(read(body)) == 1


def test_pixels_are_counted_before_they_are_decoded() -> None:
    flat = base64.b64encode(saved(Image.new("L", (300, 200)), "PNG")).decode()
    assert len(read_value({"instances": [flat] * 3}, max_pixels=180_000)) == 3
    cut = base64.b64encode(base64.b64decode(flat)[:60]).decode()
    error = refused(json.dumps({"instances": [flat] * 3 + [cut]}), max_pixels=180_000)
    assert (error.status, "300 x 200" in str(error)) == (413, True)


def test_a_webp_is_no_larger_than_its_decoder_takes_without_a_pause_for_everyone() -> None:
    large = Image.new("L", (4100, 4100))
    assert refused(saved(large, "WEBP", lossless=True, method=0), "image/webp").status == 413
    assert len(read(saved(large, "PNG"), "image/png")) == 1


def test_what_is_allowed_is_what_the_settings_say() -> None:
    assert refused(PNG, "image/png", max_bytes=len(PNG) - 1).status == 413
    assert read(PNG, "image/png", max_bytes=len(PNG))
    assert refused(json.dumps({"instances": [TEXT] * 3}), max_photos=2).status == 400
    assert refused(npy(np.zeros((3, 3, 8, 8), np.uint8)), "application/x-npy", max_photos=2).status == 413
    assert refused(npy(np.zeros((1, 3, 9, 9), np.uint8)), "application/x-npy", max_pixels=80).status == 413


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", "CF")
def test_preprocessed_images_are_right_in_any_order_of_bytes_and_axes(kind: str, order: str) -> None:
    images = np.random.default_rng(2).normal(size=(2, 3, 5, 4)).astype(np.float32)
    found = read(npy(np.asarray(images, dtype=kind, order=order)), "application/x-npy; charset=binary")  # type: ignore[call-overload]
    assert isinstance(found, Tensor)
    assert (found.dtype, found.is_contiguous()) == (torch.float32, True)
    np.testing.assert_array_equal(found.numpy(), images)


def test_photos_in_an_array_are_right_in_any_order_of_axes() -> None:
    pixels = np.array(PHOTO)[None]
    for array in (pixels, np.asfortranarray(pixels), pixels.transpose(0, 3, 1, 2).copy()):
        (photo,) = read(npy(array), "application/x-npy")
        assert isinstance(photo, Image.Image)
        assert photo.tobytes() == PHOTO.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1001.0])
def test_numbers_that_a_network_could_only_answer_with_nonsense_are_refused(value: float) -> None:
    images = np.zeros((1, 3, 8, 8))
    images[0, 1, 2, 3] = value
    assert "finite numbers" in str(refused(npy(images), "application/x-npy"))


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("version", [b"\1\0", b"\2\0", b"\3\0"])
def test_a_header_that_numpy_would_not_write_of_a_photo_is_refused(header: str, version: bytes) -> None:
    assert refused(npy_header(header, bytes(12_288), version), "application/x-npy").status in (400, 413)


def test_headers_of_every_version_are_read() -> None:
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 32, 32), }"
    for version in (b"\1\0", b"\2\0", b"\3\0"):
        assert read(npy_header(text, bytes(12_288), version), "application/x-npy").shape == (1, 3, 32, 32)  # type: ignore[union-attr]


@pytest.mark.parametrize("media", ["image/jpg", "application/octet-stream", "Image/PNG;a=b", " image/gif ; q=1"])
def test_a_photo_says_itself_what_it_is(media: str) -> None:
    assert len(read(PNG, media)) == 1


def test_photos_at_urls_are_fetched_in_their_order_where_their_host_is_listed() -> None:
    others = [saved(noise(20 + index, 20, seed=index), "PNG") for index in range(2)]
    with tls_host(says(*map(answer, others))) as host:
        body = json.dumps({"instances": [{"url": f"https://{NAME}/{index}.png"} for index in range(2)] + [TEXT]})
        photos = read_request(body, "application/json", SETTINGS, fetcher=host.fetcher())
        assert [photo.size for photo in photos] == [(20, 20), (21, 20), (40, 30)]  # type: ignore[union-attr]
        other = json.dumps({"url": "https://other.example/"})
        with pytest.raises(RequestError, match="owner lists"):
            read_request(other, "application/json", SETTINGS, fetcher=host.fetcher())
    assert host.resolved == [NAME] * 2


def test_all_urls_of_a_request_hold_no_more_bytes_together_than_a_request() -> None:
    with tls_host(says(answer(PNG))) as host:
        body = json.dumps({"instances": [{"url": f"https://{NAME}/"}] * 9})
        with pytest.raises(RequestError) as error:
            read_request(body, "application/json", Settings(max_bytes=len(PNG) * 3), fetcher=host.fetcher())
    assert error.value.status == 413
    assert len(host.connected) == 4


def test_nothing_is_fetched_where_no_host_is_listed() -> None:
    assert "fetches no URL" in str(refused(json.dumps({"url": f"https://{NAME}/"})))


def test_settings_come_from_the_environment() -> None:
    found = Settings.from_environment(
        {"DOGBREED_MAX_BYTES": " 1000 ", "DOGBREED_BACKEND": "float32", "DOGBREED_TOP_K": "", "DOGBREED_OTHER": "1"}
    )
    assert found == Settings(max_bytes=1000, backend="float32")
    assert Settings.from_environment({}).max_bytes == DEFAULT_BYTES


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MAX_BYTES", "25MB", "DOGBREED_MAX_BYTES to be a whole number, got '25MB'"),
        ("MAX_BYTES", "1_000", "whole number"),
        ("MAX_PIXELS", "-1", "whole number"),
        ("MAX_PHOTOS", "0", "max_photos to be from 1 to 1,024, got 0"),
        ("MAX_PIXELS", "9" * 11, "max_pixels"),
        ("FETCH_HOSTS", "photos.example,https://other.example", "name or name:port"),
        ("FETCH_HOSTS", "127.0.0.1", "name or name:port"),
        ("FETCH_HOSTS", "localhost", "name or name:port"),
        ("FETCH_HOSTS", "*.example.com", "name or name:port"),
        ("FETCH_HOSTS", "Photos.example", "small letters"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace("*", r"\*")):
        Settings.from_environment({f"DOGBREED_{name}": value})
