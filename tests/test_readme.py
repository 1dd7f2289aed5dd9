"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from dogbreed.train import quiet
from tests.drawn_photos import draw_folder

README = (Path(__file__).parent.parent / "README.md").read_text()
# What makes the README's run one of seconds, without a network.
SMALLER = {
    'backbone="resnet50"': 'backbone="shufflenet_v2_x0_5", weights=None, image_size=32',
    "max_epochs=5": 'max_epochs=1, accelerator="cpu"',
}


def python_block(part: str) -> str:
    (block,) = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if part in code]
    return str(block)


def test_the_example_for_other_code_trains_and_leaves_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_folder(tmp_path / "photos")
    code = python_block("DogBreedDataModule")
    for shown, smaller in SMALLER.items():
        assert shown in code
        code = code.replace(shown, smaller)
    quiet()
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "run" / "model" / "model.json").exists()

    photo = next((tmp_path / "photos" / "test").rglob("*.png"))
    code = python_block("BreedPredictor").replace("outputs/…/model", "run/model").replace("photo.jpg", str(photo))
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102


def test_every_setting_that_the_readme_names_exists() -> None:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from dogbreed.composed_run import CONF

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train")
    named = set(re.findall(r"`((?:model|data|trainer|callbacks|paths)\.(?!json|safetensors)\w+)", README))
    assert len(named) > 10
    missing = [name for name in named if OmegaConf.select(config, name, default="nowhere") == "nowhere"]
    assert missing == []


def test_the_space_that_the_readme_shows_can_be_searched(tmp_path: Path) -> None:
    from hydra import compose, initialize_config_dir

    from dogbreed.composed_run import CONF
    from dogbreed.composed_study import composed_search

    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    (conf / "search" / "mine.yaml").write_text(shown)
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose("tune", ["search=mine", "data=folder", "data.root=photos", "model.weights=null"])
    assert list(composed_search(config).space) == ["model.learning_rate", "model.hidden", "trainer.max_epochs"]
