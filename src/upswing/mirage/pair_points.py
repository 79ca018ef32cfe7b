"""The points of a curve and its alternative on one scale: what a chart of a pair draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import Curve
from upswing.mirage.alternative import Alternative
from upswing.mirage.intervention import Pair
from upswing.mirage.progress import progress

POINTS: dict[str, type[pl.DataType]] = {
    "pair": pl.Int64,
    "role": pl.String,
    "family": pl.String,
    "model": pl.String,
    "task": pl.String,
    "n_shot": pl.Int64,
    "axis": pl.String,
    "metric": pl.String,
    "point": pl.String,
    "x": pl.Float64,
    "value": pl.Float64,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "onset_low": pl.Float64,
    "onset": pl.Float64,
}
"""Columns of :func:`pair_points`: ``role`` is ``own`` for the curve in question and ``other`` for
its alternative; ``value`` in the metric's unit; ``share`` of the way from the curve's lowest to its
highest progress (:func:`upswing.mirage.progress.progress`), ``low`` and ``high`` its 95 % interval
over questions where that is known; ``onset_low`` and ``onset`` the last scale before the onset of
the curve in question and its onset, in axis units."""


def pair_points(pairs: list[Pair], onsets: list[tuple[float, float] | None]) -> pl.DataFrame:
    """Return one row per point of both curves of every pair.

    Parameters
    ----------
    pairs
        The pairs; their position is the column ``pair``.
    onsets
        For each pair the last scale before the onset of the curve in question and the onset, in
        axis units; None without an onset.
    """
    rows = [
        row
        for number, (pair, onset) in enumerate(zip(pairs, onsets, strict=True))
        for role, one in (("own", pair.own), ("other", pair.other))
        for row in _rows(number, role, one, onset)
    ]
    return pl.DataFrame(rows, schema=POINTS, orient="row")


def _rows(
    number: int, role: str, one: Alternative, onset: tuple[float, float] | None
) -> list[dict[str, Any]]:
    curve = one.curve
    share, half = _shares(curve)
    return [
        {
            "pair": number,
            "role": role,
            "family": curve.family,
            "model": curve.model,
            "task": curve.task,
            "n_shot": curve.n_shot,
            "axis": curve.axis,
            "metric": curve.metric,
            "point": curve.models[i],
            "x": float(curve.x[i]),
            "value": float(curve.y[i]),
            "share": float(share[i]),
            "low": float(share[i] - half[i]) if np.isfinite(half[i]) else None,
            "high": float(share[i] + half[i]) if np.isfinite(half[i]) else None,
            "onset_low": None if onset is None else onset[0],
            "onset": None if onset is None else onset[1],
        }
        for i in range(len(curve))
    ]


def _shares(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    mapped = progress(curve)
    y = (curve.y if curve.higher_is_better else -curve.y) if mapped is None else mapped.y
    stderr = np.asarray(curve.stderr if mapped is None else mapped.stderr)
    n = np.asarray(curve.n, dtype=float)
    if curve.proportion:
        with np.errstate(invalid="ignore", divide="ignore"):
            binomial = np.sqrt(curve.y * (1.0 - curve.y) / n)
        stderr = np.where(np.isfinite(stderr), stderr, binomial)
    spread = float(y.max() - y.min())
    if spread == 0:
        return np.zeros(len(y)), np.full(len(y), np.nan)
    return (y - y.min()) / spread, 1.96 * stderr / spread
