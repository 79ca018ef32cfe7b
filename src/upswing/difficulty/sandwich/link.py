"""The link between accuracy and TC Brier score: a straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.difficulty.groups.groups import Array
from upswing.difficulty.sandwich.polynomial import fit_polynomial
from upswing.errors import InputError


@dataclass(frozen=True)
class Link:
    r"""The line :math:`-B = i + s\,a` of TC Brier score B on accuracy a.

    Attributes
    ----------
    intercept, slope
        i and s.
    r2
        Share of the variance of the score that it explains.
    """

    intercept: float
    slope: float
    r2: float

    def score(self, accuracy: Array) -> Array:
        """Return minus the TC Brier score at an accuracy."""
        return self.intercept + self.slope * accuracy

    def accuracy(self, score: Array) -> Array:
        """Return the accuracy at minus a TC Brier score: the line, inverted."""
        return (score - self.intercept) / self.slope


def fit_link(accuracy: Array, score: Array) -> Link:
    """Fit the line by ordinary least squares of the score on the accuracy.

    Parameters
    ----------
    accuracy
        Accuracy of each model.
    score
        Minus the TC Brier score of each.

    Raises
    ------
    InputError
        If the accuracy or the score does not vary, so that the line cannot be inverted.

    Examples
    --------
    >>> link = fit_link(np.array([0.2, 0.4, 0.6]), np.array([-0.7, -0.5, -0.3]))
    >>> round(link.intercept, 9), round(link.slope, 9), round(link.r2, 9)
    (-0.9, 1.0, 1.0)
    """
    if len(accuracy) < 2 or not np.ptp(accuracy) > 0 or not np.ptp(score) > 0:
        raise InputError(
            "accuracy or TC Brier score does not vary over the models below the threshold, so one "
            "does not follow from the other",
            hint="choose a higher threshold",
        )
    line = fit_polynomial(accuracy, score, 1)
    intercept, slope = line.coefficients.tolist()
    return Link(intercept, slope, float(line.r2))
