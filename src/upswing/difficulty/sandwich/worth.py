"""What slicing is worth: the same forecast from groups of questions, and from the task as a whole.

For the forecast from the whole every group is replaced by the whole task; all else is the same
code. A linear forecast, such as polynomials of one degree of groups that are weighted by their
questions, gives the same from both: slicing can pay only where groups are treated differently, or
where the forecast is bent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, DifficultyGroups, Mask
from upswing.difficulty.sandwich.logit_trend import logit_trend_accuracy
from upswing.difficulty.sandwich.polynomial import possible_degree
from upswing.difficulty.sandwich.sandwich_data import SandwichData, sandwich_data
from upswing.difficulty.sandwich.sandwich_fit import (
    EASY_DEGREE,
    HARD_DEGREE,
    fit_hard_lift,
    fit_sandwich,
)

WORTH: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "threshold": pl.Float64,
    "forecast": pl.String,
    "mse_groups": pl.Float64,
    "mse_whole": pl.Float64,
    "ratio": pl.Float64,
    "n_train": pl.Int64,
    "n_test": pl.Int64,
}
"""Mean squared error of accuracy, clipped to [0, 1], at and beyond the ``threshold`` (log10 of
training compute in 1e21 FLOP), of a forecast from groups and of the same from the whole task;
``ratio`` below 1 means that slicing helped. Null without test models."""


_CUBIC = 3


def ungrouped(data: SandwichData) -> SandwichData:
    """Return the data with the whole task in place of every group."""
    return replace(data, groups=np.repeat(data.score[:, None], data.groups.shape[1], axis=1))


def worth_of_slicing(
    groups: DifficultyGroups,
    threshold: float,
    *,
    exclude: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Compare forecasts from groups with the same forecasts from the whole task.

    Parameters
    ----------
    groups, threshold, exclude
        As in :func:`~.slice_and_sandwich.slice_and_sandwich`.

    Returns
    -------
    polars.DataFrame
        One row per forecast: Slice-and-Sandwich with degrees 5 and 2, with 3 and 2, hard-lift with
        2 (lower ones where there are few models), and
        :func:`~.logit_trend.logit_trend_accuracy`; see :data:`WORTH`.

    Raises
    ------
    InputError
        If there are too few models below the threshold.
    """
    data = sandwich_data(groups, threshold, exclude)
    x = data.x[data.train]
    hard = possible_degree(x, HARD_DEGREE)
    forecasts: dict[str, Callable[[SandwichData], Array]] = {}
    for easy in (possible_degree(x, EASY_DEGREE), possible_degree(x, _CUBIC)):
        name = f"sandwich, degrees {easy} and {hard}"
        forecasts[name] = partial(_sandwich, easy=easy, hard=hard)
    forecasts[f"hard-lift, degree {hard}"] = partial(_hard_lift, degree=hard)
    forecasts["convex logit"] = logit_trend_accuracy
    test = ~data.train
    rows = []
    for name, forecast in forecasts.items():
        sliced, whole = (_mse(forecast(one), data, test) for one in (data, ungrouped(data)))
        ratio = None if sliced is None or not whole else sliced / whole
        counts = (int(data.train.sum()), int(test.sum()))
        rows.append((groups.task, threshold, name, sliced, whole, ratio, *counts))
    return pl.DataFrame(rows, schema=WORTH, orient="row")


def _sandwich(data: SandwichData, easy: int, hard: int) -> Array:
    return fit_sandwich(data, easy, hard).accuracy(data.x)


def _hard_lift(data: SandwichData, degree: int) -> Array:
    return fit_hard_lift(data, degree).accuracy(data.x)


def _mse(accuracy: Array, data: SandwichData, test: Mask) -> float | None:
    if not test.any():
        return None
    return float(((np.clip(accuracy, 0.0, 1.0) - data.accuracy)[test] ** 2).mean())
