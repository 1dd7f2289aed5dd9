from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dogbreed.errors import DataError
from launch.shipping.reproducible_tar import tar_gz
from launch.shipping.unpacking import unpack_tar

GOOD = {"model.json": b"{}", "code/inference.py": b"pass", "weights.safetensors": bytes(1024)}
TOTAL = sum(map(len, GOOD.values()))


def member(name: str, content: bytes = b"", **settings: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in settings.items():
        setattr(info, key, value)
    return info, content


def write_tar(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.PAX_FORMAT) -> Path:
    """A plain tar, each header written as it is asked for, whether or not it makes sense."""
    with path.open("wb") as file:
        for info, content in members:
            file.write(info.tobuf(kind, "utf-8", "surrogateescape"))
            file.write(content + bytes(-len(content) % 512))
        file.write(bytes(1024))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refuses(archive: Path, why: str, name: str = "", max_files: int = 100, max_bytes: int = 10**6) -> None:
    """Check that the archive is refused by that name, in one line, and nothing but it is left in its folder."""
    with pytest.raises(DataError) as caught:
        unpack_tar(archive, archive.parent / "model", max_files=max_files, max_bytes=max_bytes)
    message = str(caught.value)
    assert why in message
    assert ascii(name)[1:-1] in message
    assert message.isprintable()
    assert list(archive.parent.iterdir()) == [archive]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(tar_gz(GOOD))
    return path


def test_every_file_is_there_afterwards_and_nothing_else(archive: Path, tmp_path: Path) -> None:
    unpack_tar(archive, tmp_path / "new" / "model", max_files=3, max_bytes=TOTAL)
    assert contents(tmp_path / "new" / "model") == GOOD
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "model"]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_every_format_is_read_with_names_long_and_foreign(tmp_path: Path, mode: Any, kind: int) -> None:
    # The oldest format has room for 100 bytes of name, and as a prefix for 155 more.
    files = {"a/" * 60 + "b.jpg": b"deep", "Größe.jpg": b"1", "empty": b""}
    files |= {} if kind == tarfile.USTAR_FORMAT else {"柴犬" * 40: b"long"}
    with tarfile.open(tmp_path / "a.tar", mode, format=kind) as file:
        file.addfile(*map_stream(member("a", type=tarfile.DIRTYPE)))
        for name, content in files.items():
            file.addfile(*map_stream(member(name, content)))
    unpack_tar(tmp_path / "a.tar", tmp_path / "model", max_files=4, max_bytes=10)
    assert contents(tmp_path / "model") == files


def map_stream(pair: tuple[tarfile.TarInfo, bytes]) -> tuple[tarfile.TarInfo, io.BytesIO]:
    return pair[0], io.BytesIO(pair[1])


def test_what_tar_packs_from_within_a_folder_is_read(tmp_path: Path) -> None:
    for name, content in GOOD.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        file.add(tmp_path / "source", ".")
    unpack_tar(tmp_path / "a.tar.gz", tmp_path / "model", max_files=3, max_bytes=TOTAL)
    assert contents(tmp_path / "model") == GOOD


def test_files_get_plain_permissions_whatever_the_archive_says(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [member("a", mode=0o6777, uid=0), member("b", mode=0)])
    unpack_tar(tmp_path / "a.tar", tmp_path / "model", max_files=2, max_bytes=0)
    (tmp_path / "plain").touch()
    expected = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert {stat.S_IMODE((tmp_path / "model" / name).stat().st_mode) for name in "ab"} == {expected}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "absolute"),
        (".//etc/passwd", "absolute"),
        ("../outside", "out of the folder"),
        ("./../outside", "out of the folder"),
        ("a/../../outside", "out of the folder"),
        ("C:/outside", "drive letter"),
        ("..\\outside", "backslash"),
        ("a\nb", "control character"),
        ("a\x1b[2J", "control character"),
        ("a\udcff", "control character"),
        ("a//b", "empty part"),
        ("a/./b", "empty part"),
        ("", "empty part"),
        ("x" * 256, "too long"),
        ("/".join(["long"] * 300), "too long"),
    ],
)
@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, name: str, why: str, kind: int) -> None:
    write_tar(tmp_path / "a.tar", [member("good"), member(name, b"evil")], kind)
    refuses(tmp_path / "a.tar", why, name.removeprefix("./")[:100])


@pytest.mark.parametrize("code", b"12346789DS")
def test_what_is_no_regular_file_is_refused(tmp_path: Path, code: int) -> None:
    odd = member("odd", type=bytes([code]), linkname="/etc/passwd")
    write_tar(tmp_path / "a.tar", [member("good", b"good"), odd], tarfile.USTAR_FORMAT)
    refuses(tmp_path / "a.tar", "special file", "odd")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_file_written_through_a_link_is_refused(tmp_path: Path, kind: bytes) -> None:
    link = member("link", type=kind, linkname=str(tmp_path))
    write_tar(tmp_path / "a.tar", [link, member("link/outside", b"evil")])
    refuses(tmp_path / "a.tar", "special file", "link")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Akita.jpg", "AKITA.jpg"),
        ("Akita/1.jpg", "akita/2.jpg"),
        ("Straße.jpg", "STRASSE.jpg"),
        ("Gro\u0308ße.jpg", "Gr\u00f6ße.jpg"),
        ("dogs", "dogs/1.jpg"),
        ("dogs/1.jpg", "dogs"),
        ("1.jpg", "1.jpg"),
    ],
)
def test_names_that_fall_together_are_refused(tmp_path: Path, first: str, second: str) -> None:
    write_tar(tmp_path / "a.tar", [member(first), member(second)])
    refuses(tmp_path / "a.tar", "the same name as", second)


def test_more_files_than_expected_are_refused(archive: Path) -> None:
    refuses(archive, "one more than", "weights.safetensors", max_files=2)


def test_more_bytes_than_expected_are_refused_before_they_are_read(archive: Path) -> None:
    refuses(archive, "larger than expected", "weights.safetensors", max_bytes=TOTAL - 1)
    write_tar(archive, [member("huge", size=1 << 60)], tarfile.GNU_FORMAT)
    refuses(archive, "larger than expected", "huge")


@pytest.mark.parametrize("size", [-1, -(1 << 40)])
def test_a_negative_size_is_refused(tmp_path: Path, size: int) -> None:
    write_tar(tmp_path / "a.tar", [member("odd", size=size)], tarfile.GNU_FORMAT)
    refuses(tmp_path / "a.tar", f"cannot be {size} bytes", "odd")
    write_tar(tmp_path / "a.tar", [member("odd", pax_headers={"size": str(size)})])
    refuses(tmp_path / "a.tar", f"cannot be {size} bytes", "odd")


def test_odd_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    refuses(write_tar(path, [member("odd", b"x", type=tarfile.DIRTYPE)]), "cannot be 1 bytes", "odd")
    refuses(write_tar(path, [member("odd", pax_headers={"size": "many"})]), "no number")
    refuses(write_tar(path, [member("odd", pax_headers={"GNU.sparse.major": "1"})]), "holes", "odd")


@pytest.mark.parametrize(
    "record", [b"9 path=a", b"0 path=a\n", b"x", b"-4 a=b\n", b"99999999999 path=a\n", b"7 path\n"]
)
def test_an_extended_header_that_cannot_be_read_is_refused(tmp_path: Path, record: bytes) -> None:
    write_tar(tmp_path / "a.tar", [member("x", record, type=tarfile.XHDTYPE), member("a")], tarfile.USTAR_FORMAT)
    refuses(tmp_path / "a.tar", "extended header that cannot be read")


def test_an_extended_header_fills_no_memory(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [member("x", size=1 << 33, type=tarfile.XHDTYPE)], tarfile.GNU_FORMAT)
    refuses(tmp_path / "a.tar", "extended header of 8589934592 bytes")


@pytest.mark.parametrize("filler", ["zeros behind the end", "folders"])
def test_a_bomb_of_what_is_no_content_is_refused(tmp_path: Path, filler: str) -> None:
    folder = member("folder", type=tarfile.DIRTYPE)[0].tobuf()
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        file.write((bytes(512) if filler != "folders" else folder) * 10_000)
        file.write(bytes(1024))
    why = "more behind its end" if filler != "folders" else "longer than what is expected"
    refuses(tmp_path / "a.tar.gz", why, max_files=10, max_bytes=1000)


def test_something_behind_the_end_is_refused(tmp_path: Path) -> None:
    with write_tar(tmp_path / "a.tar", [member("a")]).open("ab") as file:
        file.write(member("b")[0].tobuf())
    refuses(tmp_path / "a.tar", "more behind its end")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path: Path, compressed: bool) -> None:
    whole = tar_gz({"model.json": b"{}"})
    # What follows the first block of zeros is only filling.
    whole = whole if compressed else gzip.decompress(whole)[: 3 * 512]
    for length in range(0, len(whole), 1 if compressed else 64):
        (tmp_path / "a.tar").write_bytes(whole[:length])
        refuses(tmp_path / "a.tar", "damaged or truncated")


def test_a_flipped_byte_in_a_compressed_archive_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    whole = tar_gz({"model.json": b'{"a": 1}'})
    for place in range(len(whole)):
        (tmp_path / "a.tar").write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            unpack_tar(tmp_path / "a.tar", tmp_path / "model", max_files=1, max_bytes=100)
        except DataError as error:
            assert str(error).isprintable()
            assert list(tmp_path.iterdir()) == [tmp_path / "a.tar"]
        else:
            assert contents(tmp_path / "model") == {"model.json": b'{"a": 1}'}
            shutil.rmtree(tmp_path / "model")


def test_a_damaged_header_is_never_taken_for_the_end(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [member("a"), member("b")])
    damaged = bytearray((tmp_path / "a.tar").read_bytes())
    damaged[512] ^= 1
    (tmp_path / "a.tar").write_bytes(damaged)
    refuses(tmp_path / "a.tar", "bad checksum")


def test_no_name_at_all_leads_out_of_the_folder(tmp_path: Path) -> None:
    chance = random.Random(5)
    pieces = ["a", "B", "b", "..", ".", "", "/", "\\", "C:", "\n", "ä", "a\u0308", "~", "$HOME", " ", "-", "*"]
    for _ in range(100):
        box = tmp_path / "box"
        box.mkdir()
        names = {chance.choice(["/", ""]).join(chance.choices(pieces, k=chance.randint(1, 5))) for _ in range(3)}
        archive = write_tar(tmp_path / "a.tar", [member(name, b"x") for name in names])
        try:
            unpack_tar(archive, box / "model", max_files=3, max_bytes=3)
        except DataError:
            assert list(box.iterdir()) == []
        else:
            assert list(box.iterdir()) == [box / "model"]
        assert sorted(tmp_path.iterdir()) == [archive, box]
        shutil.rmtree(box)


@pytest.mark.parametrize("content", [b"", b"<html>Sign in to the network</html>", b"PK\3\4" + bytes(1000)])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    refuses(tmp_path / "a.tar", "damaged or truncated")


def test_an_archive_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        unpack_tar(tmp_path / "a.tar", tmp_path / "model", max_files=1, max_bytes=1)


def test_a_folder_in_use_is_left_as_it_is(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_bytes(b"mine")
    with pytest.raises(DataError, match="Expected nothing at"):
        unpack_tar(archive, tmp_path / "model", max_files=3, max_bytes=TOTAL)
    assert contents(tmp_path / "model") == {"mine": b"mine"}


UNPACK = """
import sys
from pathlib import Path
from launch.shipping.unpacking import unpack_tar
unpack_tar(Path(sys.argv[1]), Path(sys.argv[2]), max_files=10**6, max_bytes=10**9)
"""


def test_a_killed_unpacking_is_never_taken_for_complete_and_is_cleaned_up(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_gz({f"photos/{number}.jpg": b"photo" for number in range(5_000)}))
    process = subprocess.Popen([sys.executable, "-c", UNPACK, archive, tmp_path / "model"])
    while not (tmp_path / ".model.unpacking" / "photos").exists() and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "model").exists()
    archive.write_bytes(tar_gz(GOOD))
    unpack_tar(archive, tmp_path / "model", max_files=3, max_bytes=TOTAL)
    assert contents(tmp_path / "model") == GOOD
    assert sorted(tmp_path.iterdir()) == [archive, tmp_path / "model"]
