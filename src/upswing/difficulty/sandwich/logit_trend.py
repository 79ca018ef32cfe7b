"""A bounded forecast from groups: a convex parabola of the logit of each group's probability."""

from __future__ import annotations

import numpy as np

from upswing.difficulty.groups.groups import Array, Mask
from upswing.difficulty.sandwich.link import fit_link
from upswing.difficulty.sandwich.polynomial import fit_polynomial, possible_degree
from upswing.difficulty.sandwich.sandwich_data import SandwichData
from upswing.difficulty.sandwich.sandwich_fit import calibration_shift

_SMALLEST = 1e-4


def logit_trend(x: Array, score: Array, train: Mask) -> Array:
    r"""Return a forecast of minus the TC Brier score of one group, bounded to (-1, 0).

    The score :math:`-B` is read as a probability :math:`p = 1 - \sqrt B` of the right option; its
    logit is fitted by a parabola in x that may not bend downwards, or by a line where it would
    or where there are only three models.

    Parameters
    ----------
    x
        log10 of training compute.
    score
        Minus the TC Brier score, in [-1, 0].
    train
        Models that are fitted.
    """
    p = np.clip(1.0 - np.sqrt(np.maximum(-score, 0.0)), _SMALLEST, 1.0 - _SMALLEST)
    logit = np.log(p / (1.0 - p))
    fitted = fit_polynomial(x[train], logit[train], possible_degree(x[train], 2))
    if fitted.degree == 2 and fitted.coefficients[2] < 0:
        fitted = fit_polynomial(x[train], logit[train], 1)
    return -((1.0 - 1.0 / (1.0 + np.exp(-fitted(x)))) ** 2)


def logit_trend_accuracy(data: SandwichData) -> Array:
    """Return a forecast of accuracy from all groups, each by :func:`logit_trend`.

    Their mean, weighted by questions, goes through the link of Slice-and-Sandwich and its
    calibration. The form was chosen after looking at Wu and Lo's tasks: how well it does on them is
    no evidence for it.

    Parameters
    ----------
    data
        Groups and accuracies.
    """
    trends = [logit_trend(data.x, score, data.train) for score in data.groups.T]
    score = np.average(np.column_stack(trends), axis=1, weights=data.sizes)
    link = fit_link(data.accuracy[data.train], data.score[data.train])
    accuracy = link.accuracy(score)
    return accuracy + calibration_shift(data.accuracy, accuracy, data.train)
