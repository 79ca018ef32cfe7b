"""How good a forecast of an elbow is, beside what costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

CRITERION = 0.1
"""Snell et al. call a forecast right that is within this of the truth [nats/token]."""

JUST_PAST = 0.05
"""How far past the best random checkpoint the naive forecast is [nats/token]."""

LEAST_GAP = 0.01
"""Smallest gap to which an error is compared [nats/token]."""


@dataclass(frozen=True)
class ElbowScore:
    """A forecast against the truth.

    Attributes
    ----------
    error
        Forecast minus truth [nats/token]: positive is too early.
    absolute_error
        Its size [nats/token].
    within_criterion
        Whether that is at most :data:`CRITERION`.
    gap
        How far the truth is beyond the best model used [nats/token]; not positive where that model
        has emerged already, so that nothing was forecast.
    relative_error
        Absolute error over gap; None where the gap is below :data:`LEAST_GAP`. The fixed criterion
        is passed for nothing where the gap is below it; a relative error of 1 is no better than to
        say that the next model emerges.
    """

    error: float
    absolute_error: float
    within_criterion: bool
    gap: float
    relative_error: float | None

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return the score as plain values."""
        return dict(vars(self))


def score_elbow(forecast: float, truth: float, best_used: float) -> ElbowScore:
    """Score a forecast.

    Parameters
    ----------
    forecast, truth
        Elbows [nats/token].
    best_used
        Lowest loss of the models that the forecast was made from [nats/token].

    Examples
    --------
    >>> score_elbow(1.90, 1.95, 2.05).within_criterion
    True
    >>> round(score_elbow(1.90, 1.95, 2.05).relative_error, 2)
    0.5
    """
    error = forecast - truth
    gap = best_used - truth
    relative = abs(error) / gap if gap >= LEAST_GAP else None
    # 2.0 - 1.9 is more than 0.1 in binary
    return ElbowScore(error, abs(error), abs(error) <= CRITERION + 1e-9, gap, relative)


def baselines(
    best_random: float, smallest: float | None, other_truths: Sequence[float] = ()
) -> dict[str, float]:
    """Return naive forecasts [nats/token], by name.

    Parameters
    ----------
    best_random
        Lowest loss of the models that are still random when prompted [nats/token].
    smallest
        Fitted elbow of the smallest amount of data [nats/token].
    other_truths
        True elbows of other tasks of the same models [nats/token].
    """
    found = {"just past the best random checkpoint": best_random - JUST_PAST}
    if smallest is not None:
        found["elbow at the smallest D"] = smallest
    if other_truths:
        found["mean truth of other tasks"] = float(np.mean(other_truths))
    return found


def interval_score(low: float, high: float, truth: float, level: float = 0.9) -> float:
    """Return the interval score, lower is better [nats/token].

    The width, plus, where the truth is outside, how far times :math:`2 / (1 - level)`.

    Reference: Gneiting and Raftery 2007, doi:10.1198/016214506000001437.

    Examples
    --------
    >>> interval_score(1.9, 2.0, 1.95), round(interval_score(1.9, 2.0, 2.01), 2)
    (0.10000000000000009, 0.3)
    """
    outside = max(low - truth, 0.0) + max(truth - high, 0.0)
    return high - low + 2.0 / (1.0 - level) * outside


def lead_in_flops(models: pl.DataFrame, used: pl.DataFrame, truth: float) -> float | None:
    """Return how many times the compute of the largest model used the first emerged model took.

    Parameters
    ----------
    models
        All models, with ``loss`` [nats/token] and ``flops`` [FLOP].
    used
        Those that the forecast was made from.
    truth
        True elbow [nats/token].

    Returns
    -------
    float or None
        None where compute is not known or no model has emerged.
    """
    spent = used["flops"].drop_nulls().to_numpy()
    emerged = models.filter(pl.col("loss") < truth)["flops"].drop_nulls().to_numpy()
    if not len(spent) or not len(emerged) or spent.max() <= 0:
        return None
    return float(emerged.min() / spent.max())


def scored(
    forecasts: Mapping[str, float], truth: float | None, best_used: float
) -> list[dict[str, object]]:
    """Return one row per forecast: name, elbow, and, where the truth is known, its score."""
    rows: list[dict[str, object]] = []
    for name, elbow in forecasts.items():
        row: dict[str, object] = {"forecast": name, "elbow": elbow}
        if truth is not None:
            row |= score_elbow(elbow, truth, best_used).to_dict()
        rows.append(row)
    return rows
