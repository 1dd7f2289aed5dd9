from __future__ import annotations

from importlib import metadata

import pytest
from packaging.requirements import Requirement

from dogbreed.errors import ConfigError
from launch.shipping.requirements import GROUPS, KEPT, OTHER_GROUPS, pinned_requirements

# Of the SageMaker image of PyTorch 2.13, from its lock file.
IMAGE = {"torch": "2.13.0", "torchvision": "0.28.0", "numpy": "2.4.3", "pillow": "12.3.0", "protobuf": "6.33.6"}
IMAGE |= {"pandas": "2.3.3"}


def names(lines: list[str]) -> list[str]:
    return [Requirement(line).name for line in lines]


def test_every_requirement_of_dogbreed_is_pinned_to_what_runs_here_or_kept_by_the_image() -> None:
    needed = {Requirement(line).name for line in metadata.requires("dogbreed") or [] if "extra ==" not in line}
    lines = pinned_requirements()
    assert set(names(lines)) | set(KEPT) == needed | set(KEPT)
    assert {"pytorch-lightning", "torchmetrics", "hydra-core"} <= set(names(lines))
    assert not set(names(lines)) & set(KEPT)
    assert names(lines) == sorted(names(lines))
    for line in lines:
        name, version = line.split("==")
        assert metadata.version(name) == version


def test_what_is_pinned_does_not_move_what_the_image_has() -> None:
    for line in pinned_requirements(GROUPS):
        for needed in map(Requirement, metadata.requires(Requirement(line).name) or []):
            if needed.name in IMAGE and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                assert needed.specifier.contains(IMAGE[needed.name]), f"{line} needs {needed}"


def test_an_optional_part_adds_what_it_needs() -> None:
    added = set(pinned_requirements(["timm", "profiler"])) - set(pinned_requirements())
    assert added == {f"{name}=={metadata.version(name)}" for name in ("timm", "psutil", "nvidia-ml-py")}


def test_every_optional_part_of_dogbreed_is_offered_or_refused() -> None:
    assert set(metadata.metadata("dogbreed").get_all("Provides-Extra") or []) == {*GROUPS, *OTHER_GROUPS}
    for group in OTHER_GROUPS:
        with pytest.raises(ConfigError, match="has no use for"):
            pinned_requirements([group])


def test_a_requirement_of_ones_own_stands_as_it_was_written() -> None:
    lines = pinned_requirements(["einops>=0.8,<1", "timm==1.0.15", "captum==0.7.0", "a @ https://host/a.whl"])
    assert {"timm==1.0.15", "captum==0.7.0", "a @ https://host/a.whl"} <= set(lines)
    assert names(lines).count("captum") == 1
    assert Requirement(next(line for line in lines if "einops" in line)).specifier == Requirement("e<1,>=0.8").specifier


def test_a_package_without_a_version_gets_the_one_that_runs_here() -> None:
    assert f"requests=={metadata.version('requests')}" in pinned_requirements(["requests"])
    assert "no-such-package-here" in pinned_requirements(["no-such-package-here"])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--index-url https://host/simple", "neither options of pip nor files"),
        ("-r other.txt", "neither options of pip nor files"),
        ("-e .", "neither options of pip nor files"),
        ("./package", "neither options of pip nor files"),
        ("timm==1.0 --hash=sha256:00", "neither options of pip nor files"),
        ("timm\n--index-url https://host", "neither options of pip nor files"),
        ("", "neither options of pip nor files"),
        ("torch==2.6", "keeps the torch of its image"),
        ("Typing_Extensions", "keeps the typing-extensions of its image"),
        ("a @ https://me:hunter2@host/a.whl", "public URL"),
        ("a @ https://host/a.whl?token=hunter2", "public URL"),
        ("a @ https://${TOKEN}.host/a.whl", "public URL"),
        ("a @ http://host/a.whl", "https"),
        ("a @ file:///home/me/a.whl", "https"),
        ("https://me:hunter2@host/a.whl", "neither options of pip nor files"),
    ],
)
def test_a_line_that_pip_should_not_be_given_is_refused_in_one_line(line: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        pinned_requirements([line])
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_what_is_not_installed_here_cannot_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = metadata.version

    def without_timm(name: str) -> str:
        if name == "timm":
            raise metadata.PackageNotFoundError
        return installed(name)

    monkeypatch.setattr(metadata, "version", without_timm)
    with pytest.raises(ConfigError, match="pip install timm>=1"):
        pinned_requirements(["timm"])
