"""Damped Newton steps for many candidates at once, never uphill."""

from __future__ import annotations

import numpy as np

from upswing.laws.loss.criterion import Array
from upswing.laws.loss.objective import LossObjective

_EXACT = 1e-12
_WIDEST = 25.0
_SOFTEST, _HARDEST = 1e-14, 1e6


def minimise(
    objective: LossObjective, start: Array, weight: Array | None = None, steps: int = 60
) -> tuple[Array, Array]:
    """Improve candidates until a step promises less than a part in 1e12 of the objective.

    Directions of negative curvature are followed downhill; the damping grows where a step fails.

    Parameters
    ----------
    objective
        What is minimised.
    start
        Shape (n_candidates, p).
    weight
        Weights of the points for each candidate, shape (n_candidates, n_points), for resamples.
    steps
        Most steps.

    Returns
    -------
    theta, cost
        Shapes (n_candidates, p) and (n_candidates,).
    """
    theta = start.copy()
    at = objective.derivatives(theta, weight)
    cost, gradient, hessian = at.cost, at.gradient, at.hessian
    damping = np.full(len(theta), 1e-3)
    active = np.arange(len(theta))
    for _ in range(steps):
        value, vector = np.linalg.eigh(hessian[active])
        size = np.abs(value)
        scale = size.max(axis=1, keepdims=True) + 1e-300
        along = np.einsum("bpq,bp->bq", vector, gradient[active])
        size = np.maximum(size, 1e-12 * scale) + damping[active, None] * scale
        step = -np.einsum("bpq,bq->bp", vector, along / size)
        step *= np.minimum(1.0, _WIDEST / (np.abs(step).max(axis=1, keepdims=True) + 1e-300))
        trial = theta[active] + step
        moved = objective.derivatives(trial, None if weight is None else weight[active])
        better = moved.cost < cost[active]
        kept = active[better]
        theta[kept], cost[kept] = trial[better], moved.cost[better]
        gradient[kept], hessian[kept] = moved.gradient[better], moved.hessian[better]
        promised = 0.5 * (along**2 / size).sum(axis=1)
        changed = damping[active] * np.where(better, 0.2, 6.0)
        damping[active] = np.maximum(changed, _SOFTEST)
        active = active[(promised > _EXACT * cost[active]) & (changed < _HARDEST)]
        if not len(active):
            break
    return theta, cost
