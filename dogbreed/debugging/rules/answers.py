"""What the network answers, beside what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.series import Series, last_stage, stages
from dogbreed.intervals import share_interval

# With fewer photos of a class than this on average, chance alone makes some class several times as frequent as another.
PHOTOS_OF_A_CLASS = 20
NOTHING = "Labels and predictions were not recorded together."
Pair = tuple[NDArray[Any], NDArray[Any]]


def paired(labels: Series, predictions: Series) -> Series:
    """Labels and predictions of the steps that have both; a label below zero is none."""
    answers = dict(zip(predictions.steps, predictions.values, strict=True))
    found = Series()
    for step, target, at in zip(labels.steps, labels.values, labels.at, strict=True):
        known = target >= 0
        if step in answers and len(answers[step]) == len(target) and known.any():
            found.append(step, (target[known], np.maximum(answers[step][known], 0)), at)
    return found


def _joined(pairs: Series, positions: Sequence[int]) -> Pair:
    chosen = [pairs.values[p] for p in positions]
    return np.concatenate([t for t, _ in chosen]), np.concatenate([p for _, p in chosen])


def class_imbalance(
    train: Series,
    val: Series,
    *,
    threshold_imbalance: float = 10.0,
    threshold_misprediction: float = 0.7,
    samples: int = 500,
) -> Finding:
    """Whether one class is seen far more often than another, or a class is mostly wrong.

    With many classes more labels are needed than the published rule's: twenty of a class on average.

    Args:
        train: labels and predictions of training batches.
        val: of evaluation batches. The newest evaluation counts, and a class by what is certain: the lower end of
            Wilson's 95 % interval of its share of wrong answers. None counts where that share is passed by all
            photos together: then nothing has been learnt yet, which is no class's fault.
        threshold_imbalance: photos of the largest class to those of the smallest.
        threshold_misprediction: share of wrong answers, in [0, 1].
        samples: so many labels are needed for either.
    """
    if not len(train) and not len(val):
        return not_applicable(NOTHING)
    judged = []
    if len(train) and (seen := _joined(train, range(len(train)))[0]).size >= samples:
        counts = np.unique(seen, return_counts=True)[1]
        ratio = counts.max() / counts.min()
        if enough := seen.size >= PHOTOS_OF_A_CLASS * counts.size:
            judged.append(f"largest to smallest class {ratio:.1f}")
        if enough and ratio > threshold_imbalance:
            reason = f"The largest class was seen {ratio:.1f} times as often as the smallest."
            return issue(reason, step=train.steps[-1], value=float(ratio), threshold=threshold_imbalance)
    newest = last_stage(val, train)
    target, preds = _joined(val, newest) if newest else (np.empty(0), np.empty(0))
    if newest and target.size >= samples:
        if found := _mispredicted(target, preds, threshold_misprediction):
            return replace(found, step=val.steps[-1])
        judged.append(f"no class is certainly wrong in more than {threshold_misprediction:.0%} of its photos alone")
    if not judged:
        return not_applicable(f"Fewer than {samples} labels were recorded, or of {PHOTOS_OF_A_CLASS} a class.")
    return no_issue(f"{'; '.join(judged).capitalize()}.")


def _mispredicted(target: NDArray[Any], preds: NDArray[Any], threshold: float) -> Finding | None:
    """The first class that is mostly wrong, where not all are: a network that has yet to learn favours none."""
    if (preds != target).mean() > threshold:
        return None
    for label in np.unique(target):
        wrong, count = int((preds[target == label] != label).sum()), int((target == label).sum())
        if share_interval(wrong, count)[0] > threshold:
            reason = f"{wrong} of {count} photos of class {label} are answered wrongly."
            return issue(reason, value=wrong / count, threshold=threshold)
    return None


def confusion(
    val: Series, train: Series, *, category_no: int | None = None, min_diag: float = 0.9, max_off_diag: float = 0.1
) -> Finding:
    """Whether a class is answered right too rarely, or an answer stands too often for one other class.

    The newest evaluation counts, and a share by what is certain: the end of its 95 % interval that is nearer to what
    is allowed.

    Args:
        val: labels and predictions of evaluation batches.
        train: of training batches, which tell evaluations apart.
        category_no: how many classes there are at least; None for as many as were seen.
        min_diag: share of a class's photos that are answered right, in [0, 1].
        max_off_diag: share of the photos with one answer that are of one other class, in [0, 1].
    """
    newest = last_stage(val, train)
    if not newest:
        return not_applicable(NOTHING)
    matrix = _confusions(*_joined(val, newest), category_no or 0)
    own, of_class, of_answer = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    right = np.divide(own, of_class, out=np.ones(len(own)), where=of_class > 0)
    for label in np.flatnonzero(right < min_diag)[np.argsort(right[right < min_diag], kind="stable")]:
        if share_interval(int(own[label]), int(of_class[label]))[1] < min_diag:
            reason = f"{own[label]} of {of_class[label]} photos of class {label} are answered right."
            return issue(reason, step=val.steps[-1], value=float(right[label]), threshold=min_diag)
    shares = np.divide(matrix, of_answer, out=np.zeros(matrix.shape), where=of_answer > 0)
    np.fill_diagonal(shares, 0)
    for label, answer in sorted(np.argwhere(shares > max_off_diag), key=lambda at: -shares[tuple(at)]):
        if share_interval(int(matrix[label, answer]), int(of_answer[answer]))[0] > max_off_diag:
            reason = f"{matrix[label, answer]} of {of_answer[answer]} answers of class {answer} are of class {label}."
            return issue(reason, step=val.steps[-1], value=float(shares[label, answer]), threshold=max_off_diag)
    return no_issue(f"No class is certainly answered right in less than {min_diag:.0%} of its photos.")


def _confusions(target: NDArray[Any], preds: NDArray[Any], classes: int) -> NDArray[Any]:
    """How many photos there are of each class, by answer: shape (classes, classes)."""
    classes = max(classes, int(max(target.max(), preds.max())) + 1)
    counts = np.bincount(target.astype(np.int64) * classes + preds, minlength=classes * classes)
    return counts.reshape(classes, classes)


def not_learning(val: Series, train: Series, *, warmup: int = 1, significance: float = 0.01) -> Finding:
    """Whether the network is no better than chance after a warm-up, in the newest evaluation.

    Chance is to answer with the most frequent class always. An evaluation is better than chance where so many right
    answers would come by chance less often than `significance` (binomial test).

    Args:
        val: labels and predictions of evaluation batches.
        train: of training batches, which tell evaluations apart.
        warmup: so many first evaluations do not count.
        significance: a probability.
    """
    evaluations = stages(val, train)
    if len(evaluations) <= warmup:
        return not_applicable(f"No evaluation after the first {warmup}, or nothing recorded of it.")
    right, count, chance = _right(_joined(val, evaluations[-1]))
    if too_few := _too_few(count, chance, significance):
        return too_few
    reason = f"{right} of {count} photos are answered right ({right / count:.1%}); chance gives {chance:.1%}."
    if _by_chance(right, count, chance) > significance:
        return issue(reason, step=val.steps[-1], value=right / count, threshold=chance)
    return no_issue(reason, value=right / count, threshold=chance)


def labels_shuffled(train: Series, val: Series, *, fits: float = 0.5, significance: float = 0.01) -> Finding:
    """Whether the network learns its training photos by heart while others are answered by chance.

    Args:
        train: labels and predictions of training batches.
        val: of evaluation batches.
        fits: share of right answers in the last epoch from which training photos count as learnt.
        significance: as in `not_learning`.
    """
    trained, evaluated = last_stage(train, val), last_stage(val, train)
    if not trained or not evaluated:
        return not_applicable(NOTHING)
    learnt, seen, _ = _right(_joined(train, trained))
    right, count, chance = _right(_joined(val, evaluated))
    if too_few := _too_few(count, chance, significance):
        return too_few
    reason = f"{learnt / seen:.1%} of training photos are answered right, and {right / count:.1%} of validation photos"
    if learnt / seen >= fits and chance < fits / 2 and _by_chance(right, count, chance) > significance:
        reason = f"{reason}, where chance gives {chance:.1%}."
        return issue(reason, step=val.steps[-1], value=right / count, threshold=chance)
    return no_issue(f"{reason}.")


def _right(pair: Pair) -> tuple[int, int, float]:
    """How many answers are right, of how many, and the share of the most frequent class."""
    target, preds = pair
    return (
        int((target == preds).sum()),
        target.size,
        float(np.unique(target, return_counts=True)[1].max() / target.size),
    )


def _too_few(count: int, chance: float, significance: float) -> Finding | None:
    """What there is to say where three times as many right as by chance could be chance."""
    share = min(1.0, 3 * chance)
    if _by_chance(round(share * count), count, chance) <= significance:
        return None
    return not_applicable(f"{count} photos are too few to tell {share:.1%} right from a chance of {chance:.1%}.")


def _by_chance(right: int, count: int, chance: float) -> float:
    """How probable so many right answers, or more, are by chance."""
    from scipy.stats import binom

    return float(binom.sf(right - 1, count, chance))
