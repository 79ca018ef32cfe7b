"""Bootstrap of the emergence law: what the forecast would be with other data of the same kind.

A resample counts every unit a random number of times, so resampling is a matrix of weights. The
sums that least squares needs are linear in the weights: for all points of a grid and all resamples
they are a few matrix products. The best point of each resample is then improved by Gauss-Newton
steps, all resamples together.

Resampling rows takes every score for independent evidence. Scores from one finetuning subset are
not, nor are those of one checkpoint; the unit should be what would differ if the study were done
again, which is first of all the subsets.

Reference: Efron 1979, doi:10.1214/aos/1176344552; by cluster, Cameron, Gelbach and Miller 2008,
doi:10.1162/rest.90.3.414.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from upswing.laws.emergence.fit import EmergenceMle, improve
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import Objective, without_rise
from upswing.laws.emergence.rows import EmergenceRows, Indices, Mask, one_hot, solve

Unit = Literal["subset", "checkpoint", "row"]

UNITS: tuple[Unit, ...] = ("subset", "checkpoint", "row")

_BLOCK = 4_000_000
_STEPS = 8
_AT_ONCE = 100
_CANDIDATES = 2000


@dataclass(frozen=True, eq=False)
class EmergenceBootstrap:
    """Forecasts of resampled data.

    Attributes
    ----------
    unit
        What was resampled.
    forecast
        E(D0) of each resample that could be fitted [nats/token], shape (n_fitted,).
    resamples
        How many were drawn. One that leaves a single amount of data, or no rise, has no forecast.
    """

    unit: Unit
    forecast: Array
    resamples: int

    def quantile(self, share: float | Array) -> Array:
        """Return quantiles of E(D0) [nats/token]."""
        return np.asarray(np.quantile(self.forecast, share))

    def cdf(self, elbow: float) -> float:
        """Return the share of resamples with E(D0) at most ``elbow`` [nats/token]."""
        return float(np.mean(self.forecast <= elbow))

    @property
    def mean(self) -> float:
        """Mean of E(D0) over resamples [nats/token]."""
        return float(self.forecast.mean())


def bootstrap_emergence(
    rows: EmergenceRows,
    mle: EmergenceMle,
    rng: np.random.Generator,
    unit: Unit = "subset",
    resamples: int = 1000,
) -> EmergenceBootstrap:
    """Refit the law to resampled data.

    Parameters
    ----------
    rows
        The data.
    mle
        The fit to all of them.
    rng
        Source of randomness.
    unit
        ``subset``: all models finetuned on one subset of examples stay together; prompted models
        are kept. ``checkpoint``: all scores of one pretrained model. ``row``: single scores.
    resamples
        How many.
    """
    member, fixed = _members(rows, unit)
    units = int(member.max()) + 1
    counts = rng.multinomial(units, np.full(units, 1.0 / units), size=resamples).astype(float)
    first, times, rows = _merged(rows, member)
    member, fixed = member[first], fixed[first]
    objective = Objective(rows, mle.form)
    weight = times * np.where(fixed, 1.0, counts[:, np.where(fixed, 0, member)])
    start = _best_of_grid(objective, member, fixed, times, counts)
    parts = [
        _better(objective, weight[here], start[here], np.tile(mle.theta, (len(weight[here]), 1)))
        for here in (slice(i, i + _AT_ONCE) for i in range(0, resamples, _AT_ONCE))
    ]
    theta, rss, rising = (np.concatenate(part) for part in zip(*parts, strict=True))
    forecast = objective.forecast(theta)
    present = (weight[:, ~rows.few_shot] @ one_hot(rows.level[~rows.few_shot]) > 0).sum(axis=1)
    usable = rising & (present >= 2) & np.isfinite(rss)
    return EmergenceBootstrap(unit, forecast[usable], resamples)


def _members(rows: EmergenceRows, unit: Unit) -> tuple[Indices, Mask]:
    """Return the unit of each row, and which rows are not resampled."""
    if unit == "subset":
        return rows.subset, rows.few_shot
    if unit == "checkpoint":
        member = np.unique(rows.checkpoint, return_inverse=True)[1].astype(np.int64)
        return member, np.zeros(len(rows), dtype=bool)
    return np.arange(len(rows)), np.zeros(len(rows), dtype=bool)


def _merged(rows: EmergenceRows, member: Indices) -> tuple[Indices, Array, EmergenceRows]:
    """Merge scores that share their curve, their loss and their unit: repeated runs.

    Least squares sees no more of them than their mean and their number.

    Returns
    -------
    Indices, Array, EmergenceRows
        Which row stands for each group, how many are in it, and the rows of means.
    """
    alike = np.stack([member.astype(float), rows.level.astype(float), rows.loss])
    _, first, group, times = np.unique(
        alike, axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    mean = np.bincount(group.ravel(), rows.value) / times
    return first, times.astype(float), replace(rows.where(first), value=mean)


def _best_of_grid(
    objective: Objective, member: Indices, fixed: Mask, times: Array, counts: Array
) -> Array:
    """Return the best grid point of each resample."""
    grid = objective.grid()
    # with a ramp the grid is large, and most of it is far from any resample
    all_rows = objective.linear_each(grid, np.broadcast_to(times, (len(grid), len(times)))).rss
    grid = grid[np.argsort(all_rows)[:_CANDIDATES]]
    base, rise = objective.regressors(grid)
    y = objective.rows.value
    # one column of weights per unit, and one for the rows that are always there
    onto_unit = one_hot(np.where(fixed, counts.shape[1], member)) * times[:, None]
    weights = np.hstack([counts, np.ones((len(counts), onto_unit.shape[1] - counts.shape[1]))])
    columns = (base * base, base * rise, rise * rise, base * y, rise * y)
    blocks = objective.onto_block.T
    squares = weights @ onto_unit.T @ (objective.onto_block * (y**2)[:, None])
    # by block and sum, each (n_grid, n_units)
    by_unit = [[(column * block) @ onto_unit for column in columns] for block in blocks]
    flat_rss, flat_bases = without_rise(y, objective.onto_block, weights @ onto_unit.T)
    best = np.empty((len(counts), grid.shape[1]))
    step = max(1, _BLOCK // len(grid))
    for i in range(0, len(counts), step):
        w = weights[i : i + step].T
        sums = [np.stack([units[k] @ w for units in by_unit], axis=-1) for k in range(len(columns))]
        yy = np.broadcast_to(squares[i : i + step], sums[0].shape)
        found = solve(
            (*sums, yy), flat_rss[i : i + step], flat_bases[i : i + step], objective.form.cap
        )
        best[i : i + step] = grid[found.rss.argmin(axis=0)]
    return best


def _better(objective: Objective, weight: Array, *starts: Array) -> tuple[Array, Array, Mask]:
    """Improve every resample from each start; return parameters, residual sum, and if it rises."""
    best: tuple[Array, Array, Mask] | None = None
    for start in starts:
        theta = improve(objective, start, weight, _STEPS)
        linear = objective.linear_each(theta, weight)
        rising = linear.information > 0.0
        if best is None:
            best = theta, linear.rss, rising
            continue
        lower = linear.rss < best[1]
        best = (
            np.where(lower[:, None], theta, best[0]),
            np.where(lower, linear.rss, best[1]),
            np.where(lower, rising, best[2]),
        )
    assert best is not None
    return best
