r"""The likelihood ratio of constrained shapes: is a turn needed to explain a curve?

The alternative says only which way the curve goes and how often it turns, not its form: a U is any
sequence that falls and then rises. Least squares under such constraints is isotonic regression on
both sides of the best turn. The statistic is

.. math:: R_0 - R_1,

the residual sum of squares of the best shape with one turn less (monotone, either way, for a U; a
U, either way up, for an inverted U that rises again) minus that of the shape.

Its distribution is that of a wild cluster bootstrap: the fitted curve of :math:`R_0` plus the
scatter of the models (:mod:`upswing.difficulty.shapes.scatter`), with one random sign for all
models of a
family. Residuals around the fitted shape itself would be too small, since it follows the noise.

References
----------
Barlow, Bartholomew, Bremner and Brunk, Statistical inference under order restrictions, 1972;
Cameron, Gelbach and Miller, Rev. Econ. Stat. 90 (2008), doi:10.1162/rest.90.3.414.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.arms import SIGNS, Shape
from upswing.difficulty.shapes.scatter import family_residuals, random_signs

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

DRAWS = 199


def likelihood_ratio_p(
    x: Array,
    y: Array,
    cluster: Whole,
    shape: Shape,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> float:
    """Return the bootstrap p-value of a shape against the best one with one turn less.

    Parameters
    ----------
    x, y
        Ascending positions and scores of the models, shape (n,).
    cluster
        Family of each model, from 0, shape (n,).
    shape
        A shape with a turn.
    rng
        Source of randomness.
    draws
        Bootstrap draws; the smallest p-value is 1 / (draws + 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.linspace(-1, 1, 40)
    >>> y = x**2 + 0.05 * rng.standard_normal(40)
    >>> likelihood_ratio_p(x, y, np.arange(40), "u-shaped", rng)
    0.005
    """
    signs = SIGNS[shape]
    table = _rss_by_turns(y[None, :], signs)
    observed = _gained(table)[0]
    if observed <= 1e-12 * float(np.sum((y - y.mean()) ** 2)):
        return 1.0
    null = _fitted(y, signs, _edges_only(table)[0])
    scatter = random_signs(cluster, (draws,), rng) * family_residuals(x, y, cluster)
    drawn = _gained(_rss_by_turns(null + scatter, signs))
    return float((1 + np.count_nonzero(drawn >= observed)) / (draws + 1))


def constrained_fit(y: Array, shape: Shape) -> Array:
    """Return the least-squares curve of a shape, shape (n,).

    Parameters
    ----------
    y
        Scores by scale.
    shape
        Any but ``flat``; a U-then-rise is fitted as a U.

    Examples
    --------
    >>> constrained_fit(np.array([3.0, 1.0, 2.0, 1.0, 4.0]), "u-shaped").tolist()
    [3.0, 1.0, 1.5, 1.5, 4.0]
    """
    signs = SIGNS[shape]
    return _fitted(y, signs, _rss_by_turns(y[None, :], signs)[0])


def prefix_rss(y: Array, start: Whole | None = None) -> Array:
    """Return the residual sums of squares of non-decreasing fits to growing parts of curves.

    Pools adjacent violators in all rows at once.

    Parameters
    ----------
    y
        Shape (n_rows, n).
    start
        Where each row's part begins; 0 if not given.

    Returns
    -------
    ndarray
        Element (r, t) belongs to places ``start[r]`` to t of row r; 0 before the start.

    Examples
    --------
    >>> prefix_rss(np.array([[1.0, 3.0, 2.0]])).tolist()
    [[0.0, 0.0, 0.5]]
    """
    rows, count = y.shape
    begin = np.zeros(rows, dtype=np.int64) if start is None else start
    mean = np.zeros((rows, count))
    weight = np.zeros((rows, count))
    top = np.full(rows, -1)
    rss = np.zeros(rows)
    result = np.zeros((rows, count))
    for t in range(count):
        row = np.flatnonzero(begin <= t)
        top[row] += 1
        mean[row, top[row]] = y[row, t]
        weight[row, top[row]] = 1.0
        while len(row):
            row = row[top[row] > 0]
            level = top[row]
            violates = mean[row, level - 1] > mean[row, level]
            row, level = row[violates], level[violates]
            below, above = weight[row, level - 1], weight[row, level]
            step = mean[row, level - 1] - mean[row, level]
            both = below + above
            rss[row] += below * above / both * step**2
            mean[row, level - 1] -= above / both * step
            weight[row, level - 1] = both
            top[row] -= 1
        result[:, t] = rss
    return result


def _rss_by_turns(curves: Array, signs: tuple[int, ...]) -> Array:
    """Return the residual sums of squares of curves by the place of each turn, from 0 to n.

    Shape (n_curves, n + 1) for one turn, (n_curves, n + 1, n + 1) for two, infinite where the
    second comes before the first. No turn is a turn at 0 and at n.
    """
    rows, count = curves.shape
    if len(signs) == 1:
        return prefix_rss(signs[0] * curves)[:, -1:]
    stacked = np.concatenate([signs[0] * curves, -signs[-1] * curves[:, ::-1]])
    both = np.zeros((2 * rows, count + 1))
    both[:, 1:] = prefix_rss(stacked)
    head, tail = both[:rows], both[rows:, ::-1]
    if len(signs) == 2:
        return np.asarray(head + tail)
    middle = np.full((rows, count + 1, count + 1), np.inf)
    middle[:, range(count + 1), range(count + 1)] = 0.0
    segments = prefix_rss(
        np.repeat(signs[1] * curves, count, axis=0), np.tile(np.arange(count), rows)
    )
    first, last = np.triu_indices(count)
    middle[:, first, last + 1] = segments.reshape(rows, count, count)[:, first, last]
    return np.asarray(head[:, :, None] + middle + tail[:, None, :])


def _edges_only(table: Array) -> Array:
    """Keep the shapes with one turn less: without the first stretch, or without the last."""
    kept = np.full_like(table, np.inf)
    kept[:, 0] = table[:, 0]
    kept[..., -1] = table[..., -1]
    return kept


def _gained(table: Array) -> Array:
    """Return how much smaller the residual sum of squares is than that with one turn less."""
    least, simpler = (
        part.reshape(len(table), -1).min(axis=1) for part in (table, _edges_only(table))
    )
    return np.asarray(simpler - least)


def _fitted(y: Array, signs: tuple[int, ...], table: Array) -> Array:
    """Return the curve whose turns have the least entry of a table."""
    from scipy.optimize import isotonic_regression

    turns = np.unravel_index(table.argmin(), table.shape) if len(signs) > 1 else ()
    edges = (0, *(int(turn) for turn in turns), len(y))
    parts = [
        isotonic_regression(y[i:j], increasing=sign > 0).x
        for i, j, sign in zip(edges[:-1], edges[1:], signs, strict=True)
        if j > i
    ]
    return np.concatenate(parts)
