"""How far forecasts of accuracy are off beyond the threshold, and how two scores go together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, Mask

ERRORS: dict[str, type[pl.DataType]] = {
    "method": pl.String,
    "mse": pl.Float64,
    "mae": pl.Float64,
    "n_test": pl.Int64,
}
"""Mean squared and mean absolute error of accuracy over the models at or beyond the threshold;
null where there are none."""


def forecast_errors(accuracy: Array, forecasts: Mapping[str, Array], test: Mask) -> pl.DataFrame:
    """Return the errors of forecasts; see :data:`ERRORS`.

    Parameters
    ----------
    accuracy
        Accuracy of each model.
    forecasts
        Forecast of each model by method.
    test
        The models that count.
    """
    count = int(test.sum())
    rows = []
    for method, forecast in forecasts.items():
        error = (forecast - accuracy)[test]
        mse, mae = (float((error**2).mean()), float(np.abs(error).mean())) if count else (None,) * 2
        rows.append((method, mse, mae, count))
    return pl.DataFrame(rows, schema=ERRORS, orient="row")


def trivial_forecasts(accuracy: Array, train: Mask, chance: float) -> dict[str, Array]:
    """Return forecasts that any method has to beat.

    Parameters
    ----------
    accuracy
        Accuracy of each model, by compute.
    train
        Models below the threshold.
    chance
        Accuracy of a guess.

    Returns
    -------
    dict
        ``train_mean`` (mean of the training models), ``last_model`` (the largest of them) and
        ``chance``.
    """
    constants = {
        "train_mean": accuracy[train].mean(),
        "last_model": accuracy[train][-1],
        "chance": chance,
    }
    return {name: np.full(len(accuracy), value) for name, value in constants.items()}


def correlations(one: Array, other: Array) -> dict[str, float | None]:
    r"""Return Pearson's r, Spearman's :math:`\rho` and Kendall's :math:`\tau_b`; None if undefined.

    Examples
    --------
    >>> correlations(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))["kendall"]
    1.0
    """
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (one, other)]
    signs = [np.sign(values[:, None] - values[None, :]).ravel() for values in (one, other)]
    products = {
        "pearson": (one - one.mean(), other - other.mean()),
        "spearman": (ranks[0] - ranks[0].mean(), ranks[1] - ranks[1].mean()),
        "kendall": (signs[0], signs[1]),
    }
    found: dict[str, float | None] = {}
    for name, (left, right) in products.items():
        size = float(np.sqrt((left**2).sum() * (right**2).sum()))
        found[name] = float((left * right).sum() / size) if size > 0 else None
    return found
