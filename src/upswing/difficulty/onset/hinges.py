"""Continuous lines with one or two bends, fitted to many weightings of the models at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.arms import least_arm

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_KNOTS = 24
_AT_A_TIME = 50_000


@dataclass(frozen=True, eq=False)
class Hinges:
    """The best line with a number of bends, for every weighting.

    Attributes
    ----------
    knots
        Places of the bends, shape (n_weightings, n_bends).
    slopes
        Slope of each piece, shape (n_weightings, n_bends + 1).
    rss
        Weighted residual sum of squares, shape (n_weightings,).
    """

    knots: Array
    slopes: Array
    rss: Array


def candidate_knots(x: Array) -> Array:
    """Return places for bends: midpoints between models, at most 24, each arm with enough models.

    None is at the first or the last scale, where a line would have no models on one side.

    Parameters
    ----------
    x
        Ascending positions of the models.
    """
    least = least_arm(len(x))
    if len(x) < 2 * least:
        return np.empty(0)
    middles = 0.5 * (x[least - 1 : len(x) - least] + x[least : len(x) - least + 1])
    middles = np.unique(middles[(middles > x[0]) & (middles < x[-1])])
    if len(middles) <= _KNOTS:
        return middles
    return middles[np.linspace(0, len(middles) - 1, _KNOTS).round().astype(np.int64)]


def fit_hinges(x: Array, y: Array, weights: Array, bends: int) -> Hinges | None:
    r"""Fit :math:`a + b x + \sum_k c_k (x - \kappa_k)_+` by weighted least squares over all knots.

    Parameters
    ----------
    x, y
        Ascending positions and scores, shape (n,).
    weights
        One row per weighting, shape (n_weightings, n), not negative.
    bends
        0, 1 or 2.

    Returns
    -------
    Hinges or None
        None where there are too few models for so many bends.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> found = fit_hinges(x, np.abs(x - 0.475), np.ones((1, 21)), 1)
    >>> found.knots.round(3).tolist(), found.slopes.round(6).tolist()
    ([[0.475]], [[-1.0, 1.0]])
    """
    least = least_arm(len(x))
    knots = candidate_knots(x)
    between = np.searchsorted(x, knots)
    ways = [
        pair
        for pair in combinations(range(len(knots)), bends)
        if all(between[j] - between[i] >= least for i, j in pairwise(pair))
    ]
    if len(x) < least * (bends + 1) or not ways:
        return None
    chosen = knots[np.array(ways, dtype=np.int64).reshape(len(ways), bends)]
    u = x - x.mean()
    columns = [np.ones((len(ways), len(x))), np.broadcast_to(u, (len(ways), len(x)))]
    columns += [np.maximum(x - chosen[:, [k]], 0.0) for k in range(bends)]
    design = np.stack(columns, axis=2)  # way, model, column
    size = design.shape[2]
    products = np.einsum("wmi,wmj->mwij", design, design).reshape(len(x), -1)
    with_y = np.einsum("wmi,m->mwi", design, y).reshape(len(x), -1)
    ridge = 1e-9 * np.eye(size)
    best_knots, best_slopes, best_rss = [], [], []
    for part in np.array_split(weights, max(1, len(weights) * len(ways) // _AT_A_TIME)):
        normal = (part @ products).reshape(len(part), len(ways), size, size) + ridge
        moment = (part @ with_y).reshape(len(part), len(ways), size)
        coefficient = np.linalg.solve(normal, moment[..., None])[..., 0]
        explained = np.einsum("rwi,rwi->rw", coefficient, moment)
        best = explained.argmax(axis=1)
        row = np.arange(len(part))
        best_knots.append(chosen[best])
        best_slopes.append(np.cumsum(coefficient[row, best, 1:], axis=1))
        best_rss.append(np.maximum(part @ y**2 - explained[row, best], 0.0))
    return Hinges(np.concatenate(best_knots), np.concatenate(best_slopes), np.concatenate(best_rss))
