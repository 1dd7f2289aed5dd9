"""`code/` beside a model: what SageMaker's inference containers run."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from dogbreed.atomic import write_text

PACKAGE = Path(__file__).parent.parent
INFERENCE = '''"""What SageMaker's inference containers call."""

from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
'''


def write_code(folder: Path, backbone: str) -> None:
    """Write the handler's entry, the package itself, and the little that the containers' images lack.

    Args:
        folder: made if it is not there.
        backbone: of the model; decides whether timm is needed.
    """
    lacking = ["safetensors", *(["timm"] if backbone.startswith("timm/") else [])]
    write_text(folder / "inference.py", INFERENCE)
    write_text(folder / "requirements.txt", "".join(f"{name}=={version(name)}\n" for name in lacking))
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, dirs_exist_ok=True, ignore=ignored)
