"""All rules, by the names of SageMaker's where it has them, and our own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dogbreed.debugging import reductions
from dogbreed.debugging.rule import Mode, Rule, Wanted
from dogbreed.debugging.rules import activations, answers, images, losses, stalled, tensors, weights
from dogbreed.debugging.series import Series, Tensors, by_evaluation, stage_means
from dogbreed.errors import ConfigError

Parameters = Mapping[str, Any]
Given = Mapping[str, Tensors]
# Which tensors: SageMaker's two ways of saying it.
CHOICE = {"collection_names": None, "tensor_regex": None}
MODES: tuple[Mode, ...] = ("TRAIN", "EVAL")


def _parts(given: str | Sequence[str] | None) -> list[str]:
    """A list, or a text with commas."""
    parts = given.split(",") if isinstance(given, str) else given or ()
    return [part.strip() for part in parts if part.strip()]


def _regexes(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Regular expressions of tensors' names."""
    for part in (parts := _parts(given)):
        try:
            re.compile(part)
        except re.error as error:
            raise ConfigError(f"Expected a regular expression of tensor names, got {part!r}: {error}.") from error
    return tuple(parts)


def _one(series: Tensors) -> Series:
    """Of several tensors the first by name."""
    return series[min(series)] if series else Series()


def _firsts(given: Given) -> list[Series]:
    return [_one(series) for series in given.values()]


def _only(**wanted: Wanted) -> Callable[[Parameters], dict[str, Wanted]]:
    return lambda _: wanted


def _chosen(
    keep: Callable[..., Any], *collections: str, pairwise: bool = False, told: tuple[str, ...] = ()
) -> Callable[[Parameters], dict[str, Wanted]]:
    """The tensors that the parameters choose, or else those of some collections.

    Args:
        keep: as in `Wanted`.
        collections: as above.
        pairwise: as in `Wanted`.
        told: parameters that `keep` is told.
    """

    def wants(parameters: Parameters) -> dict[str, Wanted]:
        given, regex = tuple(_parts(parameters["collection_names"])), _regexes(parameters["tensor_regex"])
        told_keep = partial(keep, **{name: parameters[name] for name in told}) if told else keep
        chosen = given or (() if regex else collections)
        # Nothing learns between two batches of an evaluation.
        return {"tensors": Wanted(told_keep, chosen, regex, mode="TRAIN" if pairwise else None, pairwise=pairwise)}

    return wants


def _losses(parameters: Parameters) -> dict[str, Wanted]:
    given, regex = tuple(_parts(parameters.get("collection_names"))), _regexes(parameters["tensor_regex"])
    chosen = given or (() if regex else ("losses",))
    return {mode: Wanted(reductions.mean, chosen, regex, mode=mode) for mode in MODES}


def _answers(parameters: Parameters) -> dict[str, Wanted]:
    return {
        f"{what} {mode}": Wanted(keep, (what,), _regexes(parameters[f"{what}_regex"]), mode=mode)
        for mode in MODES
        for what, keep in (("labels", reductions.labels), ("predictions", reductions.best_answers))
    }


def _paired(given: Given, *modes: Mode) -> list[Series]:
    return [answers.paired(_one(given[f"labels {mode}"]), _one(given[f"predictions {mode}"])) for mode in modes]


def _losses_of_mode(parameters: Parameters) -> dict[str, Wanted]:
    """The losses of the mode asked for first; SageMaker takes evaluation before training."""
    wanted = _losses(parameters)
    return dict(sorted(wanted.items(), key=lambda item: item[0] != (parameters["mode"] or "EVAL")))


def _falling(given: Given) -> list[Series]:
    """The loss that has to fall, in means where there are epochs: of the first mode, or of the other without it."""
    first, other = _firsts(given)
    return [stage_means(first, other) if len(first) and len(other) else first if len(first) else other]


def _saturated(parameters: Parameters) -> dict[str, Wanted]:
    keep = partial(
        reductions.saturated_percentage,
        bounds={"tanh": parameters["threshold_tanh"], "sigmoid": parameters["threshold_sigmoid"]},
        inactivity=parameters["threshold_inactivity"],
    )
    chosen, regexes = tuple(_parts(parameters["collection_names"])), _regexes(parameters["tensor_regex"])
    return {"inputs": Wanted(keep, chosen, regexes, named=True)}


NORMALISE = (
    "Give the network what its weights expect: dogbreed.data.transforms does, from the module's own preprocessing."
)
LABELS = {"labels_regex": ".*labels", "predictions_regex": ".*predictions"}

RULES: dict[str, Rule] = {
    "VanishingGradient": Rule(
        tensors.vanishing_gradient,
        _only(gradients=Wanted(reductions.mean_absolute, ("gradients",))),
        "Raise model.learning_rate or model.backbone_rate, train fewer stages (model.frozen), or keep the batch norm "
        "of the weights (model.train_batch_norm=false).",
    ),
    "ExplodingTensor": Rule(
        tensors.exploding_tensor,
        _chosen(reductions.not_finite),
        "Lower model.learning_rate, keep trainer.gradient_clip_val at 1, or set trainer.precision=32-true.",
        reading=CHOICE,
    ),
    "Overfit": Rule(
        losses.overfit,
        _losses,
        "Use more photos, a stronger data.augmentation, model.weight_decay, model.dropout, or train fewer stages; the "
        "epoch of the lowest validation loss is kept anyway.",
        arrange=lambda given: by_evaluation(*_firsts(given)),
        reading={"tensor_regex": None},
    ),
    "Overtraining": Rule(
        losses.overtraining,
        _losses,
        "Lower trainer.max_epochs, or let callbacks.patience stop the run.",
        arrange=lambda given: by_evaluation(*_firsts(given)),
        reading={"tensor_regex": None},
    ),
    "LossNotDecreasing": Rule(
        losses.loss_not_decreasing,
        _losses_of_mode,
        "Try lr_find=true, or another model.learning_rate.",
        arrange=_falling,
        reading=CHOICE | {"mode": None},
    ),
    "PoorWeightInitialization": Rule(
        weights.poor_weight_initialization,
        lambda parameters: {
            "inputs": Wanted(
                reductions.input_variance, ("relu_input",), _regexes(parameters["activation_inputs_regex"])
            ),
            "gradients": Wanted(reductions.width, ("gradients",)),
            "losses": Wanted(reductions.mean, ("losses",)),
        },
        "Begin with pretrained weights (model.weights=imagenet), or find a learning rate (lr_find=true).",
        arrange=lambda given: (given["inputs"], given["gradients"], _one(given["losses"])),
        reading={"activation_inputs_regex": ".*relu_input"},
    ),
    "DeadRelu": Rule(
        activations.dead_relu,
        lambda parameters: {
            "outputs": Wanted(reductions.active_percentage, ("relu_output",), _regexes(parameters["tensor_regex"]))
        },
        "Lower model.learning_rate, or begin with pretrained weights.",
        reading={"tensor_regex": ".*relu_output"},
    ),
    "SaturatedActivation": Rule(
        activations.saturated_activation,
        _saturated,
        "Lower model.learning_rate, or choose a backbone with another activation.",
        reading={
            "collection_names": None,
            "tensor_regex": ".*tanh_input,.*sigmoid_input",
            "threshold_tanh": (-9.4999, 9.4999),
            "threshold_sigmoid": (-23, 16.99999),
            "threshold_inactivity": 1.0,
        },
    ),
    "TensorVariance": Rule(
        tensors.tensor_variance,
        _chosen(reductions.variance),
        "Look at the tensor named: its layer's weights, inputs and normalisation.",
        reading=CHOICE,
    ),
    "UnchangedTensor": Rule(
        tensors.unchanged_tensor,
        _chosen(reductions.same, "weights", pairwise=True, told=("rtol", "atol", "equal_nan")),
        "Look whether the optimizer was given this parameter, and whether its learning rate is above zero.",
        reading=CHOICE | {"rtol": 1e-5, "atol": 1e-8, "equal_nan": False},
    ),
    "AllZero": Rule(
        tensors.all_zero,
        _chosen(reductions.zero_percentage, "gradients"),
        "Look whether the layer is reached at all: model.frozen, dropout, a dead activation before it.",
        reading=CHOICE,
    ),
    "WeightUpdateRatio": Rule(
        weights.weight_update_ratio,
        lambda parameters: {
            "weights": Wanted(
                partial(reductions.update_ratio, epsilon=parameters["epsilon"]), ("weights",), pairwise=True
            )
        },
        "Too large: lower model.learning_rate. Too small: raise it, or model.backbone_rate.",
        reading={"epsilon": 1e-9},
    ),
    "ClassImbalance": Rule(
        answers.class_imbalance,
        _answers,
        "Use model.class_weights=balanced, or more photos of the rare class.",
        arrange=lambda given: _paired(given, "TRAIN", "EVAL"),
        reading=LABELS,
    ),
    "Confusion": Rule(
        answers.confusion,
        _answers,
        "Look at the confused pairs in report.html, and at label_errors.csv.",
        arrange=lambda given: _paired(given, "EVAL", "TRAIN"),
        reading=LABELS,
    ),
    "CheckInputImages": Rule(
        images.check_input_images,
        lambda parameters: {
            "images": Wanted(
                partial(reductions.channel_means, channel=parameters["channel"]),
                ("input_image",),
                _regexes(parameters["regex"]),
            )
        },
        NORMALISE,
        arrange=_firsts,
        reading={"regex": ".*hybridsequential0_input_0", "channel": 1},
    ),
    "StalledTraining": Rule(
        stalled.stalled_training,
        _only(times=Wanted(reductions.mean, ("wall_time",))),
        "Look at what the machine waited for: python -m dogbreed.train profiler=on.",
        arrange=_firsts,
    ),
    "NotLearning": Rule(
        answers.not_learning,
        _answers,
        "Look at the photos and their classes (python -m dogbreed.data.check FOLDER), and try lr_find=true.",
        arrange=lambda given: _paired(given, "EVAL", "TRAIN"),
        reading=LABELS,
    ),
    "LearningRateTooHigh": Rule(
        losses.learning_rate_too_high,
        _only(losses=Wanted(reductions.mean, ("losses",))),
        "Lower model.learning_rate tenfold, or let lr_find=true find one.",
        arrange=_firsts,
    ),
    "InputNotNormalized": Rule(
        images.input_not_normalized,
        _only(images=Wanted(reductions.extremes, ("input_image",))),
        NORMALISE,
        arrange=_firsts,
    ),
    "FrozenDrift": Rule(
        weights.frozen_drift,
        _only(statistics=Wanted(reductions.largest_change, ("frozen_statistics",), pairwise=True)),
        "Keep the frozen part in eval mode: BreedNetwork.freeze does, and network.train() leaves it so.",
    ),
    "LabelsShuffled": Rule(
        answers.labels_shuffled,
        _answers,
        "Look whether photos lie in the folders of their classes, and whether all splits number classes alike: "
        "python -m dogbreed.data.check FOLDER.",
        arrange=lambda given: _paired(given, "TRAIN", "EVAL"),
        reading=LABELS,
    ),
    "HeadSaturated": Rule(
        activations.head_saturated,
        _only(outputs=Wanted(reductions.output_range, ("predictions",))),
        "Let the head end in a linear layer: the loss takes logits.",
        arrange=_firsts,
    ),
}
