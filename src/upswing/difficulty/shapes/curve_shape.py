r"""Is one curve of a few models a U or an inverted U? Fast enough to ask of every curve.

For each place of the turn, weighted least squares gives a line up to it and a line from it on. A U
falls on the first and rises on the second, so the z-score of a turn is the smaller of the two, and
that of the curve, Z, the largest over turns.

The noise of a score is :math:`\sigma_i^2 = s_i^2 + \tau^2 g_i^2`: its standard error over
questions, and a deviation between models that for a share is even on the logit scale,
:math:`g_i = y_i (1 - y_i)`. :math:`\tau` makes the mean square of the standardised differences from
the straight line between both neighbours 1; a bend in the curve makes it larger, never smaller.

The p-value counts how often curves that fall nowhere do as well. Among them the hardest are flat
and then rise so steeply that the second line is never in doubt. Then Z is at most the largest
z-score of a first line on a flat curve, whose distribution is drawn, with the noise estimated in
the same way from curves without known noise. So p-values are too large rather than too small where
questions are few and models alike. They are doubled, for turns of both ways up are looked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.shape_tests import ALPHA, checked
from upswing.errors import InputError

Array = npt.NDArray[np.float64]

LEAST_SCALES = 5
DRAWS = 9999

_LEAST_SPREAD = 0.01
"""Least g of a share: those near 0 and 1 vary a little too."""


class CurveShape(NamedTuple):
    """Whether a curve has a turn.

    Attributes
    ----------
    shape
        ``u-shaped``, ``inverted-u``, or ``no turn`` where neither is significant.
    p_value
        Of the likelier of both, doubled; 1 with fewer than five scales.
    turn
        x at the turn of the likelier one; None with fewer than five scales.
    tau
        Deviation between models, on the logit scale for a share.
    """

    shape: Literal["u-shaped", "inverted-u", "no turn"]
    p_value: float
    turn: float | None
    tau: float


def curve_shape(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    stderr: npt.ArrayLike | None = None,
    *,
    proportion: bool = True,
    alpha: float = ALPHA,
) -> CurveShape:
    """Test one curve for a U and for an inverted U.

    Parameters
    ----------
    x
        Scale, as log10 of compute [FLOP]: ascending or not, no two equal, shape (n_scales,).
    y
        Scores, higher is better.
    stderr
        Standard error of each over questions; 0 where NaN or not given.
    proportion
        Whether scores are shares in [0, 1].
    alpha
        Level at which a turn counts.

    Raises
    ------
    InputError
        If shapes do not agree, values are not finite, or two scales are equal.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> found = curve_shape(x, 0.3 + 0.02 * (x - 5) ** 2, np.full(10, 0.01))
    >>> found.shape, found.turn
    ('u-shaped', 5.0)
    >>> curve_shape(x, 0.1 + 0.05 * x, np.full(10, 0.01)).shape
    'no turn'
    """
    place, score = checked(x, y)
    error = np.zeros_like(place) if stderr is None else np.nan_to_num(np.asarray(stderr, float))
    if error.shape != place.shape or (error < 0).any():
        raise InputError(f"stderr has shape {error.shape}, x has {place.shape}, or is negative")
    order = np.argsort(place, kind="stable")
    place, score, error = place[order], score[order], error[order]
    if (np.diff(place) <= 0).any():
        raise InputError("two scales are equal", hint="pool the models of one scale")
    if len(place) < LEAST_SCALES:
        return CurveShape("no turn", 1.0, None, 0.0)
    inner = np.clip(score, 0.0, 1.0)
    spread = np.maximum(inner * (1.0 - inner), _LEAST_SPREAD) if proportion else np.ones_like(score)
    tau = _between_models(place, score, error, spread)
    noise = np.sqrt(error**2 + (tau * spread) ** 2)
    if not (noise > 0).all():
        noise = np.maximum(noise, 1e-9 * max(float(np.ptp(score)), 1.0))
    left = _first_lines(place, score[None, :], noise)[0]
    right = -_first_lines(-place[::-1], score[None, ::-1], noise[::-1])[0, ::-1]
    found = []
    for sign in (1, -1):
        every = np.minimum(-sign * left[:-1], sign * right[1:])
        found.append((float(every.max()), int(every.argmax()) + 1))
    best = 0 if found[0][0] >= found[1][0] else 1
    largest, turn = found[best]
    span = (place - place[0]) / (place[-1] - place[0])
    null = _null_scores(tuple(float(value) for value in span.round(3)))
    beyond = len(null) - np.searchsorted(null, largest)
    p = min(1.0, 2.0 * float(1 + beyond) / (len(null) + 1))
    word: Literal["u-shaped", "inverted-u"] = "u-shaped" if best == 0 else "inverted-u"
    return CurveShape(word if p <= alpha else "no turn", p, float(place[turn]), tau)


def _first_lines(x: Array, y: Array, noise: Array) -> Array:
    """Return z-scores of the slope of the first 2, 3, ... points, shape (n_curves, n - 1)."""
    weight = 1.0 / noise**2
    sums = np.cumsum(np.stack([weight, weight * x, weight * x**2]), axis=1)
    of_y = np.cumsum(weight * y, axis=1)
    of_xy = np.cumsum(weight * x * y, axis=1)
    spread = sums[2] - sums[1] ** 2 / sums[0]
    covariance = of_xy - sums[1] / sums[0] * of_y
    return np.asarray(covariance[:, 1:] / np.sqrt(np.maximum(spread[1:], 1e-300)))


def _differences(x: Array, y: Array) -> tuple[Array, Array]:
    """Return differences from the line between both neighbours, and the weights that make them."""
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    weights = np.stack([share - 1.0, np.ones_like(share), -share])
    parts = np.stack([y[..., :-2], y[..., 1:-1], y[..., 2:]])
    return np.einsum("k...i,ki->...i", parts, weights), weights


def _between_models(x: Array, y: Array, error: Array, spread: Array) -> float:
    """Return tau; 0 where the standard errors explain the scatter."""
    difference, weights = _differences(x, y)

    def variance(of_each: Array) -> Array:
        parts = np.stack([of_each[:-2], of_each[1:-1], of_each[2:]])
        return np.asarray(np.sum(weights**2 * parts, axis=0))

    known, unknown = variance(error**2), variance(spread**2)
    low, high = 0.0, float(np.sqrt(np.max(difference**2 / unknown) * len(y)))
    standardised = np.divide(difference**2, known, out=np.full_like(known, np.inf), where=known > 0)
    if high == 0.0 or np.mean(standardised) <= 1.0:
        return 0.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        small = np.mean(difference**2 / (known + middle**2 * unknown)) > 1.0
        low, high = (middle, high) if small else (low, middle)
    return 0.5 * (low + high)


@lru_cache(maxsize=256)
def _null_scores(span: tuple[float, ...]) -> Array:
    """Return the sorted largest z-scores of a falling first line on flat curves of these scales."""
    x = np.array(span)
    y = np.random.default_rng(0).standard_normal((DRAWS, len(x)))
    difference, weights = _differences(x, y)
    noise = np.sqrt(np.mean(difference**2 / np.sum(weights**2, axis=0), axis=1))
    falling = -_first_lines(x, y, np.ones_like(x))[:, :-1]
    return np.sort(falling.max(axis=1) / noise)
