from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from dogbreed.data.archive import unzip
from dogbreed.errors import DataError

GOOD = {"train/Akita/1.jpg": b"one", "train/Beagle/2.jpg": b"two", "test/Akita/3.jpg": b"three"}


def write_zip(path: Path, members: dict[str, bytes], method: int = ZIP_DEFLATED) -> Path:
    with ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(raw(name, method), content)
    return path


def raw(name: str, method: int = ZIP_DEFLATED, mode: int | None = None, dos: int = 0) -> ZipInfo:
    """A member with exactly this name, which ZipInfo would tidy."""
    info = ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.compress_type = method
    plain = stat.S_IFDIR | 0o755 if name.endswith("/") else stat.S_IFREG | 0o644
    info.external_attr = (plain if mode is None else mode) << 16 | dos
    return info


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def patch(archive: Path, member: int, offset: int, layout: str, value: int) -> None:
    """Change one field of the member's entry in the archive's list of contents."""
    data = bytearray(archive.read_bytes())
    place = -1
    for _ in range(member + 1):
        place = data.index(b"PK\1\2", place + 1)
    struct.pack_into(layout, data, place + offset, value)
    archive.write_bytes(data)


CRC, COMPRESSED, SIZE, FLAGS, HEADER = (16, "<L"), (20, "<L"), (24, "<L"), (8, "<H"), (42, "<L")


def refuses(archive: Path, name: str, why: str, max_files: int = 100, max_bytes: int = 10**9) -> None:
    """Check that the archive is refused by that name, in one line, and nothing but it is left in its folder."""
    with pytest.raises(DataError) as caught:
        unzip(archive, archive.parent / "dogs", max_files=max_files, max_bytes=max_bytes)
    message = str(caught.value)
    assert ascii(name)[1:-1] in message
    assert why in message
    assert message.isprintable()
    assert list(archive.parent.iterdir()) == [archive]


def test_every_file_is_there_afterwards_and_nothing_else(tmp_path: Path) -> None:
    unzip(write_zip(tmp_path / "dogs.zip", GOOD), tmp_path / "new" / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "new" / "dogs") == GOOD
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "dogs"]


def test_a_top_folder_that_all_share_is_left_out(tmp_path: Path) -> None:
    members = {"dogImages/": b"", "dogImages/train/": b""} | {f"dogImages/{name}": c for name, c in GOOD.items()}
    unzip(write_zip(tmp_path / "dogs.zip", members), tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "dogs") == GOOD


def test_a_file_at_the_top_keeps_its_name(tmp_path: Path) -> None:
    unzip(write_zip(tmp_path / "dogs.zip", {"1.jpg": b"one"}), tmp_path / "dogs", max_files=1, max_bytes=3)
    assert contents(tmp_path / "dogs") == {"1.jpg": b"one"}


def test_what_a_mac_adds_is_left_out(tmp_path: Path) -> None:
    litter = {"__MACOSX/dogs/._1.jpg": b"x", "dogs/.DS_Store": b"x", "dogs/train/.DS_Store": b"x"}
    archive = write_zip(tmp_path / "dogs.zip", litter | {f"dogs/{name}": c for name, c in GOOD.items()})
    unzip(archive, tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "dogs") == GOOD


def test_files_get_plain_permissions_whatever_the_archive_says(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "dogs.zip", "w") as file:
        file.writestr(raw("a/1.jpg", mode=stat.S_IFREG | 0o6777), b"one")
        file.writestr(raw("b/2.jpg", mode=stat.S_IFREG), b"two")
    unzip(tmp_path / "dogs.zip", tmp_path / "dogs", max_files=2, max_bytes=6)
    (tmp_path / "plain").touch()
    expected = (tmp_path / "plain").stat().st_mode
    assert {(tmp_path / "dogs" / name).stat().st_mode for name in ("a/1.jpg", "b/2.jpg")} == {expected}


def test_names_in_any_language_are_kept(tmp_path: Path) -> None:
    members = {"Zwergschnauzer/Größe 1.jpg": b"1", "柴犬/二.jpg": b"2", "ab:c/d?.jpg": b"3"}
    unzip(write_zip(tmp_path / "dogs.zip", members), tmp_path / "dogs", max_files=3, max_bytes=3)
    assert contents(tmp_path / "dogs") == members


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "absolute"),
        ("//host/share", "absolute"),
        ("../outside.jpg", "out of the folder"),
        ("a/../../outside.jpg", "out of the folder"),
        ("a/..", "out of the folder"),
        ("__MACOSX/../../outside.jpg", "out of the folder"),
        ("C:/outside.jpg", "drive letter"),
        ("c:outside.jpg", "drive letter"),
        ("..\\outside.jpg", "backslash"),
        ("a\\b.jpg", "backslash"),
        ("a.jpg\0.exe", "control character"),
        ("\0", "control character"),
        ("a\nb.jpg", "control character"),
        ("a\x1b[2J.jpg", "control character"),
        ("a\x85.jpg", "control character"),
        ("a//b.jpg", "empty part"),
        ("./a.jpg", "empty part"),
        ("a/.", "empty part"),
        ("", "empty part"),
        ("x" * 256, "too long"),
        ("ä" * 128, "too long"),
        ("/".join(["long"] * 300), "too long"),
    ],
)
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, name: str, why: str) -> None:
    refuses(write_zip(tmp_path / "dogs.zip", GOOD | {name: b"evil"}), name[:100], why)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dogs/Akita.jpg", "dogs/AKITA.jpg"),
        ("dogs/Akita/1.jpg", "dogs/akita/2.jpg"),
        ("Straße.jpg", "STRASSE.jpg"),
        ("Gro\u0308ße.jpg", "Gr\u00f6ße.jpg"),
        ("\u1fb3.jpg", "\u0391\u0345.jpg"),
        ("\u03b1\u0345\u0301.jpg", "\u03b1\u0301\u0345.jpg"),
        ("dogs", "dogs/1.jpg"),
        ("dogs/1.jpg", "dogs"),
        ("dogs/1.jpg", "dogs/1.jpg/"),
        ("dogs/", "dogs"),
        ("dogs", "DOGS/1.jpg"),
    ],
)
def test_names_that_fall_together_are_refused(tmp_path: Path, first: str, second: str) -> None:
    refuses(write_zip(tmp_path / "dogs.zip", {first: b"", second: b""}), second, "the same name as")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "dogs.zip", "w") as file:
        file.writestr("a.jpg", b"one")
        file.writestr("a.jpg", b"two")
    refuses(tmp_path / "dogs.zip", "a.jpg", "the same name as")


@pytest.mark.parametrize("kind", ["LNK", "CHR", "BLK", "IFO", "SOCK", "DIR"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    with ZipFile(tmp_path / "dogs.zip", "w") as file:
        file.writestr("good.jpg", b"good")
        file.writestr(raw("odd.jpg", mode=getattr(stat, f"S_IF{kind}") | 0o777), b"/etc/passwd")
    refuses(tmp_path / "dogs.zip", "odd.jpg", "special file")


def test_a_file_written_through_a_link_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "dogs.zip", "w") as file:
        file.writestr(raw("link/", mode=stat.S_IFLNK | 0o777), b"/tmp")
        file.writestr(raw("link/outside.jpg"), b"evil")
    refuses(tmp_path / "dogs.zip", "link/", "special file")


def test_a_windows_link_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "dogs.zip", "w") as file:
        file.writestr(raw("link.jpg", mode=0, dos=stat.FILE_ATTRIBUTE_REPARSE_POINT), b"C:/")
    refuses(tmp_path / "dogs.zip", "link.jpg", "special file")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    patch(archive, 1, *FLAGS, 1)
    refuses(archive, "train/Beagle/2.jpg", "encrypted")


def test_an_uncommon_compression_is_refused(tmp_path: Path) -> None:
    refuses(write_zip(tmp_path / "dogs.zip", {"a.jpg": b"one"}, ZIP_BZIP2), "a.jpg", "unknown way")


def test_more_files_than_expected_are_refused(tmp_path: Path) -> None:
    refuses(write_zip(tmp_path / "dogs.zip", GOOD), "test/Akita/3.jpg", "one more than the 2 files", max_files=2)


def test_more_bytes_than_expected_are_refused(tmp_path: Path) -> None:
    refuses(write_zip(tmp_path / "dogs.zip", GOOD), "test/Akita/3.jpg", "larger than the 10 bytes", max_bytes=10)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD | {"bomb.jpg": bytes(2 << 20)})
    refuses(archive, "bomb.jpg", "more than 100 times")


@pytest.mark.parametrize("declared", [10, 5_000, 500_000])
def test_a_size_that_lies_is_found_out(tmp_path: Path, declared: int) -> None:
    content = random.Random(1).randbytes(100_000)
    archive = write_zip(tmp_path / "dogs.zip", GOOD | {"liar.jpg": content})
    patch(archive, 3, *SIZE, declared)
    refuses(archive, "liar.jpg", "which is damaged" if declared < len(content) else "whose size is not")


def test_a_size_that_lies_with_the_right_checksum_writes_no_more_than_declared(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(100_000)
    archive = write_zip(tmp_path / "dogs.zip", {"liar.jpg": content})
    patch(archive, 0, *SIZE, 10)
    patch(archive, 0, *CRC, zlib.crc32(content[:10]))
    unzip(archive, tmp_path / "dogs", max_files=1, max_bytes=10)
    assert contents(tmp_path / "dogs") == {"liar.jpg": content[:10]}


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", {"a.jpg": b"same", "b.jpg": b"same"})
    patch(archive, 1, *HEADER, 0)
    refuses(archive, "b.jpg", "overlaps with 'a.jpg'")


def test_a_member_that_reaches_into_the_next_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    patch(archive, 0, *COMPRESSED, 50)
    refuses(archive, "train/Beagle/2.jpg", "overlaps with 'train/Akita/1.jpg'")


@pytest.mark.parametrize(
    ("field", "value"), [(HEADER, 2**31), (HEADER, 2**32 - 2), (COMPRESSED, 2**31), (COMPRESSED, 100)]
)
def test_a_member_outside_the_archive_is_refused(tmp_path: Path, field: tuple[int, str], value: int) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    patch(archive, 2, *field, value)
    refuses(archive, "test/Akita/3.jpg", "outside the archive")


def test_a_member_before_the_archive_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    data = bytearray(archive.read_bytes())
    end = data.index(b"PK\5\6")
    struct.pack_into("<L", data, end + 16, struct.unpack_from("<L", data, end + 16)[0] + 10)
    archive.write_bytes(data)
    refuses(archive, "train/Akita/1.jpg", "outside the archive")


def test_a_member_that_is_not_where_the_archive_says_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    patch(archive, 0, *HEADER, 1)
    refuses(archive, "train/Akita/1.jpg", "not where the archive says")


def test_two_names_for_one_member_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    archive.write_bytes(archive.read_bytes().replace(b"Akita/1.jpg", b"Akita/9.jpg", 1))
    refuses(archive, "train/Akita/1.jpg", "damaged")


@pytest.mark.parametrize("method", [ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_damaged_member_is_refused(tmp_path: Path, method: int) -> None:
    photo = random.Random(1).randbytes(10_000)
    archive = write_zip(tmp_path / "dogs.zip", GOOD | {"photo.jpg": photo}, method)
    data = bytearray(archive.read_bytes())
    data[5000:5010] = bytes(10)
    archive.write_bytes(data)
    refuses(archive, "photo.jpg", "damaged")


def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "dogs.zip", GOOD).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "dogs.zip").write_bytes(whole[:length])
        refuses(tmp_path / "dogs.zip", "dogs.zip", "damaged or truncated")


def test_no_damaged_byte_ends_in_anything_but_an_error_or_the_files(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "dogs.zip", {"1.jpg": b"one"}).read_bytes()
    chance = random.Random(3)
    for place in range(len(whole)):
        (tmp_path / "dogs.zip").write_bytes(whole[:place] + chance.randbytes(1) + whole[place + 1 :])
        try:
            unzip(tmp_path / "dogs.zip", tmp_path / "dogs", max_files=3, max_bytes=11)
        except DataError as error:
            assert "\n" not in str(error)
            assert list(tmp_path.iterdir()) == [tmp_path / "dogs.zip"]
        else:
            shutil.rmtree(tmp_path / "dogs")


def test_no_name_at_all_leads_out_of_the_folder(tmp_path: Path) -> None:
    chance = random.Random(5)
    parts = ["a", "B", "b", "..", ".", "", "/", "\\", "C:", "\0", "\n", "ä", "a\u0308", "~", "$HOME", " ", "-", "*"]
    outside = tmp_path / "outside"
    for _ in range(200):
        box = tmp_path / "box"
        box.mkdir()
        names = {chance.choice(["/", ""]).join(chance.choices(parts, k=chance.randint(1, 5))) for _ in range(3)}
        archive = write_zip(tmp_path / "dogs.zip", dict.fromkeys(names, b"x"))
        try:
            unzip(archive, box / "dogs", max_files=3, max_bytes=3)
        except DataError as error:
            assert str(error).isprintable()
            assert list(box.iterdir()) == []
        else:
            assert list(box.iterdir()) == [box / "dogs"]
        assert sorted(tmp_path.iterdir()) == [box, archive]
        shutil.rmtree(box)
    assert not outside.exists()


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dogs.zip").write_text("<html>Sign in to the network</html>")
    refuses(tmp_path / "dogs.zip", "dogs.zip", "damaged or truncated")


def test_an_archive_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        unzip(tmp_path / "dogs.zip", tmp_path / "dogs", max_files=1, max_bytes=1)


def test_a_folder_in_use_is_left_as_it_is(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    (tmp_path / "dogs").mkdir()
    (tmp_path / "dogs" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(DataError, match="Expected nothing at"):
        unzip(archive, tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "dogs") == {"mine.jpg": b"mine"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "dogs").mkdir()
    unzip(write_zip(tmp_path / "dogs.zip", GOOD), tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "dogs") == GOOD


def test_too_little_room_is_found_out_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3 * 4096 - 1))
    archive = write_zip(tmp_path / "dogs.zip", GOOD)
    with pytest.raises(DataError, match=r"12288 free bytes .* found 12287"):
        unzip(archive, tmp_path / "dogs", max_files=3, max_bytes=11)
    assert list(tmp_path.iterdir()) == [archive]


UNZIP = """
import sys
from pathlib import Path
from dogbreed.data.archive import unzip
from dogbreed.errors import DataError
try:
    unzip(Path(sys.argv[1]), Path(sys.argv[2]), max_files=10**6, max_bytes=10**9)
except DataError as error:
    sys.exit(str(error))
"""


def test_a_disk_that_fills_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "dogs.zip", GOOD | {"large.jpg": random.Random(1).randbytes(100_000)})
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    command = [sys.executable, "-c", limit + UNZIP, archive, tmp_path / "dogs"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert "File too large" in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [archive]


def test_a_killed_unpacking_is_never_taken_for_complete_and_is_cleaned_up(tmp_path: Path) -> None:
    members = {f"train/Akita/{number}.jpg": b"photo" for number in range(20_000)}
    archive = write_zip(tmp_path / "dogs.zip", members)
    process = subprocess.Popen([sys.executable, "-c", UNZIP, archive, tmp_path / "dogs"])
    unfinished = tmp_path / ".dogs.unpacking"
    while not (unfinished / "Akita").exists() and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "dogs").exists()
    assert unfinished.exists()
    unzip(write_zip(archive, GOOD), tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "dogs") == GOOD
    assert sorted(tmp_path.iterdir()) == [tmp_path / "dogs", archive]


def test_what_lies_in_the_way_of_the_unpacking_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.jpg").touch()
    (tmp_path / ".dogs.unpacking").symlink_to(tmp_path / "mine")
    unzip(write_zip(tmp_path / "dogs.zip", GOOD), tmp_path / "dogs", max_files=3, max_bytes=11)
    assert contents(tmp_path / "mine") == {"1.jpg": b""}
    assert contents(tmp_path / "dogs") == GOOD
