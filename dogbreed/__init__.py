"""Fine-tune a pretrained image classifier on a folder of photos, and trust the result."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.predictor import BreedPredictor, Prediction

__all__ = ["BreedClassifier", "BreedPredictor", "DogBreedDataModule", "Prediction"]

_HOMES = {
    "BreedClassifier": "dogbreed.models.classifier",
    "BreedPredictor": "dogbreed.predictor",
    "DogBreedDataModule": "dogbreed.data.datamodule",
    "Prediction": "dogbreed.predictor",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: a command's --help need not wait for torch.
    if name not in _HOMES:
        raise AttributeError(f"module 'dogbreed' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
