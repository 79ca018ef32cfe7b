r"""Two shapes of a fall with length, fitted to accuracy and to edit distance alike.

A straight line :math:`b_0 + b_1 L` and a geometric curve :math:`A r^L`, both by least squares with
the inverse variance of each mean as weight, so that lengths at which nothing is right count too
(the logarithm of 0 has no place in a regression of ln accuracy). The prediction is that accuracy is
geometric rather than straight, and edit distance straight rather than geometric.

With p1 given there is one more curve, :math:`p_1^{L^\gamma}`: independence where
:math:`\gamma = 1`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_LOG_RATES = (-12.0, 2.0)
_POWERS = (0.0, 8.0)
_FIRST = 71
_ZOOM = 15
_ROUNDS = 5


class Line(NamedTuple):
    """A weighted least-squares fit, one per leading index.

    Attributes
    ----------
    first, second
        Intercept and slope of a straight line; A and ln r of a geometric curve. NaN where they are
        not determined.
    fitted
        Values at the lengths, shape (..., n_lengths).
    residual
        Weighted sum of squared residuals, shape (...).
    """

    first: Array
    second: Array
    fitted: Array
    residual: Array


def straight(lengths: Array, y: Array, weight: Array) -> Line:
    """Fit a straight line to each row of ``y``, shape (..., n_lengths).

    Examples
    --------
    >>> found = straight(np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 1.5]), np.ones(3))
    >>> float(found.second.round(6)), float(found.residual.round(6))
    (0.5, 0.0)
    """
    total = weight.sum(axis=-1)
    mean_x, mean_y = (weight * lengths).sum(-1) / total, (weight * y).sum(-1) / total
    x = lengths - mean_x[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (weight * x * y).sum(-1) / (weight * x * x).sum(-1)
    fitted = mean_y[..., None] + slope[..., None] * x
    return Line(mean_y - slope * mean_x, slope, fitted, _residual(y, fitted, weight))


def geometric(lengths: Array, y: Array, weight: Array) -> Line:
    """Fit A r^L to each row of ``y``, shape (..., n_lengths).

    For a given rate A has a closed form, so that the rate is found by a search that zooms in.

    Examples
    --------
    >>> lengths = np.array([1.0, 2.0, 3.0])
    >>> found = geometric(lengths, 0.9 * 0.5**lengths, np.ones(3))
    >>> float(np.exp(found.second).round(4)), float(found.first.round(4))
    (0.5, 0.9)
    """
    from_first = lengths - lengths.min()

    def curve(log_rate: Array) -> tuple[Array, Array]:
        shape = np.exp(log_rate[..., None] * from_first)
        height = (weight * y)[..., None, :] * shape
        norm = (weight[..., None, :] * shape**2).sum(-1)
        return height.sum(-1) / norm, shape

    def residual(log_rate: Array) -> Array:
        height, shape = curve(log_rate)
        return _residual(y[..., None, :], height[..., None] * shape, weight[..., None, :])

    rate = _search(residual, y.shape[:-1], *_LOG_RATES)
    height, shape = curve(rate[..., None])
    fitted = height[..., 0, None] * shape[..., 0, :]
    at_end = (rate < _LOG_RATES[0] + 0.05) | ~(y > 0).any(axis=-1)
    amount = height[..., 0] * np.exp(-rate * lengths.min())
    return Line(
        np.where(at_end, np.nan, amount),
        np.where(at_end, np.nan, rate),
        fitted,
        _residual(y, fitted, weight),
    )


def free_power(lengths: Array, y: Array, weight: Array, p1: Array) -> Line:
    r"""Fit :math:`p_1^{L^\gamma}` to each row of ``y`` with its own p1, shape (...).

    ``first`` is the residual of :math:`\gamma = 1` and ``second`` :math:`\gamma`; NaN where p1 is 0
    or 1 and the curve does not depend on it.
    """
    with np.errstate(divide="ignore"):
        log_p = np.log(p1)

    def curve(power: Array) -> Array:
        exponent = np.exp(power[..., None] * np.log(lengths))
        with np.errstate(invalid="ignore"):
            return np.asarray(np.exp(log_p[..., None, None] * exponent))

    def residual(power: Array) -> Array:
        return _residual(y[..., None, :], curve(power), weight[..., None, :])

    power = _search(residual, y.shape[:-1], *_POWERS)
    fitted = curve(power[..., None])[..., 0, :]
    independent = _residual(y, curve(np.ones((*y.shape[:-1], 1)))[..., 0, :], weight)
    known = (p1 > 0) & (p1 < 1)
    return Line(independent, np.where(known, power, np.nan), fitted, _residual(y, fitted, weight))


def _residual(y: Array, fitted: Array, weight: Array) -> Array:
    return np.asarray((weight * (y - fitted) ** 2).sum(axis=-1))


def _search(
    residual: Callable[[Array], Array], leading: tuple[int, ...], low: float, high: float
) -> Array:
    """Return where the residual is least: a grid, then finer ones around its best point."""
    grid = np.broadcast_to(np.linspace(low, high, _FIRST), (*leading, _FIRST))
    step = (high - low) / (_FIRST - 1)
    for round_ in range(_ROUNDS):
        best = residual(grid).argmin(axis=-1)
        at = np.take_along_axis(grid, best[..., None], axis=-1)
        if round_ < _ROUNDS - 1:
            grid = np.clip(at + np.linspace(-step, step, _ZOOM), low, high)
            step = 2.0 * step / (_ZOOM - 1)
    return np.asarray(at[..., 0])
