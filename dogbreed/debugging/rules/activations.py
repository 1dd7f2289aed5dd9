"""What layers say: units that never speak, activations at their ends, logits that are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.series import Series, Tensors


def dead_relu(outputs: Tensors, *, threshold_inactivity: float = 1.0, threshold_layer: float = 50.0) -> Finding:
    """Whether most units of a layer are dead.

    Args:
        outputs: of each ReLU, how often of a hundred each unit was above zero.
        threshold_inactivity: a unit that is active less often is dead.
        threshold_layer: more dead units of a hundred are an issue.
    """
    if not outputs:
        return not_applicable("No output of a ReLU was recorded: there is none, or its part is not computed.")
    found = sorted(
        (step, name, 100.0 * float(np.mean(np.asarray(activity) < threshold_inactivity)))
        for name, series in outputs.items()
        for step, activity in series
    )
    for step, name, dead in found:
        if dead > threshold_layer:
            return issue(
                f"{dead:.0f} % of the units are dead.", step=step, tensor=name, value=dead, threshold=threshold_layer
            )
    highest = max(dead for *_, dead in found)
    return no_issue(f"At most {highest:.0f} % of a layer's units.", value=highest, threshold=threshold_layer)


def saturated_activation(inputs: Tensors, *, threshold_layer: float = 50.0) -> Finding:
    """Whether most units of a tanh or sigmoid layer get inputs at which it is flat.

    Args:
        inputs: of each layer, how many of a hundred units are saturated.
        threshold_layer: more are an issue.
    """
    found = sorted((step, name, share) for name, series in inputs.items() for step, share in series)
    if not found:
        return not_applicable("No input of tanh or sigmoid was recorded: most classifiers have none.")
    for step, name, share in found:
        if share > threshold_layer:
            reason = f"{share:.0f} % of the units are saturated."
            return issue(reason, step=step, tensor=name, value=share, threshold=threshold_layer)
    return no_issue(f"At most {max(share for *_, share in found):.0f} % of a layer's units.")


def head_saturated(outputs: Series, *, steps: int = 3, zeros: float = 5.0) -> Finding:
    """Whether a ReLU, a sigmoid or a softmax stands on the logits, where the loss expects any number.

    Args:
        outputs: of each batch's outputs the smallest, the largest, how many of a hundred are exactly zero, and how
            far at most the sum of a photo's outputs is from 1.
        steps: so many batches have to look so.
        zeros: so many of a hundred zeros make a ReLU.
    """
    if len(outputs) < steps:
        return not_applicable(f"The outputs of {len(outputs)} batches were recorded, {steps} are needed.")
    kinds = [_kind(found, zeros) for found in outputs.values[:steps]]
    if len(set(kinds)) > 1 or not kinds[0]:
        return no_issue("The outputs are logits: of either sign, without bounds.")
    low, high, *_ = outputs.values[0]
    return issue(
        f"The outputs look like those of a {kinds[0]}: all between {low:.3g} and {high:.3g}.",
        step=outputs.steps[steps - 1],
        value=low,
        threshold=0.0,
    )


def _kind(found: Sequence[float], zeros: float) -> str:
    low, high, zero, from_one = found
    looks = {
        "softmax": low >= 0 and high <= 1 and from_one < 1e-2,
        "ReLU": low >= 0 and zero >= zeros,
        "sigmoid": low >= 0 and high <= 1,
    }
    return next((kind for kind, so in looks.items() if so), "")
