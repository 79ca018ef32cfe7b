r"""Covariance of the parameters of a loss law, by the formula for M-estimators.

.. math:: \mathrm{Cov} = \frac{\overline{\psi^2}}{\overline{\psi'}^2}
          \Bigl(\sum_i g_i g_i^\top\Bigr)^{-1} \frac{n}{n - p}

with the slope :math:`\psi` of the cost and the gradients g of the fitted values. The mean curvature
of a Huber loss is the share of residuals within delta; where delta is narrower than the noise, that
share is taken from a window as wide as the noise allows. For least squares this is the usual
formula. Points are taken for independent; the bootstrap keeps checkpoints of a model together.

Reference: Huber 1973, doi:10.1214/aos/1176342503.
"""

from __future__ import annotations

import numpy as np

from upswing.laws.loss.criterion import Array
from upswing.laws.loss.objective import LossObjective

_NO_SHARE = 1e-6


def covariance(objective: LossObjective, theta: Array) -> Array:
    """Return the covariance of ``(ln A_1 .., a_1 .., E)``, shape (p, p).

    Rows and columns of an irreducible loss that is fitted as 0 are not a number.
    """
    gradient, fitted = objective.gradients(theta)
    residual = objective.residual(theta[None])[0]
    k, n = objective.terms, len(residual)
    kept = np.ones(objective.parameters, dtype=bool)
    if objective.constant:
        irreducible = float(np.exp(theta[2 * k]))
        kept[2 * k] = irreducible > _NO_SHARE * float(fitted.min())
        gradient = gradient.copy()
        gradient[:, 2 * k] /= max(irreducible, 1e-300)
    # at a fixed coefficient an exponent turns the law about scale 1, not about the mean
    gradient[:, k : 2 * k] -= gradient[:, :k] * objective.centre
    criterion = objective.criterion
    inside = 1.0
    if criterion.delta is not None:
        window = max(criterion.delta, 1.4826 * float(np.median(np.abs(residual))) * n**-0.2)
        inside = float((np.abs(residual) <= window).mean()) * criterion.delta / window
    scale = float((criterion.slope(residual) ** 2).mean()) / inside**2 * n / (n - kept.sum())
    used = gradient[:, kept]
    size = np.sqrt((used**2).sum(axis=0))
    inverse = np.linalg.pinv((used / size).T @ (used / size), rcond=1e-14) / np.outer(size, size)
    full = np.full((objective.parameters, objective.parameters), np.nan)
    full[np.ix_(kept, kept)] = scale * inverse
    return full
