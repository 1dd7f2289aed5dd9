from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dogbreed.data import colours, jpeg_costs, photo_costs, photos
from dogbreed.data.costly_error import CostlyError
from dogbreed.data.photo_costs import CountedFile
from dogbreed.data.photos import PhotoError, decode
from dogbreed.data.webp_canvas import webp_canvas
from tests.data import costly_photos
from tests.data.costly_photos import COSTLY, app, chunk, exif_that_reads_itself_again, gif, jpeg, png, saved, scans
from tests.data.photo_folders import noise


@pytest.mark.parametrize("name", COSTLY)
def test_a_file_that_asks_for_more_than_a_photo_does_is_refused_for_a_photos_price(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, reads = COSTLY[name](), list[int]()

    class Counting(CountedFile):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(1)
            return super().read(size)

    monkeypatch.setattr(photos, "CountedFile", Counting)
    with pytest.raises(PhotoError) as refused:
        decode(content)
    assert refused.value.fault in ("too large", "unreadable")
    assert "\n" not in str(refused.value)
    assert len(reads) <= photo_costs.READS + len(content) // photo_costs.BYTES_A_READ + 1


def animated_webp(width: int, height: int) -> bytes:
    """Few bytes of so large a canvas, with frames of 8 x 8 pixels in it."""
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 250)]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    content = bytearray(file.getvalue())
    content[24:27], content[27:30] = (width - 1).to_bytes(3, "little"), (height - 1).to_bytes(3, "little")
    return bytes(content)


def test_a_webp_is_refused_by_its_canvas_before_pillow_makes_two_of_that_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("It was opened."))
    with pytest.raises(PhotoError, match="too large: 8192 x 6144") as refused:
        decode(animated_webp(8192, 6144), max_pixels=2**24)
    assert refused.value.fault == "too large"


@pytest.mark.parametrize("size", [(300, 200), (1, 7), (2000, 50)])
@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}]
)
def test_the_canvas_of_a_webp_of_each_kind_is_read_as_pillow_does(
    size: tuple[int, int], options: dict[str, Any]
) -> None:
    assert webp_canvas(saved(noise(*size), "WEBP", **options)) == size


PHOTO = noise(300, 200, seed=3)
SOUND: dict[str, Callable[[], bytes]] = {
    **{kind: partial(saved, PHOTO, kind) for kind in costly_photos.KINDS},
    "progressive": lambda: saved(PHOTO, "JPEG", progressive=True, quality=95),
    "twenty scans": lambda: scans(64, 20),
    "a film behind it": lambda: saved(PHOTO, "JPEG") + b"\xff\xda\0\0" * 1000,
    "a thumbnail in it": lambda: jpeg(app(1, b"Exif\0\0" + b"\xff\xda" * 1000)),
    "metadata": lambda: jpeg(*[app(2, b"ICC_PROFILE\0\1\1" + bytes(60_000))] * 255),
    "a chunk for each row": lambda: png(64, 64, chunk(b"tEXt", b"a\0b") * 100),
    "a profile": lambda: png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(500_000)))),
    "a comment": lambda: gif(b"\x21\xfe" + (b"\xff" + b"c" * 255) * 100 + b"\0"),
    "EXIF that reads itself": lambda: jpeg(app(1, b"Exif\0\0" + exif_that_reads_itself_again(5000)[:60_000])),
    "strips of a row each": lambda: saved(Image.new("RGB", (300, 3000)), "TIFF", tiffinfo={278: 1}),
    "BigTIFF": lambda: saved(PHOTO, "TIFF", big_tiff=True),
}


@pytest.mark.parametrize("kind", SOUND)
def test_photos_as_cameras_and_programs_write_them_are_read(kind: str) -> None:
    assert decode(SOUND[kind]()).image.mode == "RGB"


def test_scans_count_by_the_pixels_that_each_of_them_passes() -> None:
    content = scans(64, 80)
    jpeg_costs.check_scans(content, 64 * 64)
    with pytest.raises(CostlyError, match="more than 21 scans"):
        jpeg_costs.check_scans(content, 100 * 10**6)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [3, 4, 16])
def test_tiles_are_bounded_however_their_sides_are_written(order: str, kind: int) -> None:
    side = 2**13 << (16 if (order, kind) == (">", 3) else 0)
    content = costly_photos.tiff((322, kind, 1, side), (323, kind, 1, side), order=order)
    with pytest.raises(CostlyError, match="tiles"):
        photo_costs.check_parts(content)


@pytest.mark.parametrize(
    "content", [b"II", b"II*\0", b"MM\0+\0\x08\0\0" + b"\xff" * 8, b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x05"]
)
def test_a_directory_that_is_not_there_is_the_decoders_to_refuse(content: bytes) -> None:
    photo_costs.check_parts(content)
    with pytest.raises(PhotoError):
        decode(content)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "F"])
def test_a_photo_in_strips_is_the_photo_at_once(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    wide = {"I;16": np.uint16, "F": np.float32}
    if mode in wide:
        image = Image.fromarray(rng.integers(0, 9000, (50, 40)).astype(wide[mode]))
    else:
        image = Image.fromarray(rng.integers(0, 256, (50, 40, 4), dtype=np.uint8)).convert(mode)
    if mode == "P":
        image.info["transparency"] = 7
    whole = np.asarray(photos.decode_image(image).image)
    monkeypatch.setattr(colours, "STRIP_PIXELS", 7 * 40)
    np.testing.assert_array_equal(np.asarray(photos.decode_image(image).image), whole)
    assert whole.shape == (50, 40, 3)


def test_a_photo_with_such_a_block_elsewhere_is_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr(Image.Image, "getexif", lambda image: asked.append(image.format or ""))
    written = "\nexif\n 9\n" + costly_photos.BLOCK.hex()
    for content in (
        png(8, 8, chunk(b"eXIf", costly_photos.BLOCK)),
        png(8, 8, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(written.encode()))),
        saved(noise(8, 8), "WEBP", exif=b"Exif\0\0" + costly_photos.BLOCK),
    ):
        assert decode(content).image.size == (8, 8)
    assert asked == []


def test_a_photo_is_turned_as_its_exif_says_wherever_that_is_written() -> None:
    block = costly_photos.tiff((0x112, 3, 1, 6))
    written = "\nexif\n 9\n" + block.hex()
    for content in (
        jpeg(app(1, b"Exif\0\0" + block)),
        png(9, 5, chunk(b"eXIf", block)),
        png(9, 5, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(written.encode()))),
        saved(noise(9, 5), "WEBP", exif=b"Exif\0\0" + block),
    ):
        photo = decode(content)
        assert photo.upright == (photo.height, photo.width)


def test_scans_are_counted_where_a_jpeg_can_have_many() -> None:
    sequential = saved(noise(64, 64), "JPEG")
    end = sequential.rindex(b"\xff\xd9")
    repeated = sequential[:end] + sequential[sequential.index(b"\xff\xda") : end] * 200 + sequential[end:]
    jpeg_costs.check_scans(repeated, 64 * 64)
    apart = sequential.replace(b"\xff\xda\0\x0c\3", b"\xff\xda\0\x0c\1")
    assert apart != sequential
    for content in (apart[:end] + apart[apart.index(b"\xff\xda") : end] * 200, scans(64, 200)):
        with pytest.raises(CostlyError, match="scans"):
            jpeg_costs.check_scans(content, 64 * 64)
