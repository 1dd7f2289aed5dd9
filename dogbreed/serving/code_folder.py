"""`code/` beside a model: what SageMaker's inference containers run."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from dogbreed.atomic import write_text

PACKAGE = Path(__file__).parent.parent
INFERENCE = '''"""What SageMaker's inference containers call."""

from dogbreed.serving.torchserve import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
'''
RAY = '''"""What Ray Serve runs in SageMaker's container for it: SM_RAYSERVE_APP=ray_app:app."""

import os
from pathlib import Path

from dogbreed.serving.ray_deployment import application

app = application(Path(__file__).parents[1], os.environ)
'''


def write_code(folder: Path, backbone: str) -> None:
    """Write the entries of both servers, the package itself, and the little that the containers' images lack.

    Args:
        folder: made if it is not there.
        backbone: of the model; decides whether timm is needed.
    """
    lacking = ["safetensors", *(["timm"] if backbone.startswith("timm/") else [])]
    write_text(folder / "inference.py", INFERENCE)
    write_text(folder / "ray_app.py", RAY)
    write_text(folder / "requirements.txt", "".join(f"{name}=={version(name)}\n" for name in lacking))
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, dirs_exist_ok=True, ignore=ignored)
