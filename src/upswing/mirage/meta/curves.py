"""One row per curve: its emergence score, what kind of number it is, and how many questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import emergence_scores
from upswing.detection.evidence import FEWEST_SCALES
from upswing.detection.gain import gain_of
from upswing.detection.resolution import smallest_detectable_gain
from upswing.mirage.meta.classes import metric_class

Array = npt.NDArray[np.float64]

COLUMNS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "model": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "filter": pl.String,
    "n_shot": pl.Int64,
    "elicitation": pl.String,
    "harness": pl.String,
    "axis": pl.String,
    "metric_shape": pl.String,
    "metric_class": pl.String,
    "n_scales": pl.Int64,
    "questions_least": pl.Float64,
    "questions_most": pl.Float64,
    "n_source": pl.String,
    "chance": pl.Float64,
    "value_first": pl.Float64,
    "value_last": pl.Float64,
    "emergence_score": pl.Float64,
    "emergence_score_status": pl.String,
    "tie_sign": pl.Boolean,
    "zero_steps": pl.Float64,
    "at_worst": pl.Int64,
    "delta": pl.Float64,
    "detectable_gain": pl.Float64,
    "under_resolved": pl.Boolean,
}
"""Columns of :func:`curve_rows`.

``emergence_score`` is oriented so that a positive score is an improvement, and null where it is
infinite or does not exist; the status says which. ``questions_least`` and ``questions_most`` are
the fewest and the most questions behind a point. ``zero_steps`` is the share of steps between
scales that are exactly 0: more than a half make the score infinite. ``at_worst`` counts the scales
at which the score is the worst possible. ``delta`` and ``detectable_gain`` are in the metric's unit
(``detectable_gain`` is null where not even a perfect score would be significant), and
``under_resolved`` says whether the second exceeds the first: null where chance, range or number of
questions is unknown.
"""


def curve_rows(curves: Sequence[Curve]) -> pl.DataFrame:
    """Score many curves at once; the columns are :data:`COLUMNS`.

    Parameters
    ----------
    curves
        One task under one metric for one family or run each.

    Returns
    -------
    polars.DataFrame
        One row per curve, in the same order.
    """
    kinds = {name: metric_class(name) for name in {curve.metric for curve in curves}}
    kept = [name for name in COLUMNS if name in Curve.__dataclass_fields__]
    columns: dict[str, Any] = {name: [getattr(curve, name) for curve in curves] for name in kept}
    columns["metric_shape"] = [kinds[curve.metric].shape for curve in curves]
    columns["metric_class"] = [kinds[curve.metric].group for curve in curves]
    columns["n_scales"] = [len(curve) for curve in curves]
    columns.update(_scores(curves))
    columns.update(_resolution(curves))
    return pl.DataFrame(columns, schema=COLUMNS, nan_to_null=True)


def oriented(curves: Iterable[Curve]) -> Array:
    """Return the scores of curves of one length, turned so that more is better."""
    return np.stack([curve.y if curve.higher_is_better else -curve.y for curve in curves])


def by_length(curves: Sequence[Curve]) -> Mapping[int, npt.NDArray[np.intp]]:
    """Return the places of the curves that have as many scales, by number of scales."""
    lengths = np.array([len(curve) for curve in curves], dtype=np.intp)
    return {int(count): np.flatnonzero(lengths == count) for count in np.unique(lengths)}


def _scores(curves: Sequence[Curve]) -> dict[str, Any]:
    total = len(curves)
    score, steps = np.full(total, np.nan), np.full(total, np.nan)
    least, most, first, last = (np.full(total, np.nan) for _ in range(4))
    worst = np.zeros(total, dtype=np.int64)
    tied = np.zeros(total, dtype=bool)
    status = np.full(total, "too_few", dtype=object)
    for count, rows in by_length(curves).items():
        if not count:
            continue
        chosen = [curves[i] for i in rows]
        y = oriented(chosen)
        n = np.stack([np.asarray(curve.n, dtype=float) for curve in chosen])
        least[rows], most[rows] = n.min(axis=1), n.max(axis=1)
        sign = np.array([1.0 if curve.higher_is_better else -1.0 for curve in chosen])
        first[rows], last[rows] = sign * y[:, 0], sign * y[:, -1]
        worst[rows] = (y <= _worst(chosen)[:, None] + 1e-12).sum(axis=1)
        if count < FEWEST_SCALES:
            continue
        found = emergence_scores(y)
        score[rows], status[rows] = found, _status(found)
        steps[rows] = (np.diff(y, axis=1) == 0).mean(axis=1)
        backwards = y[:, ::-1]
        other = np.where(backwards.argmax(axis=1) < backwards.argmin(axis=1), 1.0, -1.0)
        tied[rows] = (found != 0) & (np.sign(found) != other)
    return {
        "emergence_score": np.where(np.isfinite(score), score, np.nan),
        "emergence_score_status": list(status),
        "tie_sign": tied,
        "zero_steps": steps,
        "at_worst": worst,
        "questions_least": least,
        "questions_most": most,
        "value_first": first,
        "value_last": last,
    }


def _worst(curves: Sequence[Curve]) -> Array:
    """Return the worst possible score of each curve, turned so that more is better."""
    ends = [
        c.lowest if c.higher_is_better else None if c.highest is None else -c.highest
        for c in curves
    ]
    return np.array([-np.inf if end is None else end for end in ends])


def _status(score: Array) -> list[str]:
    names = np.array(["finite", "flat", "+inf", "-inf"], dtype=object)
    return list(names[np.select([score == 0, score == np.inf, score == -np.inf], [1, 2, 3], 0)])


def _resolution(curves: Sequence[Curve]) -> dict[str, list[float | bool | None]]:
    """Return delta, the smallest detectable gain and whether it is larger, curve by curve."""
    known: dict[tuple[float, float, int], float] = {}
    delta: list[float | bool | None] = []
    detectable: list[float | bool | None] = []
    under: list[float | bool | None] = []
    for curve in curves:
        gain = gain_of(curve) if len(curve) >= FEWEST_SCALES else None
        if gain is None:
            delta.append(None)
            detectable.append(None)
            under.append(None)
            continue
        key = (gain.chance + gain.delta, float(gain.n.min()), len(curve))
        if key not in known:
            known[key] = smallest_detectable_gain(*key)
        width = float(curve.highest or 0.0) - float(curve.lowest or 0.0)
        delta.append(gain.delta * width)
        detectable.append(known[key] * width if np.isfinite(known[key]) else None)
        under.append(known[key] > gain.delta)
    return {"delta": delta, "detectable_gain": detectable, "under_resolved": under}
