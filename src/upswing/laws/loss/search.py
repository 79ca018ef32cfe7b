"""The least objective of a loss law: grid, Newton steps, and a second look around the best.

With a small delta the objective has a corner at every model, and some corners are minima. So the
first steps are taken with a wide delta that shrinks to the one asked for; then the grid's best and
points scattered around the optimum start once more, at the delta asked for. Laws without an
irreducible loss are tried too: there the logarithm of that loss would run to minus infinity.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from upswing.laws.loss.criterion import Array
from upswing.laws.loss.newton import minimise
from upswing.laws.loss.objective import LossObjective
from upswing.laws.loss.start import starts

_STARTS = 4
_DIRECT = 8
_WITHOUT = 3
_WIDE_STEPS = 6
_SHRINK = 3.0
_STEPS = 20
_SCATTERED = 32
_SCATTER = 2.0
_LAST_STEPS = 300
_KEPT = 6
_NO_CONSTANT = 1e-9


def search(objective: LossObjective) -> tuple[Array, float]:
    """Return the parameters with the least objective, and that objective."""
    candidates = [starts(objective, _DIRECT)]
    if objective.constant:
        theta = starts(objective.without_constant(), _WITHOUT)
        none = np.full((len(theta), 1), np.log(_NO_CONSTANT * float(objective.loss.min())))
        candidates.append(np.hstack([theta, none]))
    theta, cost = descend(objective, candidates[0][:_STARTS])
    theta = np.concatenate([theta, scattered(objective, theta[cost.argmin()]), *candidates])
    theta, cost = minimise(objective, theta, steps=_STEPS)
    theta, cost = minimise(objective, theta[np.argsort(cost)[:_KEPT]], steps=_LAST_STEPS)
    best = int(cost.argmin())
    return theta[best], float(cost[best])


def widened(objective: LossObjective, theta: Array) -> list[LossObjective]:
    """Return objectives with wider deltas, the widest first; none where squares are summed."""
    criterion = objective.criterion
    if criterion.delta is None:
        return []
    widest = 2.0 * float(np.median(np.abs(objective.residual(theta[:1]))))
    deltas = []
    delta = criterion.delta * _SHRINK
    while delta < widest:
        deltas.append(delta)
        delta *= _SHRINK
    return [objective.under(replace(criterion, delta=wide)) for wide in reversed(deltas)]


def descend(
    objective: LossObjective, theta: Array, weight: Array | None = None
) -> tuple[Array, Array]:
    """Improve candidates under deltas that shrink; return parameters and objective."""
    for wide in widened(objective, theta):
        theta, _ = minimise(wide, theta, weight, _WIDE_STEPS)
    return minimise(objective, theta, weight, _STEPS)


def scattered(objective: LossObjective, best: Array) -> Array:
    """Return points around the best, some standard errors away, always the same ones."""
    wide = (widened(objective, best[None]) or [objective])[0]
    hessian = wide.derivatives(best[None]).hessian[0]
    residual = wide.residual(best[None])[0]
    value, vector = np.linalg.eigh(hessian)
    criterion = wide.criterion
    inside = max(float(criterion.curvature(residual).mean()), 0.1)
    noise = float((criterion.slope(residual) ** 2).mean()) / inside
    value = np.maximum(np.abs(value), 1e-12 * np.abs(value).max() + 1e-300)
    spread = np.minimum(np.sqrt(noise / value), 1.0)
    drawn = np.random.default_rng(0).standard_normal((_SCATTERED, len(best)))
    return np.asarray(best + _SCATTER * drawn @ (vector * spread).T)
