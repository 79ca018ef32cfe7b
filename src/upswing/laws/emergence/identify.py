r"""How well the data tell the parameters of an emergence law apart.

Given the elbows at two amounts of data, the exponent alone decides how far below them E(D0) is.
The profile of the likelihood over the exponent, with the forecast at each, shows what the data say
about it; where it is flat, the forecast is the prior's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.fit import EmergenceMle, improve
from upswing.laws.emergence.law import Array, published_parameters
from upswing.laws.emergence.objective import Objective, spread
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.laws.emergence.rows import EmergenceRows

CHI_SQUARED_95 = 3.841
"""95 % quantile of chi-squared with one degree of freedom."""

_ALPHAS = 31
_STARTS = 3
_ALPHA = 2


@dataclass(frozen=True, eq=False)
class AlphaProfile:
    """The likelihood over the exponent.

    Attributes
    ----------
    alpha
        Exponents, ascending, shape (n,).
    deviance
        Twice the log-likelihood lost against the best exponent, all else fitted.
    forecast
        E(D0) of that fit [nats/token].
    """

    alpha: Array
    deviance: Array
    forecast: Array

    @property
    def interval(self) -> tuple[float, float]:
        """Exponents that the data do not reject at 5 %."""
        kept = self.alpha[self.deviance <= CHI_SQUARED_95]
        return float(kept.min()), float(kept.max())

    @property
    def bounded(self) -> tuple[bool, bool]:
        """Whether the data reject the smallest and the largest exponent."""
        return bool(self.deviance[0] > CHI_SQUARED_95), bool(self.deviance[-1] > CHI_SQUARED_95)

    @property
    def forecasts(self) -> tuple[float, float]:
        """Range of the forecasts of exponents that the data do not reject [nats/token]."""
        kept = self.forecast[self.deviance <= CHI_SQUARED_95]
        return float(kept.min()), float(kept.max())


def alpha_profile(rows: EmergenceRows, mle: EmergenceMle) -> AlphaProfile:
    """Fit everything else at each of a row of exponents.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law; its exponent is one of them.
    """
    objective = Objective(rows, mle.form)
    alphas = np.sort(np.append(spread(*mle.form.alphas, _ALPHAS), mle.theta[_ALPHA]))
    grid = objective.grid()
    rss = objective.rss(grid)
    starts = [np.tile(mle.theta, (len(alphas), 1))]
    order = np.abs(grid[:, _ALPHA, None] - alphas)
    near = order <= order.min(axis=0) + 1e-12  # the grid's exponent nearest to each
    ranked = np.where(near, rss[:, None], np.inf).argsort(axis=0)
    starts += [grid[ranked[i]] for i in range(_STARTS)]
    best, theta = np.full(len(alphas), np.inf), starts[0]
    for start in starts:
        held = start.copy()
        held[:, _ALPHA] = alphas
        found = improve(objective, held, held=(_ALPHA,))
        value = objective.rss(found)
        theta = np.where((value < best)[:, None], found, theta)
        best = np.minimum(best, value)
    least = max(min(float(best.min()), mle.rss), 1e-12 * float(np.var(rows.value)) * len(rows))
    deviance = len(rows) * np.log(np.maximum(best, least) / least)
    return AlphaProfile(alphas, np.maximum(deviance, 0.0), objective.forecast(theta))


def correlations(
    rows: EmergenceRows, mle: EmergenceMle, posterior: EmergencePosterior
) -> dict[str, float]:
    """Return posterior correlations, among them those of the published parameters k, C and alpha.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law, for its form.
    posterior
        Where the correlations are taken.
    """
    low, high, alpha = posterior.theta.T
    d_min, d_max = float(rows.amounts[0]), float(rows.amounts[-1])
    k, c = published_parameters(low, high, alpha, d_min, d_max, mle.form.shape)
    sizes = {
        "alpha": alpha,
        "e_min": low,
        "e_max": high,
        "forecast": posterior.forecast,
        "ln k": np.log(np.maximum(np.abs(k), 1e-300)),
        "c": c,
    }
    pairs = (
        ("alpha", "forecast"),
        ("e_min", "forecast"),
        ("e_max", "forecast"),
        ("ln k", "alpha"),
        ("c", "forecast"),
    )
    return {f"{a}, {b}": posterior.correlation(sizes[a], sizes[b]) for a, b in pairs}
