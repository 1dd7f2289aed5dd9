from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml

from dogbreed.artifacts import load_artifact
from dogbreed.hub.markdown import escaped
from dogbreed.model_card import model_card
from tests.trained_models import CLASS_NAMES, save_small

huggingface_hub = pytest.importorskip("huggingface_hub")

HOSTILE = (
    "Old\n---\nlicense: mit\n---\nDog",
    "a | b",
    "`rm` ``` <script>alert(1)</script>",
    "[click](javascript:alert(1)) ![x](http://example.com/x.png)",
    "*bold* __bold__ ~~gone~~ $$x$$ \\(y\\) \\[z\\]",
    "</table></details><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; #1 1. one",
    "\u202egod \ud800 \x00\x1b[31m",
    "Löwchen 犬",
)
SETTINGS = {
    "num_classes": 3,
    "backbone": "resnet50",
    "weights": "imagenet",
    "frozen": False,
    "hidden": [],
    "learning_rate": 0.001,
    "class_weights": [1.0] * 120,
}
# As a run writes it.
RUN: dict[str, Any] = {
    "format": "dogbreed-model",
    "architecture": {"num_classes": 3, "backbone": "resnet50", "hidden": [512], "dropout": 0.0, "image_size": None},
    "class_names": ["Akita", "Beagle", "Löwchen"],
    "preprocessing": {"resize": 232, "crop": 224, "mean": [0.485, 0.456, 0.406], "interpolation": "bilinear"},
    "training": {
        "regime": "fine-tuned",
        "trainable_parameters": 23_514_179,
        "parameters": 23_514_179,
        "settings": SETTINGS,
    },
    "metrics": {
        "val/loss": 0.5,
        "test/loss": 0.6123,
        "test/acc": 0.8404,
        "test/acc5": 0.97,
        "test/macro_f1": 0.8351,
        "test/calibration_error": 0.031,
    },
    "intervals": {"test/acc": [0.813, 0.8637]},
    "judged": {"split": "test", "photos": 836, "calibrated": True, "tta": False},
    "calibration": {"temperature": 1.2345, "split": "val", "photos": 835, "unsure_below": 0.75},
    "data": {"num_classes": 3, "photos": {"train": 6680, "val": 835, "test": 836}, "skipped": 2, "synthetic": False},
    "limits": [],
    "versions": {"dogbreed": "0.1.0", "torch": "2.9"},
    "weights": {"file": "model.safetensors", "sha256": "ab" * 32, "bytes": 94_000_000},
}


def metadata(text: str) -> dict[str, Any]:
    """What is between the first two lines of dashes."""
    head, block, _ = re.split(r"^---$", text, maxsplit=2, flags=re.MULTILINE)
    assert head == ""
    loaded: dict[str, Any] = yaml.safe_load(block)
    return loaded


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def html(text: str) -> str:
    return markdown.markdown(huggingface_hub.ModelCard(text).text, extensions=["tables", "fenced_code"])


def changed(**parts: Any) -> dict[str, Any]:
    return RUN | parts


def test_the_hub_reads_the_results_of_a_run() -> None:
    data = huggingface_hub.ModelCard(model_card(RUN)).data
    found = {result.metric_type: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in found.items()} == {"accuracy": 0.8404, "f1": 0.8351}
    for result in data.eval_results:
        assert (result.task_type, result.dataset_type, result.dataset_split) == (
            "image-classification",
            "imagefolder",
            "test",
        )
    assert found["f1"].metric_args == {"average": "macro"}
    assert data.model_name == "resnet50, 3 classes"


def test_the_hub_writes_the_metadata_as_it_read_it() -> None:
    text = model_card(RUN)
    assert huggingface_hub.ModelCard(text).data.to_dict() == metadata(text)


def test_the_metadata_says_what_the_model_is_and_claims_no_license() -> None:
    found = metadata(model_card(RUN))
    assert found["license"] == "unknown"
    assert found["library_name"] == "dogbreed"
    assert found["pipeline_tag"] == "image-classification"
    assert found["metrics"] == ["accuracy", "f1"]


def test_the_sections_are_those_of_the_hubs_template_in_its_order() -> None:
    template = (Path(huggingface_hub.__file__).parent / "templates" / "modelcard_template.md").read_text()
    headings = [heading.removesuffix(" [optional]") for heading in re.findall(r"^## (.*)$", template, re.MULTILINE)]
    ours = re.findall(r"^## (.*)$", model_card(RUN), re.MULTILINE)
    assert len(ours) >= 8
    assert ours == [heading for heading in headings if heading in ours]


@pytest.mark.parametrize(
    ("backbone", "weights", "base_model"),
    [
        ("timm/resnet50.a1_in1k", "imagenet", "timm/resnet50.a1_in1k"),
        # Which of its weights timm took, only timm knows.
        ("timm/resnet50", "imagenet", None),
        ("timm/resnet50.a1_in1k", None, None),
        ("timm/resnet50.a1_in1k", "/home/ada/w.pth", None),
        # Torchvision's weights are no model of the Hub.
        ("resnet50", "imagenet", None),
        ("timm/../evil/x.y", "imagenet", None),
    ],
)
def test_the_base_model_is_named_where_it_is_one_of_the_hub(
    backbone: str, weights: str | None, base_model: str | None
) -> None:
    card = changed(
        architecture=RUN["architecture"] | {"backbone": backbone},
        training=RUN["training"] | {"settings": SETTINGS | {"weights": weights}},
    )
    assert metadata(model_card(card)).get("base_model") == base_model


def test_figures_stand_with_their_intervals_and_say_where_there_is_none() -> None:
    evaluation = section(model_card(RUN), "Evaluation")
    assert "| test | Accuracy | 84.0 % | 81.3 % to 86.4 % |" in evaluation
    assert "| test | Macro F1 | 83.5 % | not computed |" in evaluation
    assert "| test | Cross-entropy | 0.6123 | not computed |" in evaluation
    assert "836 photos" in evaluation
    assert "1.234" in evaluation
    assert "75.0 % or more" in evaluation
    assert "calibrated probabilities" in evaluation


@pytest.mark.parametrize(
    "missing", [{"metrics": {}}, {"metrics": None}, {"metrics": {"test/acc": None, "test/macro_f1": float("nan")}}]
)
def test_a_card_without_figures_says_so_and_invents_none(missing: dict[str, Any]) -> None:
    text = model_card(changed(**missing))
    assert "Not evaluated" in section(text, "Evaluation")
    assert {"model-index", "metrics"}.isdisjoint(metadata(text))
    assert "%" not in section(text, "Evaluation")


def test_synthetic_data_and_limits_are_said_before_anything_else() -> None:
    limits = ["trainer.limit_train_batches is 0.1: not all photos were used."]
    text = model_card(changed(data=RUN["data"] | {"synthetic": True}, limits=limits))
    first = text.partition("\n# ")[2].partition("\n## ")[0]
    assert "Synthetic data" in first
    assert "not all photos were used" in first
    assert "no photographs" in metadata(text)["model-index"][0]["results"][0]["dataset"]["name"]
    assert "synthetic-data" in metadata(text)["tags"]
    assert "not all photos were used" in section(text, "Bias, Risks, and Limitations")
    assert "Synthetic" not in model_card(RUN)


def test_every_class_is_listed_and_many_are_folded() -> None:
    names = [f"Breed {number}" for number in range(133)]
    text = model_card(changed(class_names=names))
    assert all(f"| {index} | {name} |" in text for index, name in enumerate(names))
    assert "<details>" in text
    assert "<details>" not in model_card(RUN)


def test_hostile_names_are_shown_and_do_nothing() -> None:
    text = model_card(changed(class_names=list(HOSTILE), limits=list(HOSTILE), versions={HOSTILE[5]: HOSTILE[2]}))
    assert metadata(text) == metadata(model_card(RUN)) | {"model-index": metadata(text)["model-index"]}
    assert text.encode().isascii() is False
    page = html(text)
    tags = set(re.findall(r"<(\w+)", page)) - set(re.findall(r"<(\w+)", html(model_card(RUN))))
    assert tags <= {"blockquote"}
    assert page.count("<tr>") == html(model_card(RUN)).count("<tr>") + len(HOSTILE) - len(CLASS_NAMES)
    assert "javascript:alert" in page
    assert "href" not in page


@pytest.mark.parametrize("name", HOSTILE)
def test_an_escaped_name_is_rendered_as_it_was_but_for_what_cannot_be_printed(name: str) -> None:
    import html as entities

    rendered = markdown.markdown(f"| Class |\n| --- |\n| {escaped(name)} |", extensions=["tables"])
    cell = re.search(r"<td>(.*)</td>", rendered)
    assert cell is not None
    visible = "".join(letter if letter.isprintable() else " " for letter in name)
    assert entities.unescape(cell[1]) == " ".join(visible.split())


def test_a_hostile_backbone_cannot_reach_the_metadata() -> None:
    text = model_card(changed(architecture={"backbone": 'x"\n---\nlicense: mit\n# `y` {z: [1]}'}))
    assert metadata(text)["license"] == "unknown"
    assert huggingface_hub.ModelCard(text).data.license == "unknown"


def test_where_a_file_of_weights_lay_stays_private() -> None:
    settings = SETTINGS | {"weights": "/home/ada/secret/resnet50.pth"}
    text = model_card(changed(training=RUN["training"] | {"settings": settings}))
    assert "resnet50.pth" in text
    assert "ada" not in text
    assert "secret" not in text


def test_an_artifact_without_a_run_has_a_card_that_says_what_is_missing(tmp_path: Path) -> None:
    save_small(tmp_path)
    text = model_card(load_artifact(tmp_path).card)
    assert "| test | Accuracy | 50.0 % | not computed |" in text
    assert "Regime: fine-tuned." in text
    assert "Not recorded." in section(text, "Training Details")
    assert all(f"| {index} | {name} |" in text for index, name in enumerate(CLASS_NAMES))
    assert metadata(text)["metrics"] == ["accuracy"]


@pytest.mark.parametrize("wrong", [None, [], "text", 3, {"x": {}}, [1, None]])
def test_parts_of_another_shape_are_no_reason_to_fail(wrong: Any) -> None:
    names = ("architecture", "preprocessing", "training", "metrics", "intervals", "judged", "calibration", "data")
    for name in (*names, "versions", "weights"):
        assert metadata(model_card(json.loads(json.dumps(changed(**{name: wrong})))))["license"] == "unknown"


def test_nothing_but_the_class_names_is_enough() -> None:
    text = model_card({"class_names": ["Akita"]})
    assert "Not evaluated" in text
    assert "| 0 | Akita |" in text
