"""Where the fit starts: a grid of exponents, the linear part in closed form (variable projection).

For given exponents the law is linear in its coefficients and in the irreducible loss. On relative
residuals, to which logarithmic ones are equal to first order, they follow by least squares; none
may be negative, so every choice of terms that are zero is solved and the best that is allowed is
kept. A few rounds of reweighting carry squares over to the Huber loss.

Reference: Golub and Pereyra 1973, doi:10.1137/0710036.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from upswing.laws.loss.criterion import Array
from upswing.laws.loss.objective import LossObjective

_EXPONENTS = (0.02, 3.0)
_PER_AXIS = {1: 40, 2: 12}
_ROUNDS = 3
_LEAST_SHARE = 1e-3


def starts(objective: LossObjective, most: int, weight: Array | None = None) -> Array:
    """Return the best points of the grid that are no neighbours, shape (n_starts, p).

    Parameters
    ----------
    objective
        What will be minimised.
    most
        How many.
    weight
        Weights of the points, shape (n_points,).
    """
    count = _PER_AXIS[objective.terms]
    axis = np.geomspace(*_EXPONENTS, count)
    index = np.array(list(product(range(count), repeat=objective.terms)))
    theta = _solved(objective, axis[index], weight)
    best = np.argsort(objective.cost(theta, None if weight is None else weight[None]))
    chosen: list[int] = []
    for candidate in best:
        if all(np.abs(index[candidate] - index[other]).max() > 1 for other in chosen):
            chosen.append(int(candidate))
        if len(chosen) == most:
            break
    return np.asarray(theta[chosen])


def _solved(objective: LossObjective, exponents: Array, weight: Array | None) -> Array:
    """Return parameters at given exponents, shape (n, p)."""
    powers = np.exp(-exponents[:, None, :] * objective.u)
    if objective.constant:
        powers = np.concatenate([powers, np.ones((*powers.shape[:2], 1))], axis=2)
    scaled = np.ones_like(objective.loss)
    if objective.criterion.residual == "log":
        powers, target = powers / objective.loss[:, None], scaled
    else:
        target = objective.loss
    given = scaled if weight is None else weight
    current = np.broadcast_to(given, powers.shape[:2])
    for _ in range(_ROUNDS):
        linear = _non_negative(powers, target, current)
        residual = (powers @ linear[..., None])[..., 0] - target
        current = given * objective.criterion.weight(residual)
    floor = _LEAST_SHARE * float(objective.loss.min())
    logs = np.log(np.maximum(linear, floor))
    k = objective.terms
    return np.concatenate([logs[:, :k], exponents, logs[:, k:]], axis=1)


def _non_negative(columns: Array, target: Array, weight: Array) -> Array:
    """Return non-negative least squares for each of many matrices, shape (n, m)."""
    weighted = (columns * weight[:, :, None]).transpose(0, 2, 1)
    normal, right = weighted @ columns, weighted @ target
    m = normal.shape[1]
    best = np.zeros((len(normal), m))
    lowest = np.zeros(len(normal))
    for kept in product((False, True), repeat=m):
        terms = np.flatnonzero(kept)
        if not len(terms):
            continue
        part = normal[:, terms[:, None], terms]
        ridge = 1e-12 * np.trace(part, axis1=1, axis2=2)
        part = part + ridge[:, None, None] * np.eye(len(terms))
        found = np.linalg.solve(part, right[:, terms, None])[..., 0]
        # what the squares fall by, against no terms at all
        gain = -(found * right[:, terms]).sum(axis=1)
        better = (found >= 0.0).all(axis=1) & (gain < lowest)
        lowest = np.where(better, gain, lowest)
        filled = np.zeros_like(best)
        filled[:, terms] = found
        best = np.where(better[:, None], filled, best)
    return best
