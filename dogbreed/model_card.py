"""`README.md` of a model's folder: a model card as the Hugging Face Hub lays it out, from the artifact's JSON alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml

from dogbreed.hub.evaluation import evaluation_section
from dogbreed.hub.markdown import NOT_RECORDED, escaped, facts, folded, items, table
from dogbreed.hub.metadata import backbone, base_model, hub_metadata, is_number, is_synthetic, part, title
from dogbreed.hub.training import file_name, training_section

SHOWN_CLASSES = 20  # of more, the list is folded
Card = Mapping[str, Any]

USES = [
    "### Direct Use",
    "Saying which of its classes a photo shows, where a wrong answer does no harm.",
    "### Out-of-Scope Use",
    "Photos of anything that is none of its classes: it gives the nearest class all the same, at times with a high "
    "probability. Decisions about animals or people that nobody checks.",
]
RISKS = [
    "Test photos and training photos come from the same folder: on photos from elsewhere expect less.",
    "Classes with few photos are recognised less surely than the figures over all classes say.",
    "How the answers depend on country, camera, or other circumstances of a photo was not measured.",
]
START = """```bash
pip install {package}
python -m dogbreed.predict model=FOLDER photo.jpg
```

```python
from dogbreed.predictor import BreedPredictor

predictor = BreedPredictor.load("FOLDER")
for answer in predictor.predict("photo.jpg", top_k=5):
    print(answer.name, answer.probability)
```

FOLDER is the folder of this file. Loading the model runs no code from it and needs no network connection."""


def model_card(card: Card) -> str:
    """Markdown after a block of YAML; what the artifact does not hold is said to be missing, or left out.

    Args:
        card: the JSON of an artifact: `architecture`, `class_names`, `preprocessing`, and where they are known
            `training`, `metrics`, `intervals` (two ends, by the name of the metric), `judged`, `calibration`, `data`,
            `limits`, `versions` and `weights`.
    """
    metadata = yaml.safe_dump(hub_metadata(card), sort_keys=False, allow_unicode=True, width=1000)
    parts = [f"---\n{metadata}---", f"# {escaped(title(card))}", *_warnings(card)]
    for heading, section in SECTIONS.items():
        parts += [f"## {heading}", *section(card)]
    return "\n\n".join(parts) + "\n"


def _warnings(card: Card) -> list[str]:
    """What makes the figures weaker than they look, before any of them."""
    found = ["**Synthetic data.** Drawn pictures, no photographs: the figures say nothing about photographs of dogs."]
    found = (found if is_synthetic(card) else []) + [f"**Limited run.** {limit}" for limit in _limits(card)]
    return ["\n>\n".join(f"> {line}" for line in found)] if found else []


def _limits(card: Card) -> list[str]:
    return [escaped(limit) for limit in card.get("limits") or ()]


def _details(card: Card) -> Iterator[str]:
    class_names = card.get("class_names") or ()
    yield f"An image classifier: from a photo to the probabilities of {len(class_names)} classes."
    yield facts(
        {
            "Model type": f"{escaped(backbone(card))}, {_head(part(card, 'architecture'))}",
            "Finetuned from model": escaped(_origin(card)),
            "Parameters": _parameters(part(card, "training")),
            "License": "unknown: neither that of the photos nor that of the first weights is recorded",
        }
    )
    yield "### Classes"
    rows = ([str(index), escaped(name)] for index, name in enumerate(class_names))
    classes = table(["Index", "Class"], rows)
    yield classes if len(class_names) <= SHOWN_CLASSES else folded(f"All {len(class_names)} classes", classes)


def _head(architecture: Card) -> str:
    hidden = escaped(", ".join(map(str, architecture.get("hidden") or ())))
    return f"and a head with hidden layers of {hidden} units" if hidden else "and a linear head"


def _origin(card: Card) -> str:
    settings = part(part(card, "training"), "settings")
    if "weights" not in settings:
        return NOT_RECORDED
    if settings["weights"] is None:
        return "none: the first weights were random"
    if settings["weights"] != "imagenet":
        return f"weights of a file, {file_name(str(settings['weights']))}"
    return base_model(card) or f"the ImageNet weights of {backbone(card)} that its library publishes"


def _parameters(training: Card) -> str:
    total, trained = training.get("parameters"), training.get("trainable_parameters")
    return f"{total:,}, of which {trained:,} were trained" if is_number(total) and is_number(trained) else NOT_RECORDED


def _risks(card: Card) -> list[str]:
    found = [f"Limited run: {limit}" for limit in _limits(card)]
    if is_synthetic(card):
        found.insert(0, "It has seen drawn pictures only: for photographs it is of no use.")
    if part(part(card, "training"), "settings").get("weights") == "imagenet":
        found.append("It began with ImageNet weights: if ImageNet holds the test photos, the figures are too good.")
    return [items([*found, *RISKS])]


def _start(card: Card) -> list[str]:
    package = '"dogbreed[timm]"' if backbone(card).startswith("timm/") else "dogbreed"
    return [START.format(package=package)]


def _technical(card: Card) -> Iterator[str]:
    weights = part(card, "weights")
    if weights:
        yield facts({f"Weights, {escaped(name)}": escaped(value) for name, value in weights.items()})
    yield "### Software"
    versions = part(card, "versions")
    yield facts({escaped(name): escaped(value) for name, value in versions.items()}) if versions else NOT_RECORDED


# The headings of the Hub's template, in its order.
SECTIONS: dict[str, Callable[[Card], Iterable[str]]] = {
    "Model Details": _details,
    "Uses": lambda _: USES,
    "Bias, Risks, and Limitations": _risks,
    "How to Get Started with the Model": _start,
    "Training Details": training_section,
    "Evaluation": evaluation_section,
    "Environmental Impact": lambda _: ["Hardware, hours and emissions of the training were not recorded."],
    "Technical Specifications": _technical,
}
