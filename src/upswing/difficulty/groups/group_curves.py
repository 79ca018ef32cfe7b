"""Scores of groups over compute, with a polynomial and its band: the published pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import GROUP_SCORES, DifficultyGroups, gains, to_flops
from upswing.difficulty.groups.source import GroupSource
from upswing.difficulty.sandwich.polynomial import Polynomial, fit_polynomial
from upswing.difficulty.sandwich.sandwich_data import left_out, left_out_notes
from upswing.notes import Note

POINTS: dict[str, type[pl.DataType]] = {
    **GROUP_SCORES,
    "score": pl.Float64,
    "fitted": pl.Float64,
}
"""Columns of :attr:`GroupCurves.points`: those of the groups, ``score`` (the value, or minus a
Brier score, so that more is better) and ``fitted``, the polynomial there; null without one."""

CURVES: dict[str, type[pl.DataType]] = {
    "group": pl.Int64,
    "easiness_rank": pl.Int64,
    "flops": pl.Float64,
    "log10_flops": pl.Float64,
    "score": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
"""Columns of :attr:`GroupCurves.curves`: the polynomial over an even grid, and its band."""

_BAND = 1.96
_GRID = 100
_PICTURE_DEGREE = 5
_MODELS_PER_DEGREE = 4


@dataclass(frozen=True, eq=False)
class GroupCurves:
    """Scores of groups over compute.

    The polynomials are descriptions of all models, not forecasts. Their band is 1.96 standard
    deviations of the residuals to either side.

    Attributes
    ----------
    task
        Name of the task.
    by, metric
        What sorted the questions, and what is drawn.
    threshold
        log10 of the training compute [1e21 FLOP] that is marked; None marks nothing.
    polynomial
        One column per group; None without one.
    points, curves
        See :data:`POINTS` and :data:`CURVES`.
    notes
        Remarks.
    """

    task: str
    by: str
    metric: str
    threshold: float | None
    polynomial: Polynomial | None
    points: pl.DataFrame
    curves: pl.DataFrame
    notes: tuple[Note, ...] = ()


def group_curves(
    groups: DifficultyGroups,
    degree: int | None = None,
    *,
    threshold: float | None = None,
    metric: str | None = None,
    exclude: Sequence[str] | None = None,
) -> GroupCurves:
    """Return the scores of groups over compute, with a polynomial through each.

    Parameters
    ----------
    groups
        The groups.
    degree
        Degree of the polynomials; 0 draws none. By default 5, or less where there are fewer than
        four models per degree.
    threshold
        log10 of training compute [1e21 FLOP] to mark.
    metric
        What to draw; by default what sorted the questions.
    exclude
        Models to leave out; see :func:`~.sandwich_data.sandwich_data`.

    Raises
    ------
    InputError
        If there are not more models of different compute than the degree.
    UnknownNameError
        If the groups do not hold the metric.
    """
    metric = metric or groups.metric
    kept = groups.without(left_out(groups, exclude))
    known = np.isfinite(kept.flops) & np.isfinite(kept.measured(metric)).all(axis=1)
    kept = kept.keep(known)
    x, scores = kept.log10_flops, gains(kept.measured(metric), metric)
    if degree is None:
        degree = min(_PICTURE_DEGREE, len(np.unique(x)) // _MODELS_PER_DEGREE)
    points = kept.scores(metric).with_columns(pl.Series("score", scores.ravel()))
    polynomial = fit_polynomial(x, scores, degree) if degree > 0 else None
    fitted = None if polynomial is None else pl.Series(polynomial(x).ravel())
    points = points.with_columns(pl.lit(fitted, pl.Float64).alias("fitted"))
    return GroupCurves(
        groups.task,
        groups.by,
        metric,
        threshold,
        polynomial,
        points.select(pl.col(name).cast(dtype) for name, dtype in POINTS.items()),
        _curves(kept, polynomial),
        (*groups.notes, *left_out_notes(groups, kept.models, "curves")),
    )


def overall_performance(
    source: GroupSource,
    metric: str = "acc",
    *,
    threshold: float | None = None,
    degree: int = 0,
    exclude: Sequence[str] | None = None,
) -> GroupCurves:
    """Return the scores of a whole task over compute: one group of all questions.

    Parameters
    ----------
    source
        The task.
    metric
        ``acc``, ``tc_brier`` or ``tc_brier_undistributed``.
    threshold, degree, exclude
        As in :func:`group_curves`; by default no polynomial is drawn.
    """
    whole = source.groups(
        1,
        "accuracy" if metric == "acc" else "brier",
        redistributed=metric != "tc_brier_undistributed",
    )
    return group_curves(whole, degree, threshold=threshold, metric=metric, exclude=exclude)


def _curves(groups: DifficultyGroups, polynomial: Polynomial | None) -> pl.DataFrame:
    if polynomial is None:
        return pl.DataFrame(schema=CURVES)
    x = groups.log10_flops
    grid = np.linspace(x.min(), x.max(), _GRID)
    score = polynomial(grid)
    half = np.broadcast_to(_BAND * polynomial.residual_sd, score.shape)
    count = groups.count
    columns = {
        "group": np.tile(np.arange(count), _GRID),
        "easiness_rank": np.tile(np.argsort(groups.by_easiness) + 1, _GRID),
        "flops": np.repeat(to_flops(grid), count),
        "log10_flops": np.repeat(grid, count),
        "score": score.ravel(),
        "low": (score - half).ravel(),
        "high": (score + half).ravel(),
    }
    return pl.DataFrame(columns, schema=CURVES).sort("group", "log10_flops")
