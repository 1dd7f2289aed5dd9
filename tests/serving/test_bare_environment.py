"""What the inference containers' images hold is enough to answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.data.photo_folders import noise
from tests.trained_models import save_small

MISSING = """
    boto3 captum cleanlab hydra jinja2 lightning_fabric matplotlib omegaconf onnx onnxruntime onnxscript openvino optuna
    pandas plotly psutil pyarrow pytorch_lightning scipy sklearn smdebug starlette tensorboard timm torchmetrics tqdm
    uvicorn
"""
ANSWER = """
import json, sys
missing, model, photo = json.loads(sys.argv[1]), *sys.argv[2:]
sys.modules.update(dict.fromkeys(missing))
from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn
answers = predict_fn(input_fn(open(photo, "rb").read(), "image/jpeg"), model_fn(model))
print([output_fn(answers, accept)[1] for accept in ("application/json", "text/csv", "application/x-npy")])
"""


def test_a_photo_is_answered_with_nothing_but_torch_torchvision_numpy_pillow_and_safetensors(tmp_path: Path) -> None:
    save_small(tmp_path / "model")
    noise(61, 45, seed=1).save(tmp_path / "a.jpg")
    command = [
        sys.executable,
        "-c",
        ANSWER,
        json.dumps(MISSING.split()),
        str(tmp_path / "model"),
        str(tmp_path / "a.jpg"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "['application/json', 'text/csv', 'application/x-npy']\n"
