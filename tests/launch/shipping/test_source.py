from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from launch.shipping.source import CHECKOUT, archive_sha256, source_archive

RUN = {"overrides": ["data=folder", "model.backbone=resnet50"], "trial": False}
# Written so that no scanner of this repository takes them for real.
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"


@pytest.fixture(scope="module")
def archive() -> bytes:
    return source_archive(RUN, ["timm==1.0.15", "captum==0.8.0"])


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        return {member.name: opened.read() for member in file if (opened := file.extractfile(member))}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small project, as a checkout has it."""
    for name in ("dogbreed/__init__.py", "dogbreed/data/folder.py", "conf/train.yaml", "setup.py", "pyproject.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return tmp_path


def refuses(root: Path, name: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        source_archive(RUN, [], root=root)
    assert name in str(caught.value)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_archive_has_the_project_and_what_the_run_is(archive: bytes) -> None:
    found = members(archive)
    assert json.loads(found["run.json"]) == RUN
    assert found["requirements.txt"] == b"timm==1.0.15\ncaptum==0.8.0\n"
    assert found["dogbreed/container.py"] == (CHECKOUT / "dogbreed" / "container.py").read_bytes()
    assert found["conf/train.yaml"] == (CHECKOUT / "conf" / "train.yaml").read_bytes()
    assert {name.split("/")[0] for name in found} == {
        "dogbreed",
        "conf",
        "run.json",
        "requirements.txt",
        "container_entry.py",
    }
    suffixes = {name.rsplit(".", 1)[1] for name in found}
    assert {"py", "yaml", "jinja", "css", "js"} <= suffixes
    assert "pyc" not in suffixes


def test_the_unpacked_archive_is_the_package_with_its_configuration_and_a_script_that_starts_it(
    archive: bytes, tmp_path: Path
) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        file.extractall(tmp_path, filter="data")
    asked = "import dogbreed.composed_run as c; print(c.CONF, (c.CONF / 'train.yaml').is_file())"
    found = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(tmp_path / "conf"), "True"]
    entry = (tmp_path / "container_entry.py").read_text()
    assert "from dogbreed.container import main" in entry
    compile(entry, "container_entry.py", "exec")


def test_the_same_contents_are_the_same_bytes_whatever_the_disk_says_of_them(root: Path, tmp_path: Path) -> None:
    first = source_archive(RUN, ["a==1"], root=root)
    other = shutil.copytree(root, tmp_path / "elsewhere" / "project")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    (other / "dogbreed" / "__pycache__").mkdir()
    (other / "dogbreed" / "__pycache__" / "folder.cpython-311.pyc").write_bytes(b"x")
    (other / "dogbreed" / ".DS_Store").write_bytes(b"x")
    assert source_archive(dict(reversed(RUN.items())), ["a==1"], root=other) == first
    assert archive_sha256(first) != archive_sha256(source_archive(RUN, ["a==2"], root=root))


def test_the_archive_says_nothing_of_who_made_it_and_when(archive: bytes) -> None:
    # RFC 1952: no flags (no name), no time.
    assert archive[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as file:
        about = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in file}
    assert about == {(0, 0, 0, "", "", 0o644, tarfile.REGTYPE)}


def test_configuration_inside_an_installed_package_comes_out_beside_it(root: Path) -> None:
    beside = source_archive(RUN, [], root=root)
    (root / "conf").rename(root / "dogbreed" / "conf")
    assert source_archive(RUN, [], root=root) == beside
    assert sorted(members(beside)) == [
        "conf/train.yaml",
        "container_entry.py",
        "dogbreed/__init__.py",
        "dogbreed/data/folder.py",
        "requirements.txt",
        "run.json",
    ]


@pytest.mark.parametrize(
    "name", [".env", "prod.env", "credentials", "credentials.json", "server.pem", "TLS.KEY", "id_rsa", "id_ed25519.pub"]
)
def test_a_file_called_like_a_secret_is_refused_by_name(root: Path, name: str) -> None:
    (root / "dogbreed" / "data" / name).write_text("")
    refuses(root, f"data/{name}", "whose name is that of a secret")


def test_a_secret_in_a_hidden_folder_is_refused_too(root: Path) -> None:
    (root / "conf" / ".aws").mkdir()
    (root / "conf" / ".aws" / "credentials").write_text("")
    refuses(root, "conf/.aws/credentials", "secret")


def test_a_secret_beside_what_is_shipped_stays_there(root: Path) -> None:
    (root / ".env").write_text("PASSWORD=hunter2")
    assert b"hunter2" not in gzip.decompress(source_archive(RUN, [], root=root))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"key = '{AWS_KEY}'", "an AWS access key"),
        ("aws_secret_access_key = " + "a1/B" * 10, "an AWS secret key"),
        ("-----BEGIN " + "OPENSSH PRIVATE KEY-----", "a private key"),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
        ("hf_" + "aB" * 17, "a Hugging Face token"),
        ("https://user:" + "hunter2@host/x", "a password in a URL"),
    ],
)
def test_a_file_that_holds_a_secret_is_refused_without_repeating_it(root: Path, text: str, what: str) -> None:
    (root / "conf" / "train.yaml").write_text(f"a: 1\nb: {text}\n")
    refuses(root, "conf/train.yaml", what)
    with pytest.raises(ConfigError) as caught:
        source_archive(RUN, [], root=root)
    assert text[-12:] not in str(caught.value)


def test_a_secret_among_the_settings_or_the_requirements_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"an AWS access key in 'run\.json'"):
        source_archive({"overrides": [f"data.key={AWS_KEY}"]}, [], root=root)
    with pytest.raises(ConfigError, match=r"a password in a URL in 'requirements\.txt'"):
        source_archive(RUN, ["a @ https://me:" + "pass@host/a.whl"], root=root)


def test_a_large_file_is_refused_by_name(root: Path) -> None:
    (root / "dogbreed" / "weights.bin").write_bytes(bytes((1 << 20) + 1))
    refuses(root, "dogbreed/weights.bin", "larger than 1 MiB")


def test_many_files_that_are_large_together_are_refused_and_the_largest_named(root: Path) -> None:
    for number in range(11):
        (root / "dogbreed" / f"{number}.bin").write_bytes(bytes((1 << 20) - (number != 7)))
    refuses(root, "dogbreed/7.bin", "10 MiB in all")


@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "folder.py", "missing"])
def test_a_link_is_refused_by_name_wherever_it_leads(root: Path, target: str) -> None:
    (root / "dogbreed" / "data" / "elsewhere").symlink_to(target)
    refuses(root, "dogbreed/data/elsewhere", "link")


def test_a_named_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "conf" / "pipe")
    refuses(root, "conf/pipe", "special file")


def test_a_name_that_cannot_be_printed_is_refused(root: Path) -> None:
    (root / "conf" / "a\nb.yaml").write_text("")
    refuses(root, "conf/a\\nb.yaml", "cannot hold")


def test_settings_that_json_cannot_write_are_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="JSON"):
        source_archive({"overrides": {1, 2}}, [], root=root)


def test_a_folder_without_the_project_is_refused(tmp_path: Path) -> None:
    refuses(tmp_path, "dogbreed", "found none")
