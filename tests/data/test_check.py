from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from dogbreed.data import check as module
from dogbreed.data.check import CheckedFolder, check_folder, describe, main, usable_folder
from dogbreed.data.findings import KINDS
from dogbreed.errors import DataError
from tests.data.photo_folders import add_class, add_photo, clean_folder, noise, photo_folder


@pytest.fixture(autouse=True)
def cache_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOGBREED_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return clean_folder(tmp_path / "dogs")


def kinds(checked: CheckedFolder) -> dict[str, int]:
    return dict(Counter(finding.kind for finding in checked.findings))


def said(checked: CheckedFolder, kind: str) -> str:
    (message,) = [finding.message for finding in checked.findings if finding.kind == kind]
    return message


def used(checked: CheckedFolder) -> set[Path]:
    return {path for split in checked.folder.splits.values() for path in split.paths}


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copy(source, target))


def test_a_clean_folder_gives_no_findings(root: Path) -> None:
    checked = check_folder(root)
    assert checked.findings == ()
    assert checked.folder.class_names == ("akita", "beagle")
    assert {name: len(split) for name, split in checked.folder.splits.items()} == {"train": 11, "val": 4, "test": 4}


def test_targets_are_positions_in_the_class_names(root: Path) -> None:
    folder = check_folder(root).folder
    for split in folder.splits.values():
        for path, target in zip(split.paths, split.targets, strict=True):
            assert folder.class_names[target] == path.parent.name


def test_numbers_before_the_class_names_are_left_out(tmp_path: Path) -> None:
    few, many = {"001.Akita": 1, "002.Beagle": 1}, {"001.Akita": 5, "002.Beagle": 5}
    checked = check_folder(photo_folder(tmp_path / "dogs", {"train": many, "valid": few, "test": few}))
    assert checked.folder.class_names == ("Akita", "Beagle")
    assert kinds(checked) == {}


def test_photos_in_folders_of_a_class_folder_count(root: Path) -> None:
    nested = add_photo(root / "train" / "akita" / "puppies" / "small" / "a.png")
    checked = check_folder(root)
    assert nested in checked.folder.splits["train"].paths
    assert kinds(checked) == {}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("empty file", b""),
        ("not a photo", b"<html>Not found</html>"),
        ("not a photo", b"%PDF-1.7"),
        ("unreadable", b"RIFF\x08\x00\x00\x00WEBP\xff\xff\xff\xff"),
    ],
)
def test_a_file_that_is_no_photo_is_named_and_skipped(root: Path, kind: str, content: bytes) -> None:
    path = root / "train" / "beagle" / "bad.jpg"
    path.write_bytes(content)
    checked = check_folder(root)
    assert kinds(checked) == {kind: 1}
    assert said(checked, kind).startswith("train/beagle/bad.jpg ")
    assert checked.skipped == {path}
    assert path not in used(checked)
    assert checked.refusals == ()


def test_a_truncated_photo_is_named_and_skipped(root: Path) -> None:
    path = add_photo(root / "train" / "akita" / "bad.jpg")
    path.write_bytes(path.read_bytes()[:-500])
    checked = check_folder(root)
    assert kinds(checked) == {"truncated": 1}
    assert checked.skipped == {path}


def test_a_photo_too_large_to_decode_is_skipped(root: Path) -> None:
    path = add_photo(root / "train" / "akita" / "bomb.png", Image.new("1", (12_000, 12_000)))
    checked = check_folder(root)
    assert kinds(checked) == {"too large": 1}
    assert checked.skipped == {path}


def test_a_png_called_jpg_is_named_and_used(root: Path) -> None:
    path = root / "train" / "akita" / "really_a.jpg"
    noise().save(path, "PNG")
    checked = check_folder(root)
    assert kinds(checked) == {"wrong suffix": 1}
    assert said(checked, "wrong suffix") == "train/akita/really_a.jpg is a PNG."
    assert path in used(checked)


def test_copies_in_one_class_of_one_split_are_named_and_used(root: Path) -> None:
    path = copied(root / "train/akita/000.jpg", root / "train/akita/copy.jpg")
    checked = check_folder(root)
    assert kinds(checked) == {"copies": 1}
    assert said(checked, "copies") == "train/akita/000.jpg, train/akita/copy.jpg are the same photo."
    assert path in used(checked)


@pytest.mark.parametrize("split", ["train", "test"])
def test_all_copies_of_a_photo_in_two_classes_are_skipped(root: Path, split: str) -> None:
    add_photo(root / "train/akita/more.jpg")
    first = root / "train/akita/000.jpg"
    second = copied(first, root / split / "beagle" / "copy.jpg")
    checked = check_folder(root)
    assert kinds(checked) == {"in two classes": 1}
    assert checked.skipped == {first, second}
    assert not {first, second} & used(checked)


@pytest.mark.parametrize(("earlier", "later"), [("train", "valid"), ("train", "test"), ("valid", "test")])
def test_of_a_photo_in_two_splits_the_earlier_copy_is_skipped(root: Path, earlier: str, later: str) -> None:
    add_photo(root / earlier / "akita" / "more.jpg")
    skipped = root / earlier / "akita" / "000.jpg"
    kept = copied(skipped, root / later / "akita" / "copy.jpg")
    checked = check_folder(root)
    assert kinds(checked) == {"in two splits": 1}
    assert checked.skipped == {skipped}
    assert kept in used(checked)
    for name in (f"{earlier}/akita/000.jpg", f"{later}/akita/copy.jpg"):
        assert name in said(checked, "in two splits")


def test_of_a_photo_in_three_splits_the_test_copy_alone_is_kept(root: Path) -> None:
    for split in ("train", "valid"):
        add_photo(root / split / "akita" / "more.jpg")
        copied(root / "test/akita/000.jpg", root / split / "akita/000.jpg")
    checked = check_folder(root)
    assert checked.skipped == {root / "train/akita/000.jpg", root / "valid/akita/000.jpg"}


def test_other_files_in_class_folders_are_named(root: Path) -> None:
    (root / "train/akita/notes.txt").write_text("notes")
    (root / "valid/beagle/a.heic").write_bytes(b"heic")
    (root / "train/akita/.DS_Store").write_bytes(b"")
    (root / "README.md").write_text("about")
    assert kinds(check_folder(root)) == {"other file": 2}


def test_photos_without_a_class_are_named_and_ignored(root: Path) -> None:
    loose = {add_photo(root / "a.jpg"), add_photo(root / "train" / "b.jpg")}
    checked = check_folder(root)
    assert kinds(checked) == {"no class": 2}
    assert not loose & used(checked)


def test_hidden_and_stray_folders_are_named_and_ignored(root: Path) -> None:
    strays = [".ipynb_checkpoints", "train/.ipynb_checkpoints", "train/akita/.ipynb_checkpoints", "old"]
    for stray in strays:
        add_class(root / stray, 1)
    checked = check_folder(root)
    assert kinds(checked) == {"ignored folder": 4}
    assert checked.folder.class_names == ("akita", "beagle")
    assert len(used(checked)) == 19


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_class_missing_in_a_split_is_named(root: Path, split: str) -> None:
    shutil.rmtree(root / split / "akita")
    checked = check_folder(root)
    assert kinds(checked) == {"missing class": 1}
    assert said(checked, "missing class").startswith("akita ")
    assert checked.folder.class_names == ("akita", "beagle")


def test_a_class_that_train_does_not_have_is_refused(root: Path) -> None:
    add_class(root / "test" / "corgi", 2)
    checked = check_folder(root)
    assert kinds(checked) == {"unknown class": 1}
    assert [finding.kind for finding in checked.refusals] == ["unknown class"]


def test_an_empty_class_folder_in_train_is_refused(root: Path) -> None:
    for split in ("train", "valid", "test"):
        add_class(root / split / "corgi", 0 if split == "train" else 1)
    checked = check_folder(root)
    assert kinds(checked) == {"empty class": 1}
    assert said(checked, "empty class") == "train/corgi has no photo."


def test_a_class_whose_photos_are_all_elsewhere_is_refused(root: Path) -> None:
    for photo in (root / "train" / "akita").iterdir():
        copied(photo, root / "test" / "akita" / f"copy {photo.name}")
    assert kinds(check_folder(root)) == {"empty class": 1, "in two splits": 5}


def test_a_class_mostly_unreadable_is_refused(root: Path) -> None:
    for photo in (root / "train" / "akita").iterdir():
        photo.write_bytes(b"")
    checked = check_folder(root)
    assert kinds(checked) == {"mostly unreadable": 1, "empty file": 5}
    assert said(checked, "mostly unreadable") == "5 of the 9 photos of akita cannot be used."


def test_a_class_of_few_training_photos_is_named(root: Path) -> None:
    (root / "train/akita/000.jpg").unlink()
    checked = check_folder(root)
    assert kinds(checked) == {"few photos": 1}
    assert said(checked, "few photos") == "akita has 4 for training."


def test_one_class_is_refused(tmp_path: Path) -> None:
    checked = check_folder(add_class(tmp_path / "dogs" / "akita", 6).parent)
    assert kinds(checked) == {"one class": 1}


def test_a_folder_around_the_folder_meant_is_pointed_out(root: Path) -> None:
    checked = check_folder(root.parent)
    assert kinds(checked) == {"one class": 1}
    assert said(checked, "one class").endswith(f"the folder meant may be {root}.")


def test_split_folders_in_capitals_are_not_taken_for_classes(tmp_path: Path) -> None:
    few = {"akita": 5, "beagle": 5}
    checked = check_folder(photo_folder(tmp_path / "dogs", {"Train": few, "Test": few}))
    assert kinds(checked) == {"splits as classes": 1}


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dogs" / "train" / "akita").mkdir(parents=True)
    checked = check_folder(tmp_path / "dogs")
    assert kinds(checked) == {"no photos": 1}
    assert checked.folder.class_names == ("akita",)


def test_splits_without_a_training_folder_are_refused(root: Path) -> None:
    shutil.rmtree(root / "train")
    assert kinds(check_folder(root)) == {"no training folder": 1}
    (root / "train").mkdir()
    assert said(check_folder(root), "no training folder") == "There is train, but it has no class folder."


def test_classes_that_would_share_a_name_keep_their_folders_names(tmp_path: Path) -> None:
    folders = ("001.Akita", "002.Beagle", "003.Akita")
    splits = {split: dict.fromkeys(folders, 5) for split in ("train", "valid", "test")}
    checked = check_folder(photo_folder(tmp_path / "dogs", splits))
    assert checked.folder.class_names == ("001.Akita", "Beagle", "003.Akita")
    assert kinds(checked) == {"same name": 2}


@pytest.mark.parametrize(("folder", "split"), [("valid", "val"), ("test", "test")])
def test_a_split_without_a_folder_is_taken_from_train_and_said(root: Path, folder: str, split: str) -> None:
    for number in range(30):
        add_photo(root / "train" / "akita" / f"more {number}.jpg")
        add_photo(root / "train" / "beagle" / f"more {number}.jpg")
    shutil.rmtree(root / folder)
    checked = check_folder(root)
    assert kinds(checked) == {"taken from train": 1}
    assert "7 photos of train" in said(checked, "taken from train")
    assert {path.parts[-3] for path in checked.folder.splits[split].paths} == {"train"}
    assert len(checked.folder.splits["train"]) == 64


def test_a_split_folder_of_nothing_usable_is_taken_from_train(root: Path) -> None:
    add_class(root / "train" / "akita", 20)
    for photo in (root / "valid").rglob("*.jpg"):
        photo.write_bytes(b"")
    assert kinds(check_folder(root))["taken from train"] == 1


def test_a_single_folder_is_split_and_said(tmp_path: Path) -> None:
    root = tmp_path / "dogs"
    for name in ("akita", "beagle"):
        add_class(root / name, 20)
    checked = check_folder(root)
    assert kinds(checked) == {"split here": 1}
    assert {name: len(split) for name, split in checked.folder.splits.items()} == {"train": 32, "val": 4, "test": 4}
    assert check_folder(root).folder == checked.folder
    assert check_folder(root, seed=1).folder != checked.folder


def test_copies_in_a_single_folder_come_into_one_split(tmp_path: Path) -> None:
    root = tmp_path / "dogs"
    for name in ("akita", "beagle"):
        for photo in list(add_class(root / name, 12).iterdir()):
            copied(photo, photo.with_name(f"copy {photo.name}"))
    contents = [{path.read_bytes() for path in split.paths} for split in check_folder(root).folder.splits.values()]
    assert sum(map(len, contents)) == len(set.union(*contents)) == 24


def test_too_few_photos_to_split_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "dogs"
    for name in ("akita", "beagle"):
        add_class(root / name, 2)
    assert kinds(check_folder(root)) == {"empty split": 2, "few photos": 2, "split here": 1}


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("dark", noise().point(lambda value: value // 8)),
        ("light", noise().point(lambda value: 243 + value // 20)),
        ("blank", Image.new("RGB", (80, 80), "grey")),
        ("blurred", noise(20, 20).resize((300, 300), Image.Resampling.BICUBIC)),
        ("grey", noise().convert("L")),
        ("odd shape", noise(400, 80)),
        ("tiny", noise(60, 60)),
    ],
)
def test_a_photo_of_poor_quality_is_hinted_at_and_used(root: Path, kind: str, image: Image.Image) -> None:
    path = add_photo(root / "train" / "akita" / "poor.png", image)
    checked = check_folder(root)
    assert kinds(checked) == {kind: 1}
    assert checked.of("hint")[0].paths == (path,)
    assert path in used(checked)


@pytest.mark.parametrize("side", [70, 400])
def test_a_photo_of_another_size_than_the_others_is_hinted_at_and_used(tmp_path: Path, side: int) -> None:
    root = tmp_path / "dogs"
    for number in range(40):
        add_photo(root / ("akita", "beagle")[number % 2] / f"{number}.png", noise(200 + number % 7, 190))
    path = add_photo(root / "akita" / "odd.png", noise(side, side))
    checked = check_folder(root)
    assert kinds(checked) == {"split here": 1, "odd size": 1}
    assert said(checked, "odd size") == f"akita/odd.png ({side} x {side})"
    assert path in used(checked)


def test_grey_photos_among_grey_photos_are_not_hinted_at(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    for number in range(40):
        photo = noise().convert("L") if number < 30 else noise()
        add_photo(root / ("sound", "cracked")[number % 2] / f"{number}.png", photo)
    assert kinds(check_folder(root)) == {"split here": 1}


def test_the_contents_are_the_hashes_of_the_photos_that_are_used(root: Path) -> None:
    (root / "train/akita/bad.jpg").write_bytes(b"")
    checked = check_folder(root)
    assert checked.contents.keys() == used(checked)
    for path, content in checked.contents.items():
        assert content == hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_kind_of_finding_is_planted_in_a_test() -> None:
    planted = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in planted] == []


@pytest.mark.parametrize("where", ["missing", "empty", "file"])
def test_a_folder_that_is_no_folder_is_an_error(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=str(tmp_path / where)):
        check_folder(tmp_path / where)


def test_a_second_check_finds_the_same(root: Path) -> None:
    (root / "train/akita/bad.jpg").write_bytes(b"")
    assert check_folder(root) == check_folder(root)


def test_the_cache_lies_where_it_is_asked_for(root: Path, tmp_path: Path) -> None:
    check_folder(root, cache_dir=tmp_path / "mine")
    assert len(list((tmp_path / "mine").iterdir())) == 1
    assert not (tmp_path / "cache").exists()


def test_the_description_tells_of_the_splits_and_closes_with_the_verdict(root: Path) -> None:
    lines = describe(check_folder(root)).splitlines()
    assert lines[0] == f"{root}: 19 photos of 2 classes"
    assert " ".join(lines[1].split()) == "train 11 photos, 2 classes, smallest: akita (5)"
    assert lines[-1] == "This folder can be trained on."


def test_the_description_puts_the_most_severe_first(root: Path) -> None:
    add_class(root / "train" / "corgi", 0)
    (root / "train/akita/bad.jpg").write_bytes(b"")
    (root / "train/akita/notes.txt").touch()
    add_photo(root / "train/akita/tiny.png", noise(40, 40))
    text = describe(check_folder(root))
    headings = [text.index(heading) for heading in ("REFUSED", "SKIPPED", "WARNINGS", "HINTS")]
    assert headings == sorted(headings)
    assert text.endswith("This folder cannot be trained on: 1 problem.")


def test_the_description_names_the_first_few_and_counts_the_rest(root: Path) -> None:
    for number in range(22):
        (root / "train/akita" / f"{number}.txt").touch()
    checked = check_folder(root)
    assert "… and 17 more: --all" in describe(checked)
    assert describe(checked).count(".txt") == 5
    assert describe(checked, every=True).count(".txt") == 22


def test_the_name_of_a_file_cannot_break_the_lines(root: Path) -> None:
    (root / "train/akita" / "a\n\x1b[31mb.jpg").touch()
    assert r"train/akita/a\n\x1b[31mb.jpg is empty." in describe(check_folder(root))


def test_the_command_answers_with_its_exit_status(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(root)]) == 0
    add_class(root / "test" / "corgi", 1)
    assert main([str(root), "--all"]) == 1
    assert capsys.readouterr().out.endswith("This folder cannot be trained on: 1 problem.\n")


def test_the_command_says_in_one_line_what_is_wrong_with_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "missing")]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1


def test_the_command_writes_everything_found_as_json(root: Path, tmp_path: Path) -> None:
    path = root / "train/akita/bad.jpg"
    path.write_bytes(b"")
    assert main([str(root), "--json", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["can_be_trained_on"] is True
    assert report["photos"]["train"] == {"akita": 5, "beagle": 6}
    (finding,) = report["findings"]
    assert (finding["kind"], finding["severity"], finding["paths"]) == ("empty file", "skip", [str(path)])


def test_a_report_that_cannot_be_written_is_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(root), "--json", str(root / "train")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_an_interrupted_command_exits_with_130(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "scan", interrupted)
    assert main([str(root)]) == 130


def test_the_command_runs_as_a_module_without_torch(root: Path) -> None:
    program = "import sys, dogbreed.data.check as check; check.main(sys.argv[1:]); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program, str(root)], check=True, capture_output=True)
    helped = subprocess.run(
        [sys.executable, "-m", "dogbreed.data.check", "--help"], check=True, capture_output=True, text=True
    )
    assert "--json FILE" in helped.stdout


def test_a_split_that_is_left_out_is_neither_drawn_nor_missed(tmp_path: Path) -> None:
    whole = photo_folder(tmp_path / "dogs", {"train": {"akita": 6, "beagle": 6}, "valid": {"akita": 2, "beagle": 2}})
    assert kinds(check_folder(whole))["taken from train"] == 1
    checked = usable_folder(whole, left_out=["test"])
    assert kinds(checked) == {}
    assert {split: len(photos) for split, photos in checked.folder.splits.items()} == {"train": 12, "val": 4, "test": 0}


def test_a_folder_that_cannot_be_trained_on_is_not_usable(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="For all of it: python -m"):
        usable_folder(photo_folder(tmp_path / "dogs", {"train": {"akita": 6}, "valid": {"akita": 2}}))
