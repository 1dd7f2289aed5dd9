"""SageMaker's own rules beside a training job: what the job records for them, and which of them are asked.

AWS closed Debugger to new customers on 30 July 2026, which is why nothing here is sent unless it is asked for; the
rules of `dogbreed.debugging`, of the same names, run in the job itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dogbreed.errors import ConfigError
from launch.requests.images import rule_image
from launch.requests.rule_configs import rule_configs

# Rules of a job, and collections of its hook.
MOST = 20


class HostedRule(NamedTuple):
    """A rule that AWS runs, too.

    Attributes:
        config: what makes its configuration in AWS's `smdebug_rulesconfig`.
        parameters: that AWS publishes for it.
    """

    config: str
    parameters: tuple[str, ...]


CHOICE = ("collection_names", "tensor_regex")
# By our names.
RULES = {
    "VanishingGradient": HostedRule("vanishing_gradient", ("threshold",)),
    "ExplodingTensor": HostedRule("exploding_tensor", (*CHOICE, "only_nan")),
    "Overfit": HostedRule("overfit", ("tensor_regex", "start_step", "patience", "ratio_threshold")),
    "Overtraining": HostedRule("overtraining", ("patience_train", "patience_validation", "delta")),
    "LossNotDecreasing": HostedRule(
        "loss_not_decreasing", (*CHOICE, "use_losses_collection", "num_steps", "diff_percent", "mode")
    ),
    "PoorWeightInitialization": HostedRule(
        "poor_weight_initialization",
        ("activation_inputs_regex", "threshold", "distribution_range", "patience", "steps"),
    ),
    "DeadRelu": HostedRule("dead_relu", ("tensor_regex", "threshold_inactivity", "threshold_layer")),
    "SaturatedActivation": HostedRule("saturated_activation", (*CHOICE, "threshold_inactivity", "threshold_layer")),
    "TensorVariance": HostedRule("tensor_variance", (*CHOICE, "max_threshold", "min_threshold")),
    "UnchangedTensor": HostedRule("unchanged_tensor", (*CHOICE, "num_steps", "rtol", "atol", "equal_nan")),
    "AllZero": HostedRule("all_zero", (*CHOICE, "threshold")),
    "WeightUpdateRatio": HostedRule(
        "weight_update_ratio", ("num_steps", "large_threshold", "small_threshold", "epsilon")
    ),
    "ClassImbalance": HostedRule(
        "class_imbalance",
        (
            "threshold_imbalance",
            "threshold_misprediction",
            "samples",
            "argmax",
            "labels_regex",
            "predictions_regex",
        ),
    ),
    "Confusion": HostedRule("confusion", ("category_no", "min_diag", "max_off_diag")),
    "CheckInputImages": HostedRule("check_input_images", ("threshold_mean", "threshold_samples", "regex", "channel")),
    "StalledTraining": HostedRule("stalled_training_rule", ("threshold", "stop_training_on_fire")),
}


def hosted_debugger(
    rules: Mapping[str, Mapping[str, Any] | None],
    collections: Mapping[str, Mapping[str, Any] | None],
    *,
    region: str,
    output_uri: str,
    hook_parameters: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """The members of `CreateTrainingJob` that record tensors and ask rules: DebugHookConfig, DebugRuleConfigurations.

    Args:
        rules: names, each with parameters that differ from its defaults, as in conf/debugger/.
        collections: what is recorded, and when, as in conf/debugger/; what a rule needs and is not named here is
            recorded as AWS does by default, at every 500th step.
        region: of the job.
        output_uri: below which SageMaker puts what is recorded.
        hook_parameters: of all collections that do not say otherwise: `{"train.save_interval": 100}`.

    Raises:
        ConfigError: a rule or parameter that AWS's Debugger does not have, too many of them, or a region without rules.
    """
    image = rule_image(region)
    configs = {name: _config(name) for name in rules}
    recorded = _recorded(collections, configs)
    for what, count in {"rules": len(rules), "collections": len(recorded)}.items():
        if count > MOST:
            raise ConfigError(
                f"SageMaker's Debugger takes {MOST} {what} of a job at most, got {count}; leave some out."
            )
    hook = {
        "S3OutputPath": output_uri,
        "HookParameters": {key: _text(value) for key, value in hook_parameters.items()},
        "CollectionConfigurations": [
            {"CollectionName": name, "CollectionParameters": dict(parameters)} for name, parameters in recorded.items()
        ],
    }
    return {
        "DebugHookConfig": {key: value for key, value in hook.items() if value != {}},
        "DebugRuleConfigurations": [_rule(name, given or {}, configs[name], image) for name, given in rules.items()],
    }


def _config(name: str) -> dict[str, Any]:
    """As AWS's package makes it.

    Raises:
        ConfigError: AWS has no such rule.
    """
    if name not in RULES:
        raise ConfigError(
            f"SageMaker's Debugger has no rule {name}; leave debugger.hosted out, since debugger=rules asks it in the "
            f"job itself, or leave it out of debugger.rules. Hosted are: {', '.join(RULES)}."
        )
    config: dict[str, Any] = getattr(rule_configs(), RULES[name].config)()
    return config


def _rule(name: str, given: Mapping[str, Any], config: Mapping[str, Any], image: str) -> dict[str, Any]:
    chosen = {key: _text(value) for key, value in given.items() if value is not None}
    if unknown := sorted(set(chosen) - set(RULES[name].parameters)):
        known = ", ".join(RULES[name].parameters)
        raise ConfigError(f"SageMaker's rule {name} has no parameter {unknown[0]!r}; its parameters are: {known}.")
    if name == "CheckInputImages" and "regex" not in chosen:
        raise ConfigError(
            "SageMaker's rule CheckInputImages looks for MXNet's name of the photos and would find none; give it "
            "regex=.*input_image in debugger.rules."
        )
    described = config["DebugRuleConfiguration"]
    return {
        "RuleConfigurationName": described["RuleConfigurationName"],
        "RuleEvaluatorImage": image,
        "RuleParameters": described["RuleParameters"] | chosen,
    }


def _recorded(
    collections: Mapping[str, Mapping[str, Any] | None], configs: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, str]]:
    """The parameters of each collection: as given, else as the rules that need it have them."""
    # It brings numpy, and most jobs are sent without.
    from dogbreed.debugging.collections import collections_of

    needed = {
        one["CollectionName"]: one["CollectionParameters"]
        for config in configs.values()
        for one in config.get("CollectionConfigurations", [])
    }
    # How tensors are called is told to AWS's rules even where the intervals are ours.
    names = {
        name: {"include_regex": parameters["include_regex"]}
        for name, parameters in needed.items()
        if "include_regex" in parameters
    }
    given = {one.name: {**names.get(one.name, {}), **one.parameters} for one in collections_of(collections)}
    return given | {name: parameters for name, parameters in needed.items() if name not in given}


def _text(value: Any) -> str:
    """As AWS's rules read it.

    >>> _text(True), _text(0.5), _text(["losses", "weights"])
    ('True', '0.5', 'losses,weights')
    """
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
