r"""The metric intervention: the same outputs under another kind of metric, paired by task.

Schaeffer et al. change the metric and nothing else, and look whether the jump goes away. Here every
curve under a metric that bends or breaks the error per token (exact match, a grade) is paired with
the curve of the same outputs under a continuous one. Three numbers say how sharp a curve is: its
emergence score; the largest single step as a share of its rise; and the width of its fitted rise in
log10 units of scale. The pair's difference is the effect of the metric; over tasks it is summed up
by its mean with a bootstrap over tasks, since curves of one task share its questions.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, sections 3 and 4 (the intervention); the pairing
and the intervals are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import Array, Curve
from upswing.mirage.alternative import Alternative, describe
from upswing.mirage.progress import is_continuous, progress

PAIRS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "model": pl.String,
    "task": pl.String,
    "n_shot": pl.Int64,
    "axis": pl.String,
    "metric": pl.String,
    "other_task": pl.String,
    "other_metric": pl.String,
    "other_class": pl.String,
    "n_scales": pl.Int64,
    "emergence_score": pl.Float64,
    "emergence_score_status": pl.String,
    "other_score": pl.Float64,
    "other_score_status": pl.String,
    "largest_step": pl.Float64,
    "other_largest_step": pl.Float64,
    "sharpness": pl.Float64,
    "other_sharpness": pl.Float64,
    "outcome": pl.String,
    "rise_before_onset": pl.Float64,
    "rise_before_low": pl.Float64,
    "rise_before_high": pl.Float64,
    "p_smooth_other": pl.Float64,
}
"""Columns of :func:`pair_table`: ``largest_step`` is the largest step between neighbouring scales
as a share of the rise from the lowest to the highest value, in [0, 1]; ``sharpness`` is in log10
units of scale (nats on the loss axis), smaller is sharper; ``outcome`` and shares are those of
:class:`upswing.mirage.alternative.Alternative`."""

SUMMARY: dict[str, type[pl.DataType]] = {
    "other_class": pl.String,
    "measure": pl.String,
    "pairs": pl.Int64,
    "tasks": pl.Int64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "share_less_sharp": pl.Float64,
}
"""Columns of :func:`intervention_effects`: ``difference`` is the mean over pairs of what the other
metric changes, with its 95 % interval; ``share_less_sharp`` the share of pairs in which the other
metric is the less sharp one."""

_DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Pair:
    """A curve and one alternative to it.

    Attributes
    ----------
    own
        The curve under the metric in question, described.
    other
        The curve of the same outputs under another metric.
    """

    own: Alternative
    other: Alternative


def pair_of(curve: Curve, other: Curve) -> Pair:
    """Return two curves of the same outputs, or of two formats of the same questions, as a pair.

    Parameters
    ----------
    curve
        The curve in question.
    other
        The one to lay beside it.

    Examples
    --------
    >>> x = [1e8, 1e9, 1e10, 1e11]
    >>> exact = Curve(x, [0.0, 0.0, 0.0, 0.3], metric="exact_match", n=100, chance=0.0)
    >>> bleu = Curve(x, [5.0, 10.0, 20.0, 40.0], metric="bleu", highest=100.0, n=100)
    >>> row = pair_table([pair_of(exact, bleu)]).row(0, named=True)
    >>> row["emergence_score_status"], row["other_score"], row["largest_step"]
    ('+inf', 3.5, 1.0)
    """
    return Pair(_described(curve), _described(other))


def _described(curve: Curve) -> Alternative:
    from upswing.metrics.registry import known_metric

    known = known_metric(curve.metric)
    return describe(curve, None if known is None else known.shape, is_continuous(curve.metric))


def pair_table(pairs: Iterable[Pair]) -> pl.DataFrame:
    """Return one row per pair, see :data:`PAIRS`."""
    return pl.DataFrame([_row(pair) for pair in pairs], schema=PAIRS, orient="row")


def _row(pair: Pair) -> dict[str, Any]:
    own, other = pair.own.curve, pair.other.curve
    share = pair.other.share
    return {
        "family": own.family,
        "model": own.model,
        "task": own.task,
        "n_shot": own.n_shot,
        "axis": own.axis,
        "metric": own.metric,
        "other_task": other.task,
        "other_metric": other.metric,
        "other_class": pair.other.shape_class,
        "n_scales": len(other),
        "emergence_score": _finite(pair.own.score.score),
        "emergence_score_status": pair.own.score.status,
        "other_score": _finite(pair.other.score.score),
        "other_score_status": pair.other.score.status,
        "largest_step": largest_step(own),
        "other_largest_step": largest_step(other),
        "sharpness": _finite(pair.own.sharpness),
        "other_sharpness": _finite(pair.other.sharpness),
        "outcome": pair.other.outcome,
        "rise_before_onset": None if share is None else _finite(share.value),
        "rise_before_low": None if share is None else _finite(share.low),
        "rise_before_high": None if share is None else _finite(share.high),
        "p_smooth_other": pair.other.p_smooth,
    }


def largest_step(curve: Curve) -> float | None:
    """Return the largest rise between neighbouring scales as a share of the whole rise.

    The whole rise is that from the lowest value to the highest; metrics of loss count as
    probabilities (:func:`upswing.mirage.progress.progress`). None where nothing rises.

    Examples
    --------
    >>> largest_step(Curve([1, 2, 3], [0.0, 0.25, 1.0]))
    0.75
    """
    mapped = progress(curve)
    y = (curve.y if curve.higher_is_better else -curve.y) if mapped is None else mapped.y
    if len(y) < 2:
        return None
    spread, step = float(y.max() - y.min()), float(np.diff(y).max())
    return step / spread if step > 0 else None


def intervention_effects(
    pairs: pl.DataFrame, rng: np.random.Generator, draws: int = _DRAWS
) -> pl.DataFrame:
    """Sum up pairs by the class of the other metric.

    Parameters
    ----------
    pairs
        Of :func:`pair_table`.
    rng
        Source of the bootstrap over tasks.
    draws
        Bootstrap draws.

    Returns
    -------
    polars.DataFrame
        See :data:`SUMMARY`. The measures are ``log10 emergence score``, of positive finite scores
        (infinite ones have no logarithm and are left out; ``share_less_sharp`` counts them);
        ``largest step`` [share of the rise]; and ``log10 sharpness``, of the widths. Fewer than two
        tasks give no interval.
    """
    rows = []
    for (name,), group in pairs.sort("other_class", "task").group_by(
        "other_class", maintain_order=True
    ):
        tasks = group["task"].to_numpy()
        for measure, difference, less in _measures(group):
            known = np.isfinite(difference)
            row: dict[str, Any] = {
                "other_class": name,
                "measure": measure,
                "pairs": int(known.sum()),
                "tasks": len(set(tasks[known])),
                "share_less_sharp": float(np.mean(less[~np.isnan(less)]))
                if (~np.isnan(less)).any()
                else None,
            }
            row |= _mean_with_interval(difference[known], tasks[known], rng, draws)
            rows.append(row)
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")


def _measures(group: pl.DataFrame) -> list[tuple[str, Array, Array]]:
    """Return each measure's difference, other minus own, and whether the other is less sharp."""
    own = _full_score(group, "emergence_score", "emergence_score_status")
    other = _full_score(group, "other_score", "other_score_status")
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.log10(np.where(other > 0, other, np.nan)) - np.log10(
            np.where(own > 0, own, np.nan)
        )
        less = np.where((own > 0) & (other > 0), (other < own).astype(float), np.nan)
    step = _array(group, "other_largest_step") - _array(group, "largest_step")
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.log10(_array(group, "other_sharpness")) - np.log10(_array(group, "sharpness"))
    return [
        ("log10 emergence score", score, less),
        ("largest step", step, _sign(-step)),
        ("log10 sharpness", width, _sign(width)),
    ]


def _full_score(group: pl.DataFrame, value: str, status: str) -> Array:
    infinite = {"+inf": np.inf, "-inf": -np.inf}
    return np.asarray(
        [
            infinite.get(s, np.nan) if v is None else v
            for v, s in group.select(value, status).iter_rows()
        ],
        dtype=float,
    )


def _array(group: pl.DataFrame, name: str) -> Array:
    return group[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _sign(difference: Array) -> Array:
    return np.where(np.isnan(difference), np.nan, (difference > 0).astype(float))


def _mean_with_interval(
    difference: Array,
    tasks: Sequence[str] | np.typing.NDArray[Any],
    rng: np.random.Generator,
    draws: int,
) -> dict[str, float | None]:
    if not len(difference):
        return {"difference": None, "low": None, "high": None}
    names, member = np.unique(tasks, return_inverse=True)
    mean = float(difference.mean())
    if len(names) < 2:
        return {"difference": mean, "low": None, "high": None}
    sums = np.bincount(member, difference, minlength=len(names))
    counts = np.bincount(member, minlength=len(names)).astype(float)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    means = (weights @ sums) / (weights @ counts)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"difference": mean, "low": float(low), "high": float(high)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
