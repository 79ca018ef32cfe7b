r"""Posterior of the emergence law by grid quadrature, for independent scores.

The grid covers anchors and exponent (and the ramp of a cap) and is refined where the posterior is;
bases, slope and noise integrate in closed form. With :math:`n` scores and :math:`p` linear
parameters the density at one point of the grid is

.. math:: |X^\top X|^{-1/2} \; \mathrm{RSS}^{-(n-p)/2} \; P(0 < A < A_{max}),

for flat priors on bases and slope and on the logarithm of the noise. Nothing is sampled, so there
is no seed and no convergence to check. What it takes for granted, that scores are independent
given the law, is wrong when several models were finetuned on one subset of examples; see
:mod:`upswing.laws.emergence.hierarchy`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from upswing.laws.emergence.cells import Cells, first_cells, refined
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import Objective
from upswing.laws.emergence.prior import EmergencePrior, exponent
from upswing.laws.emergence.rows import EmergenceRows, block_sums, solve

PERCENTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""The quantiles that are reported, those of table 3 of Snell et al."""

_BLOCK = 3_000_000


@dataclass(frozen=True, eq=False)
class EmergencePosterior:
    """Posterior of the forecast as weighted points.

    Attributes
    ----------
    forecast
        E(D0) of each point [nats/token], shape (n_points,).
    weight
        Posterior mass of each point; they sum to 1.
    theta
        Elbow at D_min, elbow at D_max, and exponent, shape (n_points, 3).
    means
        Posterior means of the other parameters, by name.
    """

    forecast: Array
    weight: Array
    theta: Array
    means: dict[str, float] = field(default_factory=dict)

    def quantile(self, share: float | Array) -> Array:
        """Return quantiles of E(D0) [nats/token]."""
        order = np.argsort(self.forecast)
        weight = self.weight[order]
        return np.asarray(np.interp(share, np.cumsum(weight) - 0.5 * weight, self.forecast[order]))

    def cdf(self, elbow: float | Array) -> Array:
        """Return the probability that E(D0) is at most ``elbow`` [nats/token]."""
        order = np.argsort(self.forecast)
        total = np.concatenate([[0.0], np.cumsum(self.weight[order])])
        return np.asarray(total[np.searchsorted(self.forecast[order], elbow, side="right")])

    @property
    def mean(self) -> float:
        """Posterior mean of E(D0) [nats/token]."""
        return float(self.weight @ self.forecast)

    def correlation(self, first: Array, second: Array) -> float:
        """Return the posterior correlation of two functions of the points, shape (n_points,)."""
        a, b = first - self.weight @ first, second - self.weight @ second
        spread = np.sqrt((self.weight @ a**2) * (self.weight @ b**2))
        return float(self.weight @ (a * b) / spread) if spread > 0 else 0.0


def independent_posterior(
    rows: EmergenceRows, mle: EmergenceMle, prior: EmergencePrior | None = None
) -> EmergencePosterior:
    """Return the posterior that takes all scores for independent given the law.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law, near which the grid is dense.
    prior
        Only ``steepest`` is used.
    """
    objective = Objective(rows, mle.form)
    steepest = float(np.ptp(rows.value)) / (prior or EmergencePrior()).steepest

    def log_density(cells: Cells) -> Array:
        return _log_density(objective, _theta(cells, mle), steepest)

    cells, log_mass = refined(first_cells(mle, objective.box), log_density)
    weight = np.exp(log_mass - log_mass.max())
    theta = _theta(cells, mle)
    return EmergencePosterior(objective.forecast(theta), weight / weight.sum(), theta[:, :3])


def _theta(cells: Cells, mle: EmergenceMle) -> Array:
    theta = cells.centre.copy()
    theta[:, 2] = exponent(theta[:, 2], mle.form)
    if mle.form.cap:
        theta[:, 3] = np.exp(theta[:, 3])
    return theta


def _log_density(objective: Objective, theta: Array, steepest: float) -> Array:
    from scipy.special import stdtr

    rows, capped = objective.rows, objective.form.cap
    onto = objective.onto_block
    freedom = max(len(rows) - onto.shape[1] - 1, 1)
    parts = []
    step = max(1, _BLOCK // len(rows))
    floor = 1e-12 * float(np.sum((rows.value - rows.value.mean()) ** 2)) + 1e-300
    for i in range(0, len(theta), step):
        sums = block_sums(*objective.regressors(theta[i : i + step]), rows.value, onto)
        fit = solve(sums, *objective.flat, capped)
        rss = np.maximum(fit.rss, floor)
        rises = fit.information > 0.0
        information = np.where(rises, fit.information, 1.0)
        spread = np.sqrt(rss / (freedom * information))
        bottom = fit.bases.max(axis=1) if capped else np.zeros(len(rss))
        top = bottom + steepest * theta[i : i + step, 3] if capped else np.full(len(rss), steepest)
        inside = stdtr(freedom, (top - fit.top) / spread) - stdtr(
            freedom, (bottom - fit.top) / spread
        )
        log = np.log(np.maximum(inside, 1e-300)) - 0.5 * np.log(information)
        log -= 0.5 * freedom * np.log(rss)
        # With no information on the slope the integral is that of the prior's whole range.
        flat = np.log(np.maximum(top - bottom, 1e-300)) - 0.5 * (freedom + 1) * np.log(rss)
        parts.append(
            np.where(rises, log, flat) - 0.5 * np.log(np.maximum(sums[0], 1e-9)).sum(axis=1)
        )
    return np.concatenate(parts)
