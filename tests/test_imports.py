"""What each part of the package may know of, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import dogbreed

PACKAGE = Path(dogbreed.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in FILES}
LAUNCH = {path.name: ast.parse(path.read_text()) for path in sorted((PACKAGE.parent / "launch").glob("*.py"))}


JUDGING = ["benchmarking", "reporting", "explaining", "evaluation", "exporting"]
BELOW_PHOTOS = ["data", "models", "caching", "features", "artifacts", "evaluation", "explaining", "exporting"]
COMPOSED = ["composed_command", "composed_run", "composed_study", "composed_trial", "seed_comparison", "best_run"]
COMMANDS = [
    *COMPOSED,
    "job",
    "serving",
    "predictor",
    "predicting",
    "train",
    "tune",
    "predict",
    "serve",
    "evaluate",
    "export",
    "cache",
    "benchmark",
    "container",
]


def imports(file: str, trees: Mapping[str, ast.Module] = TREES) -> Iterator[str]:
    """Every module that a file imports anywhere, under `TYPE_CHECKING` too."""
    for node in ast.walk(trees[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def importers(*modules: str, within: str = "") -> list[str]:
    """The files whose imports begin with one of the modules."""
    return [
        file
        for file in TREES
        if file.startswith(within)
        and any(name == module or name.startswith(f"{module}.") for name in imports(file) for module in modules)
    ]


def calls(file: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_cloud_stays_outside() -> None:
    assert importers("boto3", "botocore", "sagemaker", "launch") == []


def test_hydra_stays_in_the_command() -> None:
    assert set(importers("hydra", "omegaconf")) <= {
        "train.py",
        "tune.py",
        "overrides.py",
        "composed_command.py",
        "composed_run.py",
        "composed_study.py",
        "composed_trial.py",
        "job/running.py",
        "seed_comparison.py",
        "best_run.py",
    }


def test_a_page_is_drawn_without_a_model() -> None:
    assert importers("torch", "torchvision", "pytorch_lightning", within="reporting/") == []


def test_one_file_imports_smdebug_to_record_and_one_to_read() -> None:
    assert importers("smdebug") == ["debugging/hooks.py", "debugging/trial.py"]


def test_a_page_is_drawn_in_one_file_of_each_part() -> None:
    assert importers("dogbreed.reporting", within="debugging/") == ["debugging/page.py"]
    assert importers("dogbreed.reporting", within="profiling/") == ["profiling/page.py"]
    assert importers("dogbreed.reporting", within="tuning/") == ["tuning/page.py", "tuning/plots.py"]


def test_a_space_and_a_container_need_no_libraries() -> None:
    plain = [
        "tuning/space.py",
        "tuning/search.py",
        "epoch_line.py",
        "override_text.py",
        "container.py",
        "job/hyperparameters.py",
    ]
    assert not set(plain) & set(importers("torch", "optuna", "numpy", "hydra", "omegaconf", "pytorch_lightning"))


def test_what_is_sent_to_the_cloud_is_written_without_torch() -> None:
    needed = {file: set(imports(file, LAUNCH)) for file in LAUNCH}
    heavy = ("torch", "pytorch_lightning", "torchvision", "optuna")
    assert needed
    assert [(file, name) for file, names in needed.items() for name in names if name.startswith(heavy)] == []


def test_imports_are_absolute() -> None:
    assert not [f for f, tree in TREES.items() for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]


@pytest.mark.parametrize(
    ("within", "unknown"),
    [
        ("data/", ["models", "features", "training", "artifacts", *JUDGING, *COMMANDS]),
        ("models/", ["features", "training", "artifacts", *JUDGING, *COMMANDS]),
        ("caching/", ["models", "features", "training", "artifacts", *JUDGING, *COMMANDS]),
        ("features/", ["training", "artifacts", *JUDGING, *COMMANDS]),
        ("reporting/", ["data", "models", "training", "artifacts", "evaluation", "explaining", "exporting", *COMMANDS]),
        ("explaining/", ["training", "artifacts", "reporting", "evaluation", "exporting", *COMMANDS]),
        ("artifacts.py", ["training", *JUDGING, *COMMANDS]),
        ("exporting/", ["training", "reporting", "evaluation", "explaining", *COMMANDS]),
        ("debugging/", [*BELOW_PHOTOS, "profiling", "training", *COMMANDS]),
        ("profiling/", [*BELOW_PHOTOS, "training", *COMMANDS]),
        ("tuning/", [*BELOW_PHOTOS, "debugging", "profiling", "training", *COMMANDS]),
        ("evaluation/", ["training", "exporting", *COMMANDS]),
        ("predictor.py", ["training", "evaluation", "reporting", "exporting", "train", "predict"]),
        ("serving/", ["training", "evaluation", "reporting", "exporting", "job", "train", "predict", *COMPOSED]),
        ("predict.py", ["training", "evaluation", "train"]),
        ("predicting/", [*JUDGING, "training", "serving", "job", "train", "predict", *COMPOSED]),
        ("training/", ["exporting", "overrides", *COMMANDS]),
        ("atomic.py", ["data", "models", "training"]),
        ("errors.py", ["data", "models", "training", "artifacts"]),
    ],
)
def test_a_part_knows_nothing_of_what_stands_upon_it(within: str, unknown: list[str]) -> None:
    assert importers(*(f"dogbreed.{module}" for module in unknown), within=within) == []


def test_what_serves_needs_no_lightning() -> None:
    serving = [
        "artifacts.py",
        "predictor.py",
        "predict.py",
        "models/network.py",
        "models/backbones.py",
        "models/heads.py",
        *(file for file in TREES if file.startswith("serving/")),
    ]
    assert not set(serving) & set(importers("pytorch_lightning", "lightning_fabric", "torchmetrics"))


def test_nothing_is_asserted_where_an_error_is_due() -> None:
    assert [file for file, tree in TREES.items() if any(isinstance(n, ast.Assert) for n in ast.walk(tree))] == []


def test_no_device_is_written_into_the_code() -> None:
    assert [name for file in TREES for name, _ in calls(file) if name.endswith(".cuda")] == []


def test_nothing_that_is_read_can_run_code() -> None:
    running = {
        "pickle.load",
        "pickle.loads",
        "pickle.Unpickler",
        "eval",
        "exec",
        "os.system",
        "marshal.loads",
        "yaml.load",
    }
    assert [(file, name) for file in TREES for name, _ in calls(file) if name in running] == []


def test_torch_reads_tensors_only() -> None:
    loads = [(file, node) for file in TREES for name, node in calls(file) if name == "torch.load"]
    assert loads
    for file, node in loads:
        settings = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        assert settings.get("weights_only") == "True", file


@pytest.mark.parametrize("file", [file for file in TREES if not file.endswith("__init__.py")])
def test_every_module_says_what_it_is_for(file: str) -> None:
    assert ast.get_docstring(TREES[file])
