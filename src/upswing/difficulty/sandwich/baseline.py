"""The published baseline: a sigmoid of compute, fitted as a line through logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.difficulty.groups.groups import Array
from upswing.difficulty.sandwich.polynomial import fit_polynomial

EPSILON = 1e-6
"""What keeps the logit of 0 and 1 finite in Wu and Lo's code: logit(0) becomes -13.8."""


@dataclass(frozen=True)
class SigmoidBaseline:
    r"""The curve :math:`\sigma(a x + b) + \text{chance}` of accuracy.

    It runs from chance to 1 + chance, beyond what an accuracy can be: the published form.

    Attributes
    ----------
    slope, intercept
        a [per decade of compute] and b.
    chance
        Accuracy of a guess.
    """

    slope: float
    intercept: float
    chance: float

    def __call__(self, x: Array) -> Array:
        """Return the accuracy at x, log10 of compute."""
        return 0.5 * (1.0 + np.tanh(0.5 * (self.slope * x + self.intercept))) + self.chance


def shifted_logit(y: Array, epsilon: float = EPSILON) -> Array:
    r"""Return :math:`\log\frac{y + \epsilon}{1 - y + \epsilon}` of y, clipped to [0, 1].

    Examples
    --------
    >>> shifted_logit(np.array([-0.1, 0.0, 0.5])).round(4).tolist()
    [-13.8155, -13.8155, 0.0]
    """
    clipped = np.clip(y, 0.0, 1.0)
    return np.asarray(np.log((clipped + epsilon) / (1.0 - clipped + epsilon)))


def fit_baseline(x: Array, accuracy: Array, chance: float) -> SigmoidBaseline:
    """Fit a line to the logits of accuracy above chance, by ordinary least squares.

    Every model at or below chance gets the logit -13.8, so the fit is drawn to them; that is the
    published baseline. The published "oracle" is the same on all models.

    Parameters
    ----------
    x
        log10 of training compute of each model.
    accuracy
        Accuracy of each.
    chance
        Accuracy of a guess.

    References
    ----------
    Wu and Lo 2025, arXiv:2410.01692.
    """
    line = fit_polynomial(x, shifted_logit(accuracy - chance), 1)
    intercept, slope = line.coefficients.tolist()
    return SigmoidBaseline(slope, intercept, chance)
