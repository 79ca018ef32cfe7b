r"""Where prompted models truly leave chance: the elbow of one hinge, with its own uncertainty.

.. math:: y = B + A \max(0, E - L) \quad\text{or, with a cap,}\quad
          y = B + (c - B)\min(1, \max(0, E - L)/R)

Every elbow of a fine grid (and every ramp) is tried; base and slope follow by least squares. With
Gaussian errors and flat priors they, and the noise, integrate in closed form, which leaves the
posterior of the elbow: with :math:`n` scores its density is
:math:`|X^\top X|^{-1/2}\,\mathrm{RSS}^{-(n-2)/2}` times the probability that the slope is positive.
A truth is measured, too: a forecast cannot be better than the truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import without_rise
from upswing.laws.emergence.rows import LinearFit, block_sums, regressors, solve

FEWEST = 5
"""Fewest scores of which an elbow is fitted."""

_ELBOWS = 800
_RAMPS = 24
_ZOOMS = 4
_ZOOMED = 41


@dataclass(frozen=True, eq=False)
class HingeElbow:
    """The elbow of one curve.

    Attributes
    ----------
    elbow
        Most likely elbow [nats/token].
    slope, base
        Slope [score per nat] and base of that fit.
    cap
        Highest score; None without a cap.
    sigma
        Residual standard deviation.
    grid, weight
        Elbows of the posterior and their mass, shape (n,).
    """

    elbow: float
    slope: float
    base: float
    cap: float | None
    sigma: float
    grid: Array
    weight: Array

    def quantile(self, share: float | Array) -> Array:
        """Return posterior quantiles of the elbow [nats/token]."""
        middle = np.cumsum(self.weight) - 0.5 * self.weight
        return np.asarray(np.interp(share, middle, self.grid))

    @property
    def sd(self) -> float:
        """Posterior standard deviation of the elbow [nats/token]."""
        mean = self.weight @ self.grid
        return float(np.sqrt(self.weight @ (self.grid - mean) ** 2))


def fit_hinge_elbow(loss: Array, value: Array, cap: bool = False) -> HingeElbow | None:
    """Fit one hinge to scores over loss.

    Parameters
    ----------
    loss
        Pretraining loss [nats/token], shape (n,).
    value
        Scores, higher is better, shape (n,).
    cap
        Whether the scores end at a cap.

    Returns
    -------
    HingeElbow or None
        None where there are fewer than :data:`FEWEST` scores, or where nothing rises.

    Examples
    --------
    >>> loss = np.linspace(2.3, 1.8, 24)
    >>> found = fit_hinge_elbow(loss, 0.25 + 0.6 * np.maximum(1.95 - loss, 0))
    >>> round(found.elbow, 3), round(found.slope, 3), round(found.base, 3)
    (1.95, 0.6, 0.25)
    """
    if len(loss) < FEWEST or np.ptp(loss) <= 0.0:
        return None
    low, high = float(loss.min()), float(loss.max())
    elbows = np.linspace(low, high, _ELBOWS)
    ramps = np.geomspace(0.02 * (high - low), high - low, _RAMPS) if cap else None
    found = _solved(elbows, ramps, loss, value)
    if not found.information.any():
        return None
    weight = _posterior(elbows, ramps, found, loss)
    grid = elbows
    for _ in range(_ZOOMS):
        best = int(found.rss.argmin())
        n_ramps = 1 if ramps is None else len(ramps)
        elbow, reach = elbows[best // n_ramps], 2.0 * (elbows[1] - elbows[0])
        elbows = np.linspace(elbow - reach, elbow + reach, _ZOOMED)
        if ramps is not None:
            factor = (ramps[1] / ramps[0]) ** 2
            ramp = ramps[best % n_ramps]
            ramps = np.geomspace(ramp / factor, ramp * factor, _ZOOMED)
        found = _solved(elbows, ramps, loss, value)
    best = int(found.rss.argmin())
    n_ramps = 1 if ramps is None else len(ramps)
    top, base = float(found.top[best]), float(found.bases[best, 0])
    return HingeElbow(
        float(elbows[best // n_ramps]),
        top if ramps is None else (top - base) / float(ramps[best % n_ramps]),
        base,
        top if cap else None,
        float(np.sqrt(found.rss[best] / max(len(loss) - 3 - cap, 1))),
        grid,
        weight,
    )


def _candidates(elbows: Array, ramps: Array | None, loss: Array) -> tuple[Array, Array]:
    """Return the regressors of every elbow (and ramp), each (n_candidates, n_scores)."""
    if ramps is None:
        return regressors(elbows[:, None] - loss, None)
    beyond = np.repeat(elbows, len(ramps))[:, None] - loss
    return regressors(beyond, np.tile(ramps, len(elbows))[:, None])


def _solved(elbows: Array, ramps: Array | None, loss: Array, value: Array) -> LinearFit:
    onto = np.ones((len(loss), 1))
    sums = block_sums(*_candidates(elbows, ramps, loss), value, onto)
    return solve(sums, *without_rise(value, onto), ramps is not None)


def _posterior(elbows: Array, ramps: Array | None, fit: LinearFit, loss: Array) -> Array:
    """Return the mass of each elbow, ramps summed."""
    from scipy.special import stdtr

    base, _ = _candidates(elbows, ramps, loss)
    freedom = len(loss) - 2
    rss = np.maximum(fit.rss, max(1e-12 * float(fit.rss.max()), 1e-300))
    rises = fit.information > 0.0
    information = np.where(rises, fit.information, 1.0)
    height = fit.top if ramps is None else fit.top - fit.bases[:, 0]
    density = np.log(stdtr(freedom, height * np.sqrt(information * freedom / rss)))
    density -= 0.5 * freedom * np.log(rss)
    density -= 0.5 * (np.log(np.maximum((base**2).sum(axis=1), 1e-9)) + np.log(information))
    density = np.where(rises, density, -np.inf)
    mass = np.exp(density - density.max()).reshape(len(elbows), -1).sum(axis=1)
    return np.asarray(mass / mass.sum())
