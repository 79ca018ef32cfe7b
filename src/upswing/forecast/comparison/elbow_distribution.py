r"""Where an ability emerges as a distribution: weighted elbows, and which of two comes first.

Of two independent elbows :math:`E_A` and :math:`E_B`, given as points with masses
:math:`a_i` and :math:`b_j`, the distribution of the difference needs no sampling:

.. math:: P(E_B - E_A \le t) = \sum_i a_i \, F_B(x_i + t),

with :math:`F_B` the distribution function, drawn straight between points. Quantiles are found by
bisection. An ability emerges first where its elbow is at the *higher* loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_forecast import QUANTILES, EmergenceForecast
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.posterior import PERCENTILES

_BISECTIONS = 60
_FROM_QUANTILES = 1999


@dataclass(frozen=True, eq=False)
class ElbowDistribution:
    """Elbows with masses.

    Attributes
    ----------
    elbow
        Ascending [nats/token], shape (n_points,).
    weight
        Their masses; they sum to 1.
    """

    elbow: Array
    weight: Array

    @cached_property
    def _middle(self) -> Array:
        return np.asarray(np.cumsum(self.weight) - 0.5 * self.weight)

    @property
    def mean(self) -> float:
        """Mean [nats/token]."""
        return float(self.weight @ self.elbow)

    def cdf(self, elbow: float | Array) -> Array:
        """Return the probability of an elbow at or below some [nats/token], straight between."""
        inside = np.interp(elbow, self.elbow, self._middle)
        below, above = np.asarray(elbow) < self.elbow[0], np.asarray(elbow) > self.elbow[-1]
        return np.asarray(np.where(below, 0.0, np.where(above, 1.0, inside)))

    def quantile(self, share: float | Array) -> Array:
        """Return quantiles [nats/token]."""
        return np.asarray(np.interp(share, self._middle, self.elbow))


def weighted_elbows(elbow: Array, weight: Array | None = None) -> ElbowDistribution:
    """Return the distribution of elbows with masses, by default equal ones.

    Parameters
    ----------
    elbow
        In any order [nats/token], shape (n_points,).
    weight
        Not negative; scaled to sum to 1.
    """
    mass = np.ones(len(elbow)) if weight is None else np.asarray(weight, dtype=float)
    order = np.argsort(elbow, kind="stable")
    return ElbowDistribution(np.asarray(elbow, dtype=float)[order], mass[order] / mass.sum())


def forecast_elbows(forecast: EmergenceForecast) -> ElbowDistribution | None:
    """Return the distribution behind the quantiles of a forecast; None where it has none."""
    if forecast.intervals == "bootstrap":
        resampled = forecast.resampled
        if resampled is None or not len(resampled.forecast):
            return None
        return weighted_elbows(resampled.forecast)
    posterior = forecast.posterior
    return None if posterior is None else weighted_elbows(posterior.forecast, posterior.weight)


def elbows_of_quantiles(quantiles: Mapping[str, float]) -> ElbowDistribution:
    """Return a distribution with given quantiles: an approximation where no more is published.

    The quantile function is interpolated monotonically (cubic, Fritsch and Carlson) over standard
    normal scores, so that seven points of a normal distribution give it back. Beyond the outermost
    it goes on straight over the scores: the tails are normal.

    Parameters
    ----------
    quantiles
        ``q05`` ... ``q95`` [nats/token], at least two of them, ascending.

    Raises
    ------
    InputError
        If there are fewer than two, or they fall.

    Examples
    --------
    >>> normal = {"q05": -1.6449, "q25": -0.6745, "q50": 0.0, "q75": 0.6745, "q95": 1.6449}
    >>> found = elbows_of_quantiles(normal)
    >>> round(float(found.quantile(0.99)), 2), round(found.mean, 6)
    (2.33, 0.0)
    """
    from scipy.interpolate import PchipInterpolator
    from scipy.special import ndtri

    known = [
        (share, float(quantiles[name]))
        for name, share in zip(QUANTILES, PERCENTILES, strict=True)
        if quantiles.get(name) is not None
    ]
    shares, values = np.array(known).T if known else (np.empty(0), np.empty(0))
    if len(values) < 2 or np.any(np.diff(values) < 0):
        raise InputError("a distribution needs two quantiles or more, ascending")
    score = ndtri(shares)
    wanted = ndtri((np.arange(_FROM_QUANTILES) + 0.5) / _FROM_QUANTILES)
    elbow = PchipInterpolator(score, values)(np.clip(wanted, score[0], score[-1]))
    first, last = np.diff(values)[[0, -1]] / np.diff(score)[[0, -1]]
    elbow += first * np.minimum(wanted - score[0], 0.0) + last * np.maximum(wanted - score[-1], 0.0)
    return weighted_elbows(elbow)


def probability_first(
    one: ElbowDistribution, other: ElbowDistribution, irreducible: float = 0.0
) -> float:
    """Return the probability that ``one`` emerges before ``other``, at a higher loss.

    An elbow at or below the irreducible loss is never reached, so it comes before nothing.

    Parameters
    ----------
    one, other
        Independent elbows.
    irreducible
        Irreducible loss of the corpus [nats/token].

    Examples
    --------
    >>> one, other = weighted_elbows(np.array([2.0, 2.2])), weighted_elbows(np.array([2.1]))
    >>> probability_first(one, other), probability_first(other, one)
    (0.5, 0.5)
    """
    total = np.concatenate([[0.0], np.cumsum(other.weight)])
    below = total[np.searchsorted(other.elbow, one.elbow, side="left")]
    at_most = total[np.searchsorted(other.elbow, one.elbow, side="right")]
    return float(one.weight @ ((one.elbow > irreducible) * 0.5 * (below + at_most)))


def difference_quantiles(
    first: ElbowDistribution, second: ElbowDistribution, shares: Array
) -> Array:
    """Return quantiles of the second elbow minus the first [nats/token].

    Parameters
    ----------
    first, second
        Independent elbows.
    shares
        Shape (n,).
    """
    low = np.full(len(shares), second.elbow[0] - first.elbow[-1] - 1e-9)
    high = np.full(len(shares), second.elbow[-1] - first.elbow[0] + 1e-9)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        share = second.cdf(first.elbow + middle[:, None]) @ first.weight
        low = np.where(share < shares, middle, low)
        high = np.where(share < shares, high, middle)
    return np.asarray(0.5 * (low + high))
