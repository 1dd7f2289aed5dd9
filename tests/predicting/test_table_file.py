"""Answers to a file: a real process is killed in the middle, the same command goes on."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dogbreed import predict
from dogbreed.command_line import run_command
from dogbreed.data.lock import locked
from dogbreed.predicting import table_file
from dogbreed.predicting.answering import answers
from dogbreed.predicting.journal import Journal
from dogbreed.predicting.opening import AHEAD
from dogbreed.predictor import BreedPredictor
from tests.data.photo_folders import add_photo, noise
from tests.trained_models import save_small

Typed = Callable[..., tuple[int, str, str]]
BATCH = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven photos, of which one cannot be read."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(10):
        add_photo(folder / "ab"[number % 2] / f"{number}.png", noise(40, 36, seed=number))
    (folder / "a" / "broken, or not.png").write_bytes(b"")
    return folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path) -> Typed:
    """The command in this process, from a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predict, "keep_freed_memory", lambda: True)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["predict", f"model={model}", f"batch_size={BATCH}", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(predict.main)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def interrupted(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """The command, ended after two batches as Ctrl-C does it."""

    def run(*arguments: object) -> tuple[int, str, str]:
        def two(*given: object, **options: object) -> Iterator[object]:
            yield from itertools.islice(answers(*given, **options), 2)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("dogbreed.predicting.answering.answers", two)
            return typed(*arguments)

    return run


def test_a_table_has_a_row_a_photo_in_the_folders_order_and_says_what_could_not_be_read(
    typed: Typed, photos: Path, model: Path, tmp_path: Path
) -> None:
    status, out, err = typed(photos, "--out", "predictions.csv", "top_k=2")
    assert (status, out) == (1, "predictions.csv: 11 photos\n")
    assert err == "error: 1 of 11 photos could not be read; the column error says why.\n"
    with (tmp_path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "label", "probability", "label_2", "probability_2", "error"]
    assert [row["file"] for row in rows] == [str(path) for path in sorted(photos.rglob("*.png"))]
    (broken,) = (row for row in rows if row["error"])
    assert "broken, or not.png is empty" in broken["error"] and not broken["label"]
    first = BreedPredictor.load(model).predict(rows[0]["file"])
    assert (rows[0]["label"], rows[0]["label_2"]) == (first[0].name, first[1].name)
    assert float(rows[0]["probability"]) == pytest.approx(first[0].probability, abs=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]


def test_a_table_of_lines_of_json_holds_what_is_printed(typed: Typed, photos: Path, tmp_path: Path) -> None:
    status, _, _ = typed(photos / "b", "--out=answers.jsonl")
    assert status == 0
    assert (tmp_path / "answers.jsonl").read_text() == typed(photos / "b", "format=json")[1]


def test_a_table_in_parquet_has_the_same_columns(typed: Typed, photos: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    typed(photos, "out=predictions.csv")
    typed(photos, "out=predictions.parquet")
    with Path("predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = parquet.read_table("predictions.parquet").to_pylist()
    assert [list(row) for row in table] == [list(row) for row in rows]
    for row, expected in zip(table, rows, strict=True):
        assert {name: f"{value:.6f}" if isinstance(value, float) else value or "" for name, value in row.items()} == (
            expected
        )


def test_parquet_without_its_library_is_told_with_what_installs_it(
    typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, _, err = typed(photos, "out=predictions.parquet")
    assert (status, 'pip install -e ".[parquet]"' in err, err.count("\n")) == (1, True, 1)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_command_that_was_interrupted_goes_on_and_leaves_what_it_would_have_left(
    interrupted: Typed, typed: Typed, photos: Path, tmp_path: Path, suffix: str
) -> None:
    typed(photos, f"out=whole.{suffix}")
    assert interrupted(photos, f"out=parts.{suffix}")[0] == 130
    partial = tmp_path / f"parts.{suffix}.partial"
    # A crash can cut the last line off.
    partial.write_bytes(partial.read_bytes()[:-7])
    _, out, err = typed(photos, f"out=parts.{suffix}")
    assert "parts." in out
    assert "4 of 11 photos are answered already" in err
    assert (tmp_path / f"parts.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert not partial.exists()


def test_a_process_that_is_killed_in_the_middle_is_gone_on_with(
    typed: Typed, photos: Path, model: Path, tmp_path: Path
) -> None:
    arguments = [f"model={model}", "batch_size=1", str(photos), "out=killed.csv", "top_k=3"]
    partial = tmp_path / "killed.csv.partial"
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, *arguments], cwd=tmp_path, stderr=subprocess.PIPE)
    limit = time.monotonic() + 120
    while not partial.exists() or partial.read_bytes().count(b"\n") < 4:
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = partial.read_bytes().count(b"\n") - 1
    assert 3 <= kept < 11 and not (tmp_path / "killed.csv").exists()
    status, _, err = typed(*arguments[1:])
    assert (status, f"{kept} of 11 photos are answered already" in err) == (1, True)
    typed("batch_size=1", photos, "out=whole.csv", "top_k=3")
    assert (tmp_path / "killed.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


# The command, with a pause after each photo.
SLOWLY = """
import time
from dogbreed import predict
from dogbreed.command_line import run_command
from dogbreed.predicting import answering
asked = answering.answers
def slowly(*given, **options):
    for batch in asked(*given, **options):
        yield batch
        time.sleep(0.2)
answering.answers = slowly
run_command(predict.main)
"""


@pytest.mark.parametrize(
    ("changes", "named"), [(["top_k=2"], "top_k"), (["tta=true"], "tta"), (["batch_size=3"], "batch_size")]
)
def test_what_another_command_has_begun_is_thrown_away_only_where_that_is_asked_for(
    interrupted: Typed, typed: Typed, photos: Path, tmp_path: Path, changes: list[str], named: str
) -> None:
    interrupted(photos, "out=a.csv")
    status, out, err = typed(photos, "out=a.csv", *changes)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"a.csv.partial holds answers of another command (other {named})" in err
    assert typed(photos, "out=a.csv", "overwrite=true", *changes)[1] == "a.csv: 11 photos\n"
    typed(photos, "out=b.csv", *changes)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_another_model_does_not_go_on_with_the_answers_of_the_first(
    interrupted: Typed, typed: Typed, photos: Path, tmp_path: Path
) -> None:
    save_small(tmp_path / "other", seed=1)
    interrupted(photos, "out=a.csv")
    assert "(other model)" in typed(photos, "out=a.csv", f"model={tmp_path / 'other'}")[2]


def test_photos_that_came_or_went_meanwhile_are_answered_as_they_are_now(
    interrupted: Typed, typed: Typed, tmp_path: Path
) -> None:
    for number in range(9):
        add_photo(tmp_path / "few" / f"{number}.png", noise(40, 36, seed=number))
    interrupted("few", "out=a.csv")
    (tmp_path / "few" / "6.png").rename(tmp_path / "few" / "51.png")
    status, _, err = typed("few", "out=a.csv")
    assert (status, "4 of 9 photos are answered already; the others were about photos" in err) == (0, True)
    typed("few", "out=b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_table_that_is_there_is_replaced_only_where_that_is_asked_for(typed: Typed, photos: Path) -> None:
    Path("a.csv").write_text("mine")
    status, out, err = typed(photos, "out=a.csv")
    assert (status, out) == (1, "")
    assert err == "error: a.csv is there already: give another out=, or overwrite=true to replace it.\n"
    assert Path("a.csv").read_text() == "mine"
    assert typed(photos, "out=a.csv", "--overwrite")[1] == "a.csv: 11 photos\n"


def test_a_command_that_ended_while_it_wrote_the_table_writes_it_again(
    typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("dogbreed.predicting.journal.Journal.remove", lambda _: None)
        typed(photos, "out=a.csv")
    before = Path("a.csv").read_bytes()
    monkeypatch.setattr("dogbreed.predicting.answering.answers", lambda *given, **options: 1 / 0)
    assert typed(photos, "out=a.csv")[1] == "a.csv: 11 photos\n"
    assert (Path("a.csv").read_bytes(), Path("a.csv.partial").exists()) == (before, False)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    for number in range(9):
        add_photo(tmp_path / "few" / f"{number}.png", noise(40, 36, seed=number))
    return tmp_path / "few"


@pytest.fixture
def finished(typed: Typed, few: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a command that ended between its last answer and its table."""
    with monkeypatch.context() as patch:
        patch.setattr("dogbreed.predicting.journal.Journal.remove", lambda _: None)
        typed("few", "out=a.csv")
    Path("a.csv").unlink()
    return Path("a.csv.partial")


def _added(few: Path, _: Path) -> None:
    add_photo(few / "99.png", noise(40, 36, seed=99))


def _overwritten(few: Path, _: Path) -> None:
    add_photo(few / "6.png", noise(44, 36, seed=99))


def _damaged(_: Path, journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:6], b"{}" + lines[6], *lines[7:]]))


@pytest.mark.parametrize(("happens", "kept"), [(_added, "8 of 10"), (_overwritten, "4 of 9"), (_damaged, "4 of 9")])
def test_a_finished_journal_counts_for_the_photos_that_it_is_about_and_no_others(
    typed: Typed, few: Path, finished: Path, happens: Callable[[Path, Path], None], kept: str
) -> None:
    happens(few, finished)
    status, _, err = typed("few", "out=a.csv")
    assert (status, f"{kept} photos are answered already" in err) == (0, True)
    typed("few", "out=b.csv")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_no_table_is_written_that_lacks_answers(
    typed: Typed, few: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Journal.rows
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "rows", lambda journal: itertools.islice(rows(journal), 5))
        status, _, err = typed("few", "out=a.csv")
    assert (status, Path("a.csv").exists(), finished.exists()) == (1, False, True)
    assert "Expected 9 answers in a.csv.partial, 5 can be read" in err
    assert typed("few", "out=a.csv")[1] == "a.csv: 9 photos\n"


def test_the_same_words_in_another_folder_are_another_command(
    interrupted: Typed, typed: Typed, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"out={tmp_path / 'a.csv'}"
    interrupted("few", out)
    (tmp_path / "x").mkdir()
    few.rename(tmp_path / "x" / "few")
    monkeypatch.chdir(tmp_path / "x")
    assert "holds answers of another command (other photos)" in typed("few", out)[2]


def test_two_processes_do_not_write_one_table(typed: Typed, photos: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "a.csv.partial"):
        assert "Another process is writing a.csv" in typed(photos, "out=a.csv")[2]


def test_a_disk_that_is_full_is_told_and_what_was_answered_is_kept(typed: Typed, photos: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        status, _, err = typed(photos, "out=a.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (status, err.count("\n")) == (1, 1)
    assert "Expected to write a.jsonl, but: File too large. What is answered is kept in a.jsonl.partial" in err
    _, out, err = typed(photos, "out=a.jsonl")
    assert (out, "4 of 11 photos are answered already" in err) == ("a.jsonl: 11 photos\n", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out=a.txt"], "Expected out to end in .csv, .jsonl, .parquet, got a.txt."),
        (["out=none/a.csv"], "Expected the folder of out=none/a.csv to be there: mkdir -p none"),
        (["--out"], "Expected a value after --out."),
        (["out=a.csv", "format=json"], "format= and explain= go with answers that are printed"),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line(
    typed: Typed, photos: Path, arguments: list[str], message: str
) -> None:
    status, out, err = typed(photos, *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert message in err


def test_a_photo_whose_name_is_not_text_has_a_row_in_every_format(typed: Typed, tmp_path: Path) -> None:
    add_photo(tmp_path / os.fsdecode(b"odd/\xff,\n.png"))
    add_photo(tmp_path / "odd" / "\r.png")
    for out in ("a.csv", "a.jsonl"):
        assert typed("odd", f"out={out}")[0] == 0
    with Path("a.csv").open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["odd/\r.png", "odd/\\udcff,\n.png"]
    told = [json.loads(line)["file"] for line in Path("a.jsonl").read_text().splitlines()]
    assert told == ["odd/\r.png", os.fsdecode(b"odd/\xff,\n.png")]
    printed = io.StringIO(typed("odd", "format=csv", "top_k=1")[1], newline="")
    assert next(csv.DictReader(printed))["file"] == "odd/\r.png"


def test_photos_are_listed_and_opened_only_a_little_ahead(model: Path, photos: Path) -> None:
    taken, predictor = list[Path](), BreedPredictor.load(model)

    def endless() -> Iterator[Path]:
        for path in itertools.cycle(photos.rglob("*.png")):
            taken.append(path)
            yield path

    asked = answers(predictor, endless(), top_k=1, batch_size=BATCH)
    for batch in range(1, 6):
        next(asked)
        assert len(taken) <= (batch + AHEAD) * BATCH
    asked.close()  # type: ignore[attr-defined]


def test_the_bar_counts_what_was_answered_before(
    interrupted: Typed, typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, bar = list[dict[str, object]](), table_file.tqdm
    monkeypatch.setattr(table_file, "tqdm", lambda **given: made.append(given) or bar(**given))
    interrupted(photos, "out=a.csv")
    typed(photos, "out=a.csv")
    assert [(one["initial"], one["total"]) for one in made] == [(0, 11), (8, 11)]
