"""Requests that are damaged or meant badly: each a function of its seed and its number alone."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.data.costly_photos import COSTLY, KINDS, app, exif_that_reads_itself_again, jpeg, saved
from tests.data.photo_folders import noise


@dataclass(frozen=True)
class Request:
    """What is sent, as what, and what is accepted; `kind` says what is wrong with it."""

    kind: str
    content_type: str
    accept: str
    body: bytes


MEDIA = [f"image/{kind}" for kind in ("jpeg", "png", "webp", "gif", "tiff", "bmp", "jpg")]
MEDIA += ["application/x-image", "application/octet-stream", "application/json", "application/x-npy"]
STRANGE_TYPES = [
    *("", "text/html", "application/pdf", "image/svg+xml", "multipart/form-data; boundary=x", "application/x-pickle"),
    *("application/json; charset=utf-7", "application/json;;;", "IMAGE/JPEG ; a=" + "b" * 500, "image/jpeg, image/png"),
    *("\u00ff\u00fe/\u00df", "../../etc/passwd", "image/*", "*/*", "application/json\t", "a" * 2000),
]
ACCEPTS = [
    "",
    "*/*",
    "application/json",
    "application/json;verbose",
    "text/csv",
    "application/x-npy",
    "image/png, */*;q=0.1",
]
STRANGE_ACCEPTS = [
    ",,,,",
    ";",
    "q=" + "9" * 200,
    "*/*;q=nan",
    "text/html",
    "\u00e9",
    "a/b," * 500,
    "application/json;q=-1",
]
URLS = ["http://169.254.169.254/", "https://[::1]/", "file:///etc/passwd", "https://2130706433/", "https://localhost/"]


@cache
def sound(kind: str) -> bytes:
    options: dict[str, Any] = {"progressive": True} if kind == "PROGRESSIVE" else {}
    if kind == "ANIMATED":
        frames = [noise(24, 24, seed=seed) for seed in range(6)]
        return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    return saved(noise(90, 70, seed=4), "JPEG" if kind == "PROGRESSIVE" else kind, **options)


def flipped(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 12)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flipped_header(body: bytes, rng: random.Random) -> bytes:
    return flipped(body[:64], rng) + body[64:]


def truncated(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body))]


def without_a_piece(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body))
    return body[:start] + body[start + rng.randint(1, 200) :]


def spliced(body: bytes, rng: random.Random) -> bytes:
    other = sound(rng.choice(KINDS))
    return body[: rng.randrange(len(body))] + other[rng.randrange(len(other)) :]


def repeated(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body))
    return body[:start] + body[start : start + rng.randint(1, 300)] * rng.randint(2, 60) + body[start:]


def with_large_numbers(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(min(len(body), 200))
    number = rng.choice([0, 1, 0x7F, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)])
    return body[:start] + struct.pack(rng.choice("<>") + "I", number) + body[start + 4 :]


def with_noise(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body))
    return body[:start] + rng.randbytes(rng.randint(1, 2000)) + body[start:]


def whole(body: bytes, rng: random.Random) -> bytes:
    return body


MUTATIONS = [
    flipped,
    flipped_header,
    truncated,
    without_a_piece,
    spliced,
    repeated,
    with_large_numbers,
    with_noise,
    whole,
]


def damaged_photo(rng: random.Random) -> Request:
    kind = rng.choice([*KINDS, "PROGRESSIVE", "ANIMATED"])
    body = sound(kind)
    for mutation in rng.choices(MUTATIONS, k=rng.choice([1, 1, 2, 3])):
        body = mutation(body, rng) or b"\0"
    return Request(f"damaged {kind}", rng.choice(MEDIA[:9]), _accept(rng), body)


def costly_photo(rng: random.Random) -> Request:
    name = rng.choice(list(COSTLY))
    return Request(name, rng.choice(MEDIA[:9]), _accept(rng), _costly(name))


_costly = cache(lambda name: COSTLY[name]())


def odd_metadata(rng: random.Random) -> Request:
    blocks = [
        b"Exif\0\0" + exif_that_reads_itself_again(rng.randint(1, 5000))[:60_000],
        b"Exif\0\0" + struct.pack("<2sHIHHHII", b"II", 42, 8, 1, 0x112, rng.randint(0, 20), rng.getrandbits(32), 9),
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0",
        b"ICC_PROFILE\0\1\1" + rng.randbytes(rng.randint(0, 3000)),
        b"MPF\0" + rng.randbytes(rng.randint(0, 3000)),
        b"http://ns.adobe.com/xap/1.0/\0" + rng.randbytes(300),
        b"Photoshop 3.0\0" + rng.randbytes(rng.randint(0, 300)),
        b"JFIF\0" + rng.randbytes(rng.randint(0, 30)),
        b"Adobe" + rng.randbytes(rng.randint(0, 30)),
    ]
    body = jpeg(*(app(rng.choice([0, 1, 1, 2, 13, 14]), block) for block in rng.choices(blocks, k=rng.randint(1, 4))))
    return Request("odd metadata", "image/jpeg", _accept(rng), body)


def strange_type(rng: random.Random) -> Request:
    body = rng.choice([sound(rng.choice(KINDS)), rng.randbytes(rng.randint(0, 500)), b"", b"{}"])
    return Request("strange type", rng.choice(STRANGE_TYPES + MEDIA), rng.choice(STRANGE_ACCEPTS), body)


def odd_json(rng: random.Random) -> Request:
    return Request("odd JSON", "application/json", _accept(rng), rng.choice(JSON)(rng))


def _b64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _damaged_instances(rng: random.Random) -> bytes:
    many = rng.choice([1, 2, 5, 64, 65])
    names = rng.choices(["data", "b64", "image", "url", "other"], [8, 3, 3, 0.2, 0.2], k=many)
    return _dumped({"instances": [{name: _b64(damaged_photo(rng).body[:3000])} for name in names]})


def _sound_instances(rng: random.Random) -> bytes:
    return _dumped({"instances": [{"data": _b64(sound(rng.choice(KINDS)))} for _ in range(rng.randint(1, 3))]})


def _mutated_json(rng: random.Random) -> bytes:
    return rng.choice(MUTATIONS)(_sound_instances(rng), rng)


def _literal(text: str | bytes) -> Callable[[random.Random], bytes]:
    return lambda _: text if isinstance(text, bytes) else text.encode()


JSON: list[Callable[[random.Random], bytes]] = [
    _damaged_instances,
    _sound_instances,
    _mutated_json,
    lambda rng: b"[" * rng.choice([99, 101, 3000, 19_000, 100_000]),
    lambda rng: b'{"a":' * (deep := rng.choice([50, 101, 900, 15_000])) + b"1" + b"}" * deep,
    lambda rng: b'{"image":' + b"[" * (deep := rng.choice([90, 120])) + b"]" * deep + b"}",
    lambda rng: b"[" + b"[]," * 200_000 + b"[]]",
    lambda rng: b"9" * rng.choice([20, 4299, 4301, 100_000]),
    lambda rng: b'{"image": ' + b"1e" + b"9" * 50 + b"}",
    lambda rng: _dumped({"url": rng.choice(URLS)}),
    lambda rng: _dumped({"instances": [{"url": rng.choice(URLS)}] * rng.choice([1, 64])}),
    lambda rng: '{"image": "eA=="}'.encode(rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-16-le"])),
    lambda rng: _dumped({"image": _b64(b"x" * rng.randint(0, 100_000))}),
    *map(
        _literal, ('{"image": NaN}', "NaN", "-Infinity", '{"image": "\\ud800"}', '"\\udfff\\ud800"', "null", "[]", '""')
    ),
    *map(
        _literal, ('{"image": "eA==", "image": "eB=="}', '{"instances": {}}', '{"instances": null}', "{}", "7", "true")
    ),
    *map(_literal, ('{"instances": [[["eA=="]]]}', '{"instances": [null]}', '{"instances": [{"data": {"b64": 1}}]}')),
    *map(
        _literal,
        (
            '{"image": "eA=="} {"image"',
            '{"image": "====="}',
            '{"image": "\\u0000"}',
            "'x'",
            '{"image":"' + "\xe9" + '"}',
        ),
    ),
    *map(_literal, (b"\xff\xfe\x00", b"\x00" * 50, b'{"image": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b"")),
]


def _npy(array: np.ndarray[Any, Any], pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


def npy_header(text: str, behind: bytes = b"", version: bytes = b"\1\0") -> bytes:
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text.encode() + behind


def _header(descr: str = "'<f4'", order: str = "False", shape: str = "(1, 3, 32, 32)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


HEADERS = [
    *(_header(shape=shape) for shape in ("(-1, 3, 32, 32)", "(0, 3, 32, 32)", "(99999999999, 3, 9, 9)", "()", "(3,)")),
    *(_header(shape=shape) for shape in ("1", "(1, 3, 32, 1e9)", "[1, 3, 32, 32]", "(True, 3, 32, 32)", "(1,,3)")),
    *(_header(shape=f"({'9, ' * count})") for count in (5, 33, 300)),
    *(
        _header(descr=descr)
        for descr in ("'|O'", "'<U9'", "'V2000000000'", "'<f2'", "'<c8'", "[('a', '<f4')]", "'M8[s]'")
    ),
    *(_header(descr=descr) for descr in ("'<f4', 'descr': '|O'", "None", "'" + "f" * 500 + "'", "__import__('os')")),
    *(_header(order=order) for order in ("1", "None", "'yes'", "()", "not True")),
    *("", "{", "{}", "(" * 900, "-" * 900 + "1", "{'descr': '<f4'}", "[" * 100 + "]" * 100, "\u00e9", "\0" * 50),
]


def odd_array(rng: random.Random) -> Request:
    return Request("odd array", "application/x-npy", _accept(rng), rng.choice(ARRAYS)(rng))


def _of_shape(rng: random.Random) -> bytes:
    shape = tuple(rng.choice([0, 1, 2, 3, 4, 7, 32, 33, 65]) for _ in range(rng.randint(0, 6)))
    if int(np.prod(shape)) > 500_000:
        return b""
    kind = rng.choice([np.float32, np.float64, np.uint8, np.int64, np.float16, np.complex64, np.bool_, ">f4", ">f8"])
    return _npy(np.ones(shape, kind))


def _strange_numbers(rng: random.Random) -> bytes:
    array = np.zeros((rng.randint(1, 3), 3, 32, 32), rng.choice([np.float32, np.float64]))
    array.flat[rng.randrange(array.size)] = rng.choice([np.nan, np.inf, -np.inf, 3e38, 1e30, 1e-45, 999.0, -1001.0])
    return _npy(np.asfortranarray(array) if rng.random() < 0.3 else array)


ARRAYS: list[Callable[[random.Random], bytes]] = [
    _of_shape,
    _strange_numbers,
    lambda rng: rng.choice(MUTATIONS)(_npy(np.zeros((1, 3, 32, 32), np.float32)), rng),
    lambda rng: flipped_header(_npy(np.zeros((2, 3, 40, 40), np.uint8)), rng),
    lambda rng: _npy(np.array([{"a": 1}, print], dtype=object), pickled=True),
    lambda rng: npy_header(
        rng.choice(HEADERS), bytes(rng.choice([0, 12288])), rng.choice([b"\1\0", b"\2\0", b"\3\0", b"\7\0"])
    ),
    lambda rng: b"\x93NUMPY\2\0\xff\xff\xff\xff" + b"{" * rng.randint(0, 5000),
    lambda rng: b"\x80\4\x95" + rng.randbytes(50),
]


def _accept(rng: random.Random) -> str:
    return rng.choice(ACCEPTS if rng.random() < 0.9 else STRANGE_ACCEPTS)


KINDS_OF_REQUESTS = [damaged_photo, odd_metadata, odd_json, odd_array, strange_type, costly_photo]
WEIGHTS = [50, 8, 18, 14, 6, 4]


def hostile_requests(count: int, seed: int = 0) -> Iterator[Request]:
    """So many of them; the first ones are the same however many are asked for."""
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        yield rng.choices(KINDS_OF_REQUESTS, WEIGHTS)[0](rng)
