r"""Maximum likelihood of the emergence law: a grid of elbows, the linear part in closed form.

With Gaussian errors the maximum of the likelihood is the least residual sum of squares. Bases and
slope are linear, so they are eliminated (variable projection); what is left are the two anchors,
the exponent, and the ramp where there is a cap. All points of a grid are solved at once; the best
of them that lie apart are improved together by Gauss-Newton steps, then again from points scattered
around, since the hinge has a corner at every model's loss; the last digits come from Nelder and
Mead's simplex.

A fit that starts where all elbows are below all losses can never move: there the hinge is flat.
The grid covers the range of losses, so it cannot start there only.

Reference: Golub and Pereyra 1973, doi:10.1137/0710036 (variable projection).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.law import Array, ElbowLaw, EmergenceCurves, EmergenceForm
from upswing.laws.emergence.objective import Objective
from upswing.laws.emergence.rows import EmergenceRows

_STARTS = 8
_STEPS = 12
_SCATTERED = 16
_SCATTER = (0.3, 0.05)
_SIMPLEX = 400
_LEAST_SUPPORT = 0.5
"""Scores' worth of evidence below which the base of an amount is not known."""


@dataclass(frozen=True, eq=False)
class EmergenceMle:
    """The most likely law.

    Attributes
    ----------
    form
        The variant of the law.
    curves
        The fitted curves.
    theta
        Elbow at D_min, elbow at D_max, exponent and, with a cap, the ramp.
    forecast
        E(D0) [nats/token].
    rss
        Residual sum of squares.
    sigma
        Residual standard deviation, with the parameters taken off the count.
    fitted
        Fitted score of each row.
    parameters
        Number of fitted parameters, without sigma.
    """

    form: EmergenceForm
    curves: EmergenceCurves
    theta: Array
    forecast: float
    rss: float
    sigma: float
    fitted: Array
    parameters: int

    @property
    def bic(self) -> float:
        """Bayesian information criterion, up to a constant of the data."""
        n = len(self.fitted)
        return n * float(np.log(max(self.rss, 1e-300) / n)) + self.parameters * float(np.log(n))


def fit_emergence(rows: EmergenceRows, form: EmergenceForm | None = None) -> EmergenceMle:
    """Fit the emergence law by maximum likelihood with Gaussian errors.

    Parameters
    ----------
    rows
        At least two amounts of finetuning data.
    form
        The variant of the law; the log power law without cap and floors by default.
    """
    objective = Objective(rows, form or EmergenceForm())
    grid = objective.grid()
    theta = improve(objective, _apart(grid, objective.rss(grid), objective.spacing))
    for size in _SCATTER:
        best = theta[np.argsort(objective.rss(theta))[:2]]
        theta = np.concatenate([theta, improve(objective, _around(objective, best, size))])
    return summarise(objective, _polish(objective, theta[objective.rss(theta).argmin()]))


def summarise(objective: Objective, theta: Array) -> EmergenceMle:
    """Return the fit at given anchors, exponent and ramp."""
    rows, form = objective.rows, objective.form
    linear = objective.linear(theta[None])
    fitted = objective.fitted(theta[None], linear)[0]
    amounts = rows.amounts
    low, high, alpha = (float(v) for v in theta[:3])
    elbows = ElbowLaw(low, high, alpha, float(amounts[0]), float(amounts[-1]), form.shape)
    bases, top = linear.bases[0], float(linear.top[0])
    prompted = bool(rows.few_shot.any())
    keys = amounts if form.floors else np.zeros(1)
    support = (objective.regressors(theta[None])[0][0] ** 2) @ objective.onto_block
    seen = support[: len(keys)] > _LEAST_SUPPORT
    seen = seen if seen.any() else np.ones(len(keys), dtype=bool)
    curves = EmergenceCurves(
        elbows,
        None if form.cap else top,
        {float(d): float(b) for d, b, s in zip(keys, bases[: len(keys)], seen, strict=True) if s},
        float(bases[-1]) if prompted else None,
        top if form.cap else None,
        float(theta[3]) if form.cap else None,
    )
    count = len(theta) + 1 + len(bases)
    rss = float(linear.rss[0])
    sigma = float(np.sqrt(rss / max(len(rows) - count, 1)))
    forecast = float(objective.forecast(theta[None])[0])
    return EmergenceMle(form, curves, theta, forecast, rss, sigma, fitted, count)


def improve(
    objective: Objective,
    start: Array,
    weight: Array | None = None,
    steps: int = _STEPS,
    held: tuple[int, ...] = (),
) -> Array:
    """Move candidates downhill by damped Gauss-Newton steps, never uphill.

    Parameters
    ----------
    objective
        What is minimised.
    start
        Shape (n_candidates, n_parameters).
    weight
        Weights of the rows for each candidate, shape (n_candidates, n_rows), for resamples.
    steps
        Number of steps.
    held
        Columns that stay as they are.
    """
    free = np.array([k not in held for k in range(start.shape[1])])
    theta = objective.box.clip(start)
    linear, fitted, slopes = objective.linearised(theta, weight)
    rss = linear.rss
    damping = np.full(len(theta), 1e-3)
    for _ in range(steps):
        weighted = slopes if weight is None else slopes * weight[:, :, None]
        across = weighted.transpose(0, 2, 1)
        gradient = across @ (objective.rows.value - fitted)[:, :, None]
        normal = across @ slopes
        scale = np.einsum("cpp->cp", normal)
        ridge = damping[:, None] * scale + 1e-9 * scale.max(axis=1, keepdims=True) + 1e-14
        normal += ridge[:, :, None] * np.eye(normal.shape[-1])
        step = np.linalg.solve(normal, gradient)[..., 0]
        trial = objective.box.clip(theta + free * step[:, : theta.shape[1]])
        moved_linear, moved_fitted, moved_slopes = objective.linearised(trial, weight)
        better = moved_linear.rss < rss
        theta = np.where(better[:, None], trial, theta)
        rss = np.where(better, moved_linear.rss, rss)
        fitted = np.where(better[:, None], moved_fitted, fitted)
        slopes = np.where(better[:, None, None], moved_slopes, slopes)
        damping = np.clip(np.where(better, damping * 0.3, damping * 10.0), 1e-9, 1e9)
    return theta


def _apart(grid: Array, rss: Array, spacing: Array) -> Array:
    """Return the best candidates that are not neighbours of a better one."""
    chosen: list[Array] = []
    for index in np.argsort(rss):
        if all(np.any(np.abs(grid[index] - other) > spacing) for other in chosen):
            chosen.append(grid[index])
        if len(chosen) == _STARTS:
            break
    return np.array(chosen)


def _around(objective: Objective, theta: Array, size: float) -> Array:
    """Return points scattered around each candidate, always the same ones; size in grid cells."""
    rng = np.random.default_rng(0)
    shape = (len(theta), _SCATTERED, theta.shape[1])
    scattered = theta[:, None] + size * objective.spacing * rng.standard_normal(shape)
    return objective.box.clip(scattered.reshape(-1, theta.shape[1]))


def _polish(objective: Objective, start: Array) -> Array:
    """Improve one candidate by two passes of Nelder and Mead's simplex."""
    from scipy.optimize import minimize

    best = start
    for size in (0.01, 0.002):
        edges = size * np.array([1.0, 1.0, best[2], 1.0][: len(best)])
        found = minimize(
            lambda x: float(objective.rss(objective.box.clip(x)[None])[0]),
            best,
            method="Nelder-Mead",
            options={
                "initial_simplex": np.vstack([best, best + np.diag(edges)]),
                "xatol": 1e-7,
                "fatol": 1e-9 * float(objective.rss(best[None])[0]) + 1e-14,
                "maxfev": _SIMPLEX,
            },
        )
        if found.fun < objective.rss(best[None])[0]:
            best = objective.box.clip(found.x)
    return best
