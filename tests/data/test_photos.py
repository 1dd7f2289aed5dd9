from __future__ import annotations

import io
import os
import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from dogbreed.data import photos
from dogbreed.data.photos import PhotoError, decode, open_photo, read
from dogbreed.errors import DataError
from tests.data.photo_folders import noise

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


PHOTO = noise(60, 40, seed=0)
RAMP = np.linspace(0, 1, 60 * 40, dtype=np.float64).reshape(40, 60)
FILES = {
    "JPEG": encoded(PHOTO, "JPEG"),
    "progressive JPEG": encoded(PHOTO, "JPEG", progressive=True),
    "CMYK JPEG": encoded(PHOTO.convert("CMYK"), "JPEG"),
    "MPO": encoded(PHOTO, "MPO", save_all=True, append_images=[PHOTO]),
    "PNG": encoded(PHOTO, "PNG"),
    "palette PNG": encoded(PHOTO.convert("P"), "PNG", transparency=b"\x00\x80\xff"),
    "16-bit PNG": encoded(Image.fromarray((RAMP * 65535).astype(np.uint16)), "PNG"),
    "WEBP": encoded(PHOTO, "WEBP"),
    "BMP": encoded(PHOTO, "BMP"),
    "GIF": encoded(PHOTO, "GIF", save_all=True, append_images=[noise(60, 40)]),
    "TIFF": encoded(PHOTO, "TIFF"),
    "LZW TIFF": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "float TIFF": encoded(Image.fromarray(RAMP.astype(np.float32)), "TIFF"),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_every_format_opens_as_rgb(content: bytes) -> None:
    photo = open_photo(content)
    assert (photo.mode, photo.size) == ("RGB", (60, 40))


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "LZW TIFF"])
def test_what_is_stored_without_loss_comes_out_unchanged(name: str) -> None:
    assert open_photo(FILES[name]).tobytes() == PHOTO.tobytes()


def test_a_photo_opens_from_a_path_a_string_bytes_a_file_and_an_image(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES["PNG"])
    sources = [path, str(path), FILES["PNG"], io.BytesIO(FILES["PNG"]), PHOTO]
    assert {open_photo(source).tobytes() for source in sources} == {PHOTO.tobytes()}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("1", (2, 2), 1), WHITE),
        (Image.new("L", (2, 2), 7), (7, 7, 7)),
        (Image.new("LA", (2, 2), (0, 0)), WHITE),
        (Image.new("RGBA", (2, 2), (0, 0, 0, 0)), WHITE),
        (Image.new("RGBA", (2, 2), (*RED, 255)), RED),
        (Image.new("CMYK", (2, 2), (0, 255, 255, 0)), RED),
        (Image.new("I;16", (2, 2), 65535), WHITE),
        (Image.new("I;16", (2, 2), 32768), (128, 128, 128)),
        (Image.new("I", (2, 2), 32768), (128, 128, 128)),
        (Image.new("I", (2, 2), 128), (128, 128, 128)),
        (Image.new("F", (2, 2), 0.5), (128, 128, 128)),
        (Image.new("F", (2, 2), float("nan")), BLACK),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_mode_becomes_the_colour_one_sees(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert open_photo(image).getpixel((0, 0)) == expected


@pytest.mark.parametrize(("transparency", "expected"), [(None, RED), (0, WHITE), (b"\x00", WHITE)])
def test_a_palette_keeps_its_colours_and_its_transparency(
    transparency: int | bytes | None, expected: tuple[int, int, int]
) -> None:
    image = Image.new("P", (3, 3), 0)
    image.putpalette(RED)
    options = {} if transparency is None else {"transparency": transparency}
    assert open_photo(encoded(image, "PNG", **options)).getpixel((1, 1)) == expected


def test_a_transparent_colour_of_an_rgb_png_becomes_white() -> None:
    content = encoded(Image.new("RGB", (3, 3), "red"), "PNG", transparency=RED)
    assert open_photo(content).getpixel((1, 1)) == WHITE


def test_an_inverted_cmyk_jpeg_of_adobe_keeps_its_colours() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = open_photo(encoded(image, "JPEG", quality=95)).getpixel((8, 8))
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("name", ["16-bit PNG", "float TIFF"])
def test_more_than_eight_bits_are_scaled_and_not_clipped(name: str) -> None:
    values = np.asarray(open_photo(FILES[name]))[..., 0]
    assert np.abs(values - RAMP * 255).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (64, 32), "black")
    upright.paste("white", (0, 0, 32, 16))
    turned_back = {
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    } | {number: photos.UPRIGHT[number] for number in (2, 3, 4)}
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = upright.transpose(turned_back[orientation]) if orientation > 1 else upright
    opened = open_photo(encoded(stored, kind, exif=exif.tobytes()))
    corners = [opened.getpixel(at)[0] > 128 for at in ((4, 4), (60, 4), (4, 28), (60, 28))]
    assert (opened.size, corners) == ((64, 32), [True, False, False, False])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_with_a_damaged_exif_block_opens_as_it_is_stored_and_without_a_warning(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    whole = exif.tobytes()
    # Cut within the orientation's own entry; no EXIF at all; a count of entries that are not there.
    for damaged in (whole[:18], b"Exif\0\0" + b"garbage!" * 4, whole[:14] + b"\xff\xff"):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            photo = open_photo(encoded(PHOTO, kind, exif=damaged))
        assert photo.size == PHOTO.size
        assert not warned


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert open_photo(content).getpixel((4, 4)) == RED


def test_what_is_wrong_is_said_in_one_line_that_names_the_file(tmp_path: Path) -> None:
    wrong = {
        "is empty": b"",
        "is text that starts with '<!DOCTYPE html>": b"<!DOCTYPE html>\n<title>404</title>",
        "is a PDF": b"%PDF-1.7\n\x00",
        "is a HEIC photo": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        "starts with the bytes 00 01 02": bytes(range(20)),
        "is truncated": FILES["JPEG"][:-300],
        "its header cannot be read": FILES["JPEG"][:20],
    }
    path = tmp_path / "rex.jpg"
    for reason, content in wrong.items():
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            open_photo(path)
        assert str(caught.value).startswith(str(path))
        assert reason in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_half_a_photo_is_an_error(name: str) -> None:
    half = FILES[name][: len(FILES[name]) // 2 - 100]
    with pytest.raises(PhotoError, match=r"truncated|damaged") as caught:
        decode(half)
    assert caught.value.fault in {"truncated", "unreadable"}


def test_a_smaller_decoding_still_notices_a_truncated_jpeg() -> None:
    content = encoded(noise(640, 480), "JPEG")
    assert decode(content, smallest_side=64).image.size < (640, 480)
    with pytest.raises(PhotoError, match="truncated"):
        decode(content[:-200], smallest_side=64)


def test_a_png_called_jpg_opens(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(FILES["PNG"])
    assert open_photo(path).tobytes() == PHOTO.tobytes()


def test_a_format_beyond_the_list_is_not_a_photo() -> None:
    for kind in ("PPM", "ICO", "PCX"):
        with pytest.raises(PhotoError) as caught:
            decode(encoded(PHOTO, kind))
        assert caught.value.fault == "not a photo"


def test_a_decompression_bomb_is_an_error_before_it_is_decoded() -> None:
    for width, height in [(10_000, 10_000), (20_000, 20_000), (40_000, 1_000)]:
        bomb = encoded(Image.new("1", (width, height)), "PNG")
        with pytest.raises(PhotoError, match="too large") as caught:
            decode(bomb)
        assert caught.value.fault == "too large"


def test_a_bomb_is_an_error_whatever_the_warning_filters_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="too large"):
            open_photo(encoded(Image.new("1", (10_000, 10_000)), "PNG"))


def test_a_thread_of_pixels_and_no_pixels_are_errors() -> None:
    for size in [(600, 2), (0, 5)]:
        with pytest.raises(DataError):
            open_photo(Image.new("RGB", size))


def test_too_many_bytes_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_BYTES", 2**20)
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(2**20 + 1))
    for source in (path, io.BytesIO(bytes(2**20 + 1))):
        with pytest.raises(PhotoError, match="larger than 1 MiB"):
            read(source)


def test_a_missing_file_a_folder_and_a_pipe_are_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "missing.jpg", tmp_path, tmp_path / "pipe.jpg"):
        with pytest.raises(DataError, match=f"^{path} "):
            open_photo(path)


def test_a_file_that_was_closed_is_an_error() -> None:
    file = io.BytesIO(FILES["PNG"])
    image = Image.open(file)
    file.close()
    for source in (file, image):
        with pytest.raises(DataError):
            open_photo(source)


def test_what_comes_of_random_damage_is_a_photo_or_a_data_error() -> None:
    draw = random.Random(0)
    for number in range(800):
        content = bytearray(list(FILES.values())[number % len(FILES)])
        del content[draw.choice([len(content), draw.randrange(len(content))]) :]
        for _ in range(draw.randrange(4)):
            if content:
                content[draw.randrange(draw.choice([64, len(content)])) % len(content)] = draw.randrange(256)
        try:
            photo = open_photo(bytes(content))
        except DataError as error:
            assert "\n" not in str(error)
        else:
            assert photo.mode == "RGB"


def test_threads_leave_the_warning_filters_as_they_were() -> None:
    before = list(warnings.filters)
    damaged = [content[: len(content) // 2] for content in FILES.values()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_opened, [*FILES.values(), *damaged] * 10))
    assert warnings.filters == before


def _opened(content: bytes) -> bool:
    try:
        return open_photo(content) is not None
    except DataError:
        return False
